//! Engine.IO 4: sessions that begin with a poll or a WebSocket, may go from one to the other, and live while they
//! answer pings. What their messages say is for a [`Service`].
//!
//! What is quoted comes from `docs/engine.io-protocol/v4-current.md` of socketio/socket.io.

mod heartbeat;
mod polls;
#[cfg(test)]
mod tests;
mod upgrade;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;

use crate::{
    outbox::{Outbox, Wire},
    protocol::{
        engineio::{self, Handshake, Packet, Transport},
        engineio_frame,
    },
};

/// What an engine grants its sessions.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Time between two pings.
    pub ping_interval: Duration,
    /// Time for the answer to one.
    pub ping_timeout: Duration,
    /// Bytes of one message or of one poll's body.
    pub max_payload: usize,
    /// Time for the body of a poll's POST to come.
    pub body_timeout: Duration,
    /// Bytes that may wait for a session.
    pub outbox: usize,
    /// Time for the service to call [`Session::set_used`]; `None` when it never does.
    pub connect_timeout: Option<Duration>,
    /// How long a session may take nothing of what waits for it; `None` when the service looks after that.
    pub stall_timeout: Option<Duration>,
}

/// What runs over an engine's sessions.
pub trait Service: Sized + 'static {
    /// What is known from the request that began a session.
    type Request: 'static;
    /// What the service keeps of a session.
    type State: 'static;

    /// A session begins.
    fn open(&self, limits: &Limits) -> Self::State;
    /// A text message came.
    ///
    /// # Errors
    /// It breaks the protocol: the session is closed.
    fn text(&self, session: &Rc<Session<Self>>, text: &str) -> Result<(), Broken>;
    /// A binary message came.
    ///
    /// # Errors
    /// It breaks the protocol: the session is closed.
    fn binary(&self, session: &Rc<Session<Self>>, bytes: Bytes) -> Result<(), Broken>;
    /// The session is over.
    fn close(&self, session: &Rc<Session<Self>>);
}

/// A client that broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

/// One session.
pub struct Session<S: Service> {
    /// Its public name; whoever knows it can speak for it.
    pub sid: Rc<str>,
    /// What is known from the request that began it.
    pub request: S::Request,
    /// The way out.
    pub outbox: Rc<Outbox>,
    /// What the service keeps of it.
    pub state: S::State,
    opened: Instant,
    /// The WebSocket that is being tried: "heartbeats pause while an upgrade is under way". In a box, because most
    /// sessions try none.
    probe: Cell<Option<Rc<Probe>>>,
    used: Cell<bool>,
    ended: Cell<bool>,
}

/// A WebSocket that is being tried.
struct Probe {
    outbox: Rc<Outbox>,
    since: Instant,
}

impl<S: Service> Session<S> {
    /// Sends packets, all in one write.
    pub fn send(&self, packets: &[Packet<'_>]) {
        let bytes = match (self.outbox.wire(), packets) {
            (Wire::Polling, _) => {
                let mut payload = String::new();
                engineio::put_payload(&mut payload, packets.iter().cloned());
                payload.into()
            }
            (_, [packet]) => engineio_frame(packet),
            (_, packets) => packets.iter().flat_map(engineio_frame).collect(),
        };
        self.outbox.send(&bytes);
    }

    /// Whether the session has ended, or its connection is gone.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ended.get() || self.outbox.is_aborted()
    }

    /// How long ago it began.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// The service has found a use for it, see [`Limits::connect_timeout`].
    pub fn set_used(&self) {
        self.used.set(true);
    }

    fn probe(&self) -> Option<Rc<Probe>> {
        let probe = self.probe.take();
        self.probe.set(probe.clone());
        probe
    }

    fn is_upgrading(&self) -> bool {
        self.probe().is_some()
    }
}

/// The sessions of one thread.
pub struct Engine<S: Service> {
    /// What runs over them.
    pub service: S,
    /// What they are granted.
    pub limits: Limits,
    /// Begins the names of its sessions, so that requests that arrive elsewhere find their way.
    worker: u8,
    sessions: RefCell<HashMap<Rc<str>, Rc<Session<S>>>>,
    /// The ways out of sessions that ended here, until their clients have left: who does not is dropped.
    leaving: RefCell<Vec<Rc<Outbox>>>,
    /// Sessions whose client has said good-bye while no poll waited.
    departed: RefCell<HashMap<Rc<str>, Instant>>,
    /// When the last round was, and whether it was left out.
    swept: Cell<Instant>,
    skipped: Cell<bool>,
}

