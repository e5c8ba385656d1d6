//! From sockets and polls to sessions: handshakes, the life of a connection, and what a session's messages mean.

use std::rc::Rc;

use actix_web::web::{self, ServiceConfig};

use crate::{
    config::Audience,
    domain::Offset,
    limits::admission::{Limit, Place},
    realtime::{Hubs, Login, Registry},
    service::ServiceError,
    socketio::{self as engineio, Directory, Endpoint, Engine, Limits, SocketIo},
    state::AppState,
    transport::handshake,
    web::resource::{get, resource},
};

pub mod bundle;
mod chat;
pub mod client;
pub mod cursor;
pub mod native;
pub mod refusal;
pub mod socketio;
pub mod sse;
pub mod upgrade;
pub mod visitor;

use self::socketio::Shop;

/// Where the Socket.IO sessions of all worker threads are.
pub type SocketIoDirectory = Directory<SocketIo<Shop>>;

/// What the connections of one worker thread share.
pub struct Gateway {
    /// The use cases and settings.
    pub app: AppState,
    /// The sessions of this thread.
    pub registry: Rc<Registry>,
    /// The way to the sessions of all threads.
    pub hubs: Hubs,
    /// The door for Socket.IO.
    pub socketio: Rc<Endpoint<SocketIo<Shop>>>,
}

impl Gateway {
    /// Opens the doors of a worker thread.
    #[must_use]
    pub fn open(
        app: AppState,
        registry: Rc<Registry>,
        hubs: Hubs,
        directory: &SocketIoDirectory,
    ) -> Rc<Self> {
        Rc::new_cyclic(|gateway| {
            let handlers = SocketIo::new(Shop(gateway.clone()));
            let limits = limits(&app);
            let admit = self::socketio::admit(&app);
            let socketio = Endpoint::open(directory, admit, |worker| Engine::new(handlers, limits, worker));
            Self { app, registry, hubs, socketio }
        })
    }

    /// Takes the places of a session of an account.
    ///
    /// # Errors
    /// The account has as many sessions as it may.
    pub fn places(&self, place: Option<Place>, login: Option<&Login>) -> Result<Vec<Place>, Limit> {
        let account = login.map(|login| self.app.admissions.identify(login.user_id)).transpose()?;
        Ok(place.into_iter().chain(account).collect())
    }

    /// Whether a session gets alerts.
    #[must_use]
    pub fn is_audience(&self, member: bool) -> bool {
        member || self.app.settings.audience == Audience::Everyone
    }

    /// An offset that a client brings, but no further than the log goes. Another thread may be ahead of this one;
    /// beyond the end of the log, the client knew another database.
    ///
    /// # Errors
    /// The store failed.
    pub async fn within_log(&self, offset: Offset) -> Result<Offset, ServiceError> {
        if offset <= self.registry.latest() {
            return Ok(offset);
        }
        Ok(offset.min(self.app.store.reach().await?.latest))
    }

    /// Adds the routes of the transports for requests without an upgrade.
    pub fn configure(self: &Rc<Self>, config: &mut ServiceConfig) {
        config
            .service(resource("/api/events", [get(sse::events)]).app_data(Rc::clone(self)))
            .service(resource("/socket.io/{file}", [get(bundle::serve)]))
            .service(resource("/ws", [get(async || Err::<String, _>(handshake::upgrade_required()))]))
            .service(
                web::resource(["/socket.io/", "/socket.io"])
                    .app_data(Rc::clone(&self.socketio))
                    .default_service(web::to(engineio::polling::polling::<SocketIo<Shop>>)),
            );
    }
}

/// How long a client may take to connect to a namespace, as in the reference server.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(45);

fn limits(app: &AppState) -> Limits {
    let settings = &app.settings;
    Limits {
        ping_interval: settings.ping_interval,
        ping_timeout: settings.ping_timeout,
        max_payload: settings.max_payload,
        body_timeout: settings.body_timeout,
        outbox: settings.outbox_limit,
        connect_timeout: Some(CONNECT_TIMEOUT),
        // The registry closes those, with 4008.
        stall_timeout: None,
    }
}
