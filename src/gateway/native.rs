//! A `/ws` session: envelopes to events, replies to acknowledgements.

use std::time::Instant;

use serde::Serialize;
use serde_json::Value;

use super::{
    client::Client,
    events,
    refusal::{Refusal, Reply, ack},
    resume::Start,
};
use crate::{
    domain::Offset,
    outbox::Close,
    protocol::{
        events::ClientEvent,
        native::{self, Envelope},
    },
    realtime::Session,
    transport::websocket::{Handler, WebSocket},
};

/// A `/ws` session.
pub(super) struct NativeSession {
    client: Client,
}

/// The first message to a client (docs/contract.md §3b).
#[derive(Serialize)]
struct Hello<'a> {
    session: String,
    user: Option<HelloUser<'a>>,
    latest: Offset,
    epoch: &'a str,
}

#[derive(Serialize)]
struct HelloUser<'a> {
    nickname: &'a str,
}

impl NativeSession {
    /// Greets the client. To be called right after the session has joined, and not when the actor starts: an alert could
    /// come before the greeting.
    pub(super) fn new(client: Client, start: Start) -> Self {
        let session = Self { client };
        session.hello();
        session.client.start(start);
        session
    }

    fn hello(&self) {
        let Client { gateway, session } = &self.client;
        let login = session.login();
        let hello = Hello {
            session: session.name(),
            user: login.as_ref().map(|login| HelloUser { nickname: &login.nickname }),
            latest: gateway.registry.latest().max(session.position()),
            epoch: gateway.epoch(),
        };
        let payload = serde_json::to_string(&hello).expect("structs of numbers and strings are always JSON");
        session.send(&native::event("hello", &payload));
    }
}

/// Sends the acknowledgement that was asked for; without one, only a refusal is worth an event.
fn answer(session: &Session, event: &str, id: Option<&Value>, reply: &Reply) {
    match (id, reply) {
        (Some(id), reply) => session.send(&native::ack(id, &ack(reply))),
        (None, Ok(_)) => {}
        (None, Err(refusal)) => refuse(session, Some(event), refusal),
    }
}

fn refuse(session: &Session, event: Option<&str>, refusal: &Refusal) {
    session.send(&native::event("error", &refusal.error_event(event)));
}

impl Handler for NativeSession {
    fn admit(&self) -> bool {
        self.client.session.outbox.heartbeat.hear(Instant::now());
        self.client.admit_message()
    }

    fn text(&self, text: String, _: &WebSocket<Self>) {
        let session = &self.client.session;
        match native::decode(&text) {
            Err(error) => refuse(session, None, &error.into()),
            Ok(Envelope { event: name, args, id }) => {
                let event = ClientEvent::read(&name, args);
                let session = std::rc::Rc::clone(session);
                events::handle(&self.client, event, move |reply| {
                    answer(&session, &name, id.as_ref(), &reply);
                });
            }
        }
    }

    fn binary(&self, _: Vec<u8>, _: &WebSocket<Self>) {
        self.client.session.close(Close::Unsupported);
    }

    fn closed(&self, _: &WebSocket<Self>) {
        events::leave(&self.client);
    }
}
