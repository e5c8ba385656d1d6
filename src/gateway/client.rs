//! A client of the shop: its session, and the gateway of its thread.

use std::{rc::Rc, time::Instant};

use super::{resume::Start, thread::Gateway};
use crate::{
    domain::Offset,
    outbox::Close,
    realtime::{NewSession, Session},
    telemetry,
};

/// Two counted pointers, to be cloned into tasks.
#[derive(Clone)]
pub struct Client {
    /// What the thread's clients share.
    pub gateway: Rc<Gateway>,
    /// The session.
    pub session: Rc<Session>,
}

impl Client {
    /// Begins a session.
    #[must_use]
    pub fn enter(gateway: Rc<Gateway>, new: NewSession) -> Self {
        let session = Session::new(new);
        gateway.registry.join(&session);
        telemetry::session_opened(session.came_by.label());
        Self { gateway, session }
    }

    /// Starts the flow of publications, after what the client is told first.
    pub fn start(&self, start: Start) {
        if let Start::Gap(after) = start {
            self.session.tell_gap(after, Offset(self.session.position().0 + 1));
        }
        self.gateway.follower.follow(&self.session);
    }

    /// Counts a message. A session that sends too many is closed; returns whether the message may be looked at.
    #[must_use]
    pub fn admit_message(&self) -> bool {
        let admitted = self.session.limits.take_message(Instant::now());
        if !admitted {
            self.session.close(Close::TooManyMessages);
        }
        admitted && self.session.outbox.is_open()
    }

    /// Ends the session, once.
    pub fn leave(&self) {
        if self.gateway.registry.leave(&self.session) {
            telemetry::session_ended(self.session.outbox.wire().label());
        }
    }

    /// It polled, and goes on over a WebSocket.
    pub fn upgraded(&self) {
        telemetry::session_ended(self.session.came_by.label());
        telemetry::session_opened(self.session.outbox.wire().label());
        self.gateway.registry.upgraded(&self.session);
    }
}
