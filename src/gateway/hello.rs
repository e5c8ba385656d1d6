//! The first thing that a client of `/ws` or of an event stream is told (docs/contract.md §3b, §3c).

use serde::Serialize;
use utoipa::ToSchema;

use super::client::Client;
use crate::{
    clock,
    domain::{Offset, Timestamp},
};

/// The payload of the event `hello`.
#[derive(Serialize, ToSchema)]
pub struct Hello<'a> {
    /// The session's name.
    session: String,
    /// Who is logged in; `null`: a guest.
    user: Option<HelloUser<'a>>,
    /// The newest offset that there is.
    latest: Offset,
    /// The server's clock.
    time: Timestamp,
    /// After so many milliseconds without a word from the server the client hears `alive`.
    heartbeat: u64,
    /// Of which log the offsets are.
    epoch: &'a str,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
struct HelloUser<'a> {
    nickname: &'a str,
}

/// The greeting of a session, as JSON.
pub(super) fn hello(Client { gateway, session }: &Client) -> String {
    let login = session.login();
    let heartbeat = gateway.app.settings.ping_interval.as_millis();
    let hello = Hello {
        session: session.name(),
        user: login.as_ref().map(|login| HelloUser { nickname: &login.nickname }),
        latest: gateway.registry.latest().max(session.position()),
        time: clock::now(),
        heartbeat: u64::try_from(heartbeat).unwrap_or(u64::MAX),
        epoch: gateway.epoch(),
    };
    serde_json::to_string(&hello).expect("structs of numbers and strings are always JSON")
}
