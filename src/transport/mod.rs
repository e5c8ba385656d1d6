//! From sockets to sessions: the WebSocket upgrade, the connection's life, and what a session's messages mean.

use std::rc::Rc;

use actix_web::web::ServiceConfig;

use crate::{
    realtime::{Log, Registry},
    state::AppState,
    web::resource::{get, resource},
};

mod native;
mod shop;
pub mod upgrade;
mod visitor;
mod websocket;

/// What the connections of one worker thread share.
pub struct Gateway {
    /// The use cases and settings.
    pub app: AppState,
    /// The sessions of this thread.
    pub registry: Rc<Registry>,
    /// The past.
    pub log: Log,
}

/// The routes of the transports for requests without an upgrade.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/ws", [get(async || Err::<String, _>(upgrade::upgrade_required()))]));
}
