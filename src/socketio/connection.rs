//! One Engine.IO connection, which the protocol document calls a session, and the service that runs over it.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::{
    limits::{Purse, TokenBucket},
    outbox::Outbox,
    protocol::engineio::Packet,
};

/// What an engine grants its connections.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one message or of one poll's body.
    pub max_payload: usize,
    /// The same before the service has called [`Connection::set_used`].
    pub unused_payload: usize,
    /// Time for the body of a poll's POST to come.
    pub body_timeout: Duration,
    /// Time for a message to come, from its first byte to its last attachment.
    pub message_timeout: Duration,
    /// Packets a second, of whatever kind; twice as many at once.
    pub packet_rate: u32,
    /// Time for the service to call [`Connection::set_used`]; `None` when it never does.
    pub connect_timeout: Option<Duration>,
}

/// A request that may begin a connection.
pub struct Admitted<R> {
    /// What the service is told of it.
    pub request: R,
    /// A cookie to set.
    pub cookie: Option<String>,
    /// The account whose credentials all that belongs to the connection must bring; `None` asks for none.
    pub owner: Option<i64>,
    /// On whose account its bytes are.
    pub purse: Purse,
}

/// The accounts whose credentials a request brings: of cookies there may be several.
pub type Owners = Vec<i64>;

/// What runs over an engine's connections.
pub trait Service: Sized + 'static {
    /// What is known from the request that began a connection.
    type Request: 'static;
    /// What the service keeps of a connection.
    type State: 'static;

    /// A connection begins.
    fn open(&self, limits: &Limits) -> Self::State;
    /// A text message came.
    ///
    /// # Errors
    /// It breaks the protocol: the connection is closed.
    fn text(&self, connection: &Rc<Connection<Self>>, text: &str) -> Result<(), Violation>;
    /// A binary message came.
    ///
    /// # Errors
    /// It breaks the protocol: the connection is closed.
    fn binary(&self, connection: &Rc<Connection<Self>>, bytes: Bytes) -> Result<(), Violation>;
    /// Whether a connection that is not used yet made room for another.
    fn is_given_up(&self, _: &Self::Request) -> bool {
        false
    }
    /// A connection that polled goes on over a WebSocket.
    fn upgraded(&self, _: &Connection<Self>) {}
    /// The connection is over.
    fn closed(&self, connection: &Rc<Connection<Self>>);
}

/// The client broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation;

/// One connection.
pub struct Connection<S: Service> {
    /// Its session id.
    pub sid: Rc<str>,
    /// What is known from the request that began it.
    pub request: S::Request,
    /// The account whose credentials its requests must bring, see [`Admitted`].
    pub(super) owner: Option<i64>,
    /// The way out, and its life.
    pub outbox: Rc<Outbox>,
    /// What the service keeps of it.
    pub state: S::State,
    opened: Instant,
    /// The outbox of a WebSocket that wants to take over from polls.
    probe: Cell<Option<Rc<Outbox>>>,
    /// The client has tested it, see [`Engine::probed`](super::engine::Engine::probed).
    pub(super) probed: Cell<bool>,
    /// Its last poll came by another node, which has not said yet that the client has the answer.
    pub(super) is_carried: Cell<bool>,
    /// The poll that came before that was said.
    pub(super) early: Cell<Option<Asked>>,
    used: Cell<bool>,
    /// See [`Limits::packet_rate`].
    packets: Cell<TokenBucket>,
    /// The service was told that it is over.
    pub(super) ended: Cell<bool>,
}

/// A poll.
pub(super) struct Asked {
    /// Who waits for its answer.
    pub(super) answer: oneshot::Sender<Bytes>,
    /// Whether that is another node.
    pub(super) is_carried: bool,
}

/// Seconds' worth of packets that may come at once.
const BURST_SECONDS: u8 = 2;

impl<S: Service> Connection<S> {
    pub(super) fn new(
        sid: Rc<str>,
        (request, owner): (S::Request, Option<i64>),
        outbox: Rc<Outbox>,
        state: S::State,
        packet_rate: u32,
    ) -> Rc<Self> {
        let opened = Instant::now();
        Rc::new(Self {
            sid,
            request,
            owner,
            outbox,
            state,
            opened,
            packets: Cell::new(TokenBucket::new(packet_rate, BURST_SECONDS, opened)),
            probe: Cell::default(),
            probed: Cell::new(false),
            is_carried: Cell::new(false),
            early: Cell::default(),
            used: Cell::new(false),
            ended: Cell::new(false),
        })
    }

    /// Sends packets, all in one write.
    pub fn send(&self, packets: &[Packet<'_>]) {
        self.outbox.send(&self.outbox.wire().packets(packets));
    }

    /// Whether it is over, or its network connection is gone.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ended.get() || self.outbox.is_gone()
    }

    /// Time since it began.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// The service has found a use for it, see [`Limits::connect_timeout`].
    pub fn set_used(&self) {
        self.used.set(true);
    }

    /// Counts a packet; `false` when it is one too many.
    pub(super) fn take_packet(&self) -> bool {
        let mut packets = self.packets.get();
        let taken = packets.take(Instant::now());
        self.packets.set(packets);
        taken
    }

    pub(super) fn is_used(&self) -> bool {
        self.used.get()
    }

    pub(super) fn probe(&self) -> Option<Rc<Outbox>> {
        let probe = self.probe.take();
        self.probe.set(probe.clone());
        probe
    }

    pub(super) fn set_probe(&self, probe: Option<Rc<Outbox>>) -> Option<Rc<Outbox>> {
        self.probed.set(false);
        self.probe.replace(probe)
    }

    pub(super) fn is_upgrading(&self) -> bool {
        self.probe().is_some()
    }
}
