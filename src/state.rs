//! What handlers share: the settings and the use cases.

pub mod guesses;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    bus::{self, Bus},
    config::Settings,
    domain::Epoch,
    figures::Board,
    limits::Permits,
    mail::{BadRelay, Mailer, Pace, Relay},
    media::Folder,
    service::{
        ServiceError,
        accounts::Accounts,
        alerts::Alerts,
        catalog::Catalog,
        endpoints::Endpoints,
        history::History,
        import::Import,
        ingest::Ingest,
        ledger::Ledger,
        listen_keys::ListenKeys,
        media::Media,
        moderation::Moderation,
        orders::Orders,
        people::People,
        poll_reports::PollReports,
        resets::{Resets, Way},
        sources::Sources,
        widget::Widget,
    },
    store::Store,
    telemetry::Traces,
};

/// One copy per worker thread; all copies share what they hold.
#[derive(Clone)]
pub struct AppState {
    /// The settings in force.
    pub settings: Arc<Settings>,
    /// The data, for what needs no decision: carts, single goods, readiness, and the realtime layer.
    pub store: Arc<dyn Store>,
    /// Registering, logging in and out, who a token belongs to.
    pub accounts: Arc<Accounts>,
    /// Who hears alerts and what they say.
    pub alerts: Arc<Alerts>,
    /// Goods.
    pub catalog: Arc<Catalog>,
    /// Orders.
    pub orders: Arc<Orders>,
    /// All orders, for administrators.
    pub ledger: Arc<Ledger>,
    /// All accounts, for administrators.
    pub people: Arc<People>,
    /// Who may say that something was bought elsewhere.
    pub sources: Arc<Sources>,
    /// Orders of other shops.
    pub ingest: Arc<Ingest>,
    /// What became of the last look at shops that are polled.
    pub poll_reports: Arc<PollReports>,
    /// Systems of others that are told news.
    pub endpoints: Arc<Endpoints>,
    /// Reading the log of notifications.
    pub history: Arc<History>,
    /// Keys for the pages of other shops.
    pub listen_keys: Arc<ListenKeys>,
    /// What visitors do with the widget.
    pub widget: Arc<Widget>,
    /// The figures of the shop.
    pub board: Arc<Board>,
    /// Goods in bulk.
    pub import: Arc<Import>,
    /// Pictures of goods.
    pub media: Arc<Media>,
    /// Who may not speak in the rooms, and what was reported.
    pub moderation: Arc<Moderation>,
    /// New passwords for those who have forgotten theirs.
    pub resets: Arc<Resets>,
    /// To the other nodes of the shop.
    pub bus: Arc<dyn Bus>,
    /// Where what happens to orders is recorded, step by step.
    pub traces: Traces,
    /// Permits for connections and sessions.
    pub permits: Arc<Permits>,
    /// The epoch of the log, as clients are told it.
    pub epoch: Arc<str>,
    /// The same as it is compared.
    pub log_epoch: Epoch,
    /// Whether new work is welcome.
    pub readiness: Arc<Readiness>,
}

impl AppState {
    /// Puts the use cases over a store. Makes the token key at the first start.
    ///
    /// # Errors
    /// The store failed.
    pub async fn open(settings: Settings, store: Arc<dyn Store>) -> Result<Self, ServiceError> {
        let accounts = Arc::new(Accounts::open(Arc::clone(&store), &settings).await?);
        let way = mail_way(&settings).map_err(|error| ServiceError::internal("mail cannot go out", error))?;
        let epoch = store.reach().await?.epoch;
        let sources = Arc::new(Sources::open(store.clone()).await?);
        let bus = bus::open(settings.bus.as_ref(), epoch).await;
        let bus = bus.map_err(|error| ServiceError::internal("the bus cannot be used", error))?;
        let (collector, node) = (settings.otlp_endpoint.as_ref(), bus.node());
        let traces = Traces::open(collector, settings.otlp_sample, node.as_str());
        let traces = traces.map_err(|error| ServiceError::internal("traces cannot be sent", error))?;
        store.feed().trace_to(traces.clone());
        let widget = Arc::new(Widget::new(store.clone()));
        Ok(Self {
            epoch: epoch.to_string().into(),
            log_epoch: epoch,
            bus,
            traces,
            resets: Arc::new(Resets::new(store.clone(), Arc::clone(&accounts), way)),
            accounts,
            alerts: Arc::new(Alerts::open(store.clone(), &settings).await?),
            catalog: Arc::new(Catalog::new(store.clone(), settings.currency)),
            orders: Arc::new(Orders::new(store.clone(), settings.order_rate)),
            ledger: Arc::new(Ledger::new(store.clone())),
            people: Arc::new(People::new(store.clone())),
            listen_keys: Arc::new(ListenKeys::open(store.clone()).await?),
            moderation: Arc::new(Moderation::open(store.clone()).await?),
            ingest: Arc::new(Ingest::new(store.clone(), Arc::clone(&sources), settings.currency)),
            sources,
            poll_reports: Arc::default(),
            endpoints: Arc::new(Endpoints::new(store.clone())),
            history: Arc::new(History::new(store.clone())),
            board: Arc::new(Board::new(store.clone(), Arc::clone(&widget))),
            widget,
            import: Arc::new(Import::new(store.clone(), settings.currency)),
            media: Arc::new(Media::new(Folder::new(settings.media_folder()))),
            permits: Arc::new(Permits::new(&settings)),
            readiness: Arc::default(),
            settings: Arc::new(settings),
            store,
        })
    }
}

/// How mail goes out, if it does.
///
/// # Errors
/// Settings that name no relay, or no sender.
pub fn mail_way(settings: &Settings) -> Result<Option<Way>, BadRelay> {
    let (Some(url), Some(from), Some(public_url)) =
        (&settings.smtp_url, &settings.mail_from, &settings.public_url)
    else {
        return Ok(None);
    };
    // The settings have checked that it is an origin.
    let host = url::Url::parse(public_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let relay = Relay::new(&url.0, from, host.as_deref().unwrap_or("localhost"))?;
    let mailer = Arc::new(Mailer::new(relay, Pace::default()));
    Ok(Some(Way { mailer, public_url: public_url.clone() }))
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

    /// Whether new work may begin.
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