impl<S: Service> Engine<S> {
    /// Without sessions. `worker` is the number of its thread.
    #[must_use]
    pub fn new(service: S, limits: Limits, worker: u8) -> Rc<Self> {
        Rc::new(Self {
            service,
            limits,
            worker,
            sessions: RefCell::default(),
            leaving: RefCell::default(),
            departed: RefCell::default(),
            swept: Cell::new(Instant::now()),
            skipped: Cell::new(false),
        })
    }

    /// Begins a session that polls. Answers it and the body of the first answer.
    pub fn open_polling(&self, request: S::Request) -> (Rc<Session<S>>, String) {
        let session = self.open(request, Outbox::to_polls(self.limits.outbox));
        let body = self.handshake(&session, &[Transport::Websocket]);
        (session, body)
    }

    /// Begins a session on a WebSocket.
    pub fn open_socket(&self, request: S::Request, outbox: Rc<Outbox>) -> Rc<Session<S>> {
        let session = self.open(request, outbox);
        let open = self.handshake(&session, &[]);
        session.outbox.send(&crate::protocol::frame::text(&open));
        session
    }

    fn open(&self, request: S::Request, outbox: Rc<Outbox>) -> Rc<Session<S>> {
        let sid: Rc<str> = self.new_sid().into();
        let session = Rc::new(Session {
            sid: Rc::clone(&sid),
            request,
            outbox,
            state: self.service.open(&self.limits),
            opened: Instant::now(),
            probe: Cell::default(),
            used: Cell::new(false),
            ended: Cell::new(false),
        });
        self.sessions.borrow_mut().insert(sid, Rc::clone(&session));
        session
    }

    fn new_sid(&self) -> String {
        let random: [u8; 15] = rand::random();
        format!("{:02x}{}", self.worker, URL_SAFE_NO_PAD.encode(random))
    }

    fn handshake(&self, session: &Session<S>, upgrades: &[Transport]) -> String {
        let handshake = Handshake {
            sid: &session.sid,
            upgrades,
            ping_interval: self.limits.ping_interval,
            ping_timeout: self.limits.ping_timeout,
            max_payload: self.limits.max_payload,
        };
        let mut open = String::new();
        handshake.put(&mut open);
        open
    }

    /// How many sessions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.borrow().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends a session from this side.
    pub fn close(&self, session: &Rc<Session<S>>) {
        session.outbox.close(1000, "");
        self.end(session);
    }

    /// A session is over; what still waits for it may leave.
    pub fn end(&self, session: &Rc<Session<S>>) {
        if session.ended.replace(true) {
            return;
        }
        self.sessions.borrow_mut().remove(&session.sid);
        if session.outbox.is_closing() && !session.outbox.is_aborted() {
            self.leaving.borrow_mut().push(Rc::clone(&session.outbox));
        }
        if let Some(probe) = session.probe.take() {
            probe.outbox.abort();
        }
        self.service.close(session);
    }

    /// Takes one packet of a session.
    ///
    /// # Errors
    /// It breaks the protocol, and the session is closed.
    pub fn packet(&self, session: &Rc<Session<S>>, packet: Packet<'_>) -> Result<(), Broken> {
        if session.ended.get() || session.outbox.is_closing() {
            return Err(Broken);
        }
        let taken = match packet {
            Packet::Message(text) => self.service.text(session, text),
            Packet::Binary(bytes) => self.service.binary(session, bytes),
            Packet::Pong(_) => {
                session.outbox.pulse.hear(Instant::now());
                Ok(())
            }
            Packet::Close => {
                self.depart(session);
                Ok(())
            }
            // "the server sends a ping packet": one from the client is of another version of the protocol.
            Packet::Ping(_) | Packet::Open(_) => Err(Broken),
            Packet::Upgrade | Packet::Noop => Ok(()),
        };
        if taken.is_err() {
            self.close(session);
        }
        taken
    }

    /// The client says good-bye. A poll that waits, or comes a moment later, ends with a noop.
    fn depart(&self, session: &Rc<Session<S>>) {
        if session.outbox.wire() == Wire::Polling {
            if session.outbox.is_polled() {
                session.send(&[Packet::Noop]);
            } else {
                self.departed.borrow_mut().insert(Rc::clone(&session.sid), Instant::now());
            }
        }
        self.close(session);
    }
}
