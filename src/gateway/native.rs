//! A `/ws` session: envelopes to events, replies to acknowledgements.

use std::time::Instant;

use serde_json::Value;

use super::{
    client::Client,
    events,
    hello::hello,
    refusal::{Refusal, Reply, ack},
    resume::Start,
};
use crate::{
    outbox::Close,
    protocol::{
        events::ClientEvent,
        native::{self, Envelope},
    },
    realtime::Session,
    transport::websocket::{Handler, MessageLimits, WebSocket},
};

/// A `/ws` session.
pub(super) struct NativeSession {
    client: Client,
}

impl NativeSession {
    /// Greets the client. To be called right after the session has joined, and not when the actor starts: an alert could
    /// come before the greeting.
    pub(super) fn new(client: Client, start: Start) -> Self {
        let session = Self { client };
        session.client.session.send(&native::event("hello", &hello(&session.client)));
        session.client.start(start);
        session
    }
}

/// Sends the acknowledgement that was asked for; without one, only a refusal is worth an event.
fn answer(session: &Session, event: &str, id: Option<&Value>, reply: &Reply) {
    match (id, reply) {
        (Some(id), reply) => session.send(&native::ack(id, &ack(reply, session.language))),
        (None, Ok(_)) => {}
        (None, Err(refusal)) => refuse(session, Some(event), refusal),
    }
}

fn refuse(session: &Session, event: Option<&str>, refusal: &Refusal) {
    session.send(&native::event("error", &refusal.error_event(event, session.language)));
}

impl Handler for NativeSession {
    fn limits(&self) -> MessageLimits {
        let settings = &self.client.gateway.app.settings;
        MessageLimits { bytes: settings.max_payload, time: settings.message_timeout }
    }

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
