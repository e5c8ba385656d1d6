//! What handlers share: the settings and the use cases.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    config::Settings,
    limits::admission::Admissions,
    service::{
        ServiceError, accounts::Accounts, carts::Carts, catalog::Catalog, history::History, orders::Orders,
    },
    store::Store,
};

/// One copy per worker thread; all copies share what they hold.
#[derive(Clone)]
pub struct AppState {
    /// The settings in force.
    pub settings: Arc<Settings>,
    /// The data, for what is no use case: readiness and the realtime layer.
    pub store: Arc<dyn Store>,
    /// Registering, logging in and out, who a token belongs to.
    pub accounts: Arc<Accounts>,
    /// Goods.
    pub catalog: Arc<Catalog>,
    /// Carts.
    pub carts: Arc<Carts>,
    /// Orders.
    pub orders: Arc<Orders>,
    /// The log of notifications.
    pub history: Arc<History>,
    /// Who may connect and begin a session.
    pub admissions: Arc<Admissions>,
    /// Whether new work is welcome.
    pub readiness: Arc<Readiness>,
}

impl AppState {
    /// Puts the use cases over a store. Makes the token key at the first start.
    ///
    /// # Errors
    /// The store failed.
    pub async fn open(settings: Settings, store: Arc<dyn Store>) -> Result<Self, ServiceError> {
        let accounts = Accounts::open(Arc::clone(&store), &settings).await?;
        Ok(Self {
            accounts: Arc::new(accounts),
            catalog: Arc::new(Catalog::new(Arc::clone(&store), settings.currency)),
            carts: Arc::new(Carts::new(Arc::clone(&store))),
            orders: Arc::new(Orders::new(Arc::clone(&store))),
            history: Arc::new(History::new(Arc::clone(&store))),
            admissions: Arc::new(Admissions::new(&settings)),
            readiness: Arc::default(),
            settings: Arc::new(settings),
            store,
        })
    }
}

/// Whether the server takes new work; it does until it is told to end.
#[derive(Debug, Default)]
pub struct Readiness {
    draining: AtomicBool,
}

impl Readiness {
    /// From now on `GET /readyz` says no, so that load balancers look elsewhere, and neither sessions nor orders
    /// begin.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Lets new work in.
    ///
    /// # Errors
    /// [`ServiceError::Restarting`] once the server was told to end.
    pub fn admit(&self) -> Result<(), ServiceError> {
        if self.is_draining() { Err(ServiceError::Restarting) } else { Ok(()) }
    }

    /// Whether it was told to end.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
