//! A `/ws` session: envelopes to events, replies to acknowledgements.

use std::{rc::Rc, time::Instant};

use serde_json::{Value, json};

use super::{
    client::Shopper,
    refusal::{Refusal, Reply},
};
use crate::{
    protocol::{
        frame::FrameError,
        native::{self, Envelope},
    },
    realtime::{Close, Session},
    transport::websocket::{Line, Peer},
};

/// A `/ws` session.
pub(super) struct NativeSession {
    shopper: Rc<Shopper>,
}

impl NativeSession {
    /// Greets the client. To be called right after the session came in, so that nothing is said to it before.
    pub(super) fn new(shopper: Rc<Shopper>) -> Self {
        let session = Self { shopper };
        // Not when the actor starts: an alert could come before it.
        session.hello();
        session
    }

    fn session(&self) -> &Rc<Session> {
        &self.shopper.session
    }

    fn hello(&self) {
        let session = self.session();
        let user = session.login().map(|login| json!({"nickname": login.nickname}));
        let latest = self.shopper.gateway().registry.latest().max(session.position());
        let payload = json!({"session": session.name(), "user": user, "latest": latest});
        session.send(&native::event("hello", &payload.to_string()));
    }
}

/// Sends the acknowledgement that was asked for; without one, only a refusal is worth an event.
fn answer(session: &Session, event: &str, id: Option<&Value>, reply: Reply) {
    match (id, reply) {
        (Some(id), Ok(payload)) => session.send(&native::ack(id, &payload.to_string())),
        (Some(id), Err(refusal)) => session.send(&native::ack(id, &refusal.ack().to_string())),
        (None, Ok(_)) => {}
        (None, Err(refusal)) => refuse(session, Some(event), &refusal),
    }
}

fn refuse(session: &Session, event: Option<&str>, refusal: &Refusal) {
    session.send(&native::event("error", &refusal.event(event).to_string()));
}

impl Peer for NativeSession {
    fn begin(&self) {
        self.session().read_on();
    }

    fn hear(&self) -> bool {
        self.session().outbox.pulse.hear(Instant::now());
        self.shopper.may_speak()
    }

    fn text(&self, text: String, _: &Line<Self>) {
        match native::decode(&text) {
            Err(error) => refuse(self.session(), None, &error.into()),
            Ok(Envelope { event, payload, id }) => {
                // "several arguments come as an array in `payload`" (CONTRACT §3b), this way round too.
                let args = match payload {
                    Value::Array(args) => args,
                    payload => vec![payload],
                };
                let (session, name) = (Rc::clone(self.session()), event.clone());
                self.shopper.hear(&event, &args, move |reply| answer(&session, &name, id.as_ref(), reply));
            }
        }
    }

    fn binary(&self, _: Vec<u8>, _: &Line<Self>) {
        self.session().close(Close::Unsupported);
    }

    fn broke_protocol(&self, error: FrameError, _: &Line<Self>) {
        self.session().close(Close::Protocol(error));
    }

    fn end(&self, _: &Line<Self>) {
        self.shopper.leave();
    }
}
