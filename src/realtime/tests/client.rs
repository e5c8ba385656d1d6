//! A client: what it hears, checked against the log, and how it comes back.

use std::{
    future::poll_fn,
    num::NonZeroU8,
    os::{fd::OwnedFd, unix::net::UnixStream},
    rc::Rc,
    task::Context,
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde_json::Value;
use tokio::{io::AsyncReadExt, net::TcpStream, sync::oneshot};

use super::world::{Table, World, canceled_by};
use crate::{
    domain::{Language, Offset},
    limits::{Purse, SessionLimits},
    outbox::{Close, OutboxLimits, Sweeper, Wire},
    protocol::frame,
    realtime::{Announcement, Feeding, NewSession, Person, Registry, Session},
};

/// What may wait for a session, in bytes: two or three alerts.
const LIMIT: usize = 300;
/// A frame that tells a client that it has read all there is.
const END: &str = "end";

/// Someone who listens, over one connection after another.
#[derive(Default)]
pub(super) struct Client {
    /// What it would name to resume: the last alert, or with Socket.IO the last `offset`.
    cursor: Option<i64>,
    /// The alert that has to come next.
    next: i64,
    /// It is told bursts as digests.
    wants_digests: bool,
    connection: Option<Connection>,
}

struct Connection {
    worker: usize,
    registry: Rc<Registry>,
    session: Rc<Session>,
    poll: Option<oneshot::Receiver<Bytes>>,
    socket: Option<TcpStream>,
}

impl Client {
    pub(super) fn is_at(&self, worker: usize) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.worker == worker)
    }

    /// Comes, or comes back to where it stopped, as the handshakes of each wire do it.
    pub(super) fn connect(&mut self, world: &World, worker: usize, wire: Wire, digest: Option<u8>) {
        if self.connection.is_some() {
            return;
        }
        let registry = world.registry(worker);
        let is_socketio = matches!(wire, Wire::Polling | Wire::SocketIo);
        // Where too little is kept, a Socket.IO client is told that nothing is recovered.
        let reached = |after: &i64| !is_socketio || after + 1 >= world.log.oldest();
        let after = self.cursor.filter(reached);
        let feeding = if after.is_some() { Feeding::Behind } else { Feeding::Live };
        let sweeper = sweeper();
        let (outbox, socket) = match wire {
            Wire::Polling => (sweeper.to_polls(Purse::free()), None),
            Wire::Sse => (sweeper.to_stream(Box::new(|| {}), Purse::free()), None),
            Wire::Native | Wire::SocketIo => {
                let (ours, theirs) = sockets();
                (sweeper.to_socket(ours, wire, Purse::free()), Some(theirs))
            }
        };
        let session = Session::new(NewSession {
            id: rand::random(),
            outbox: Rc::clone(&outbox),
            login: None,
            person: Person::Guest(1),
            is_masked: false,
            language: Language::English,
            feeding,
            digest: digest.and_then(NonZeroU8::new),
            position: after.map_or(registry.latest(), Offset),
            limits: SessionLimits::new(1, Instant::now()),
            permits: Vec::new(),
        });
        self.next = session.position().0 + 1;
        self.wants_digests = digest.is_some();
        registry.join(&session);
        if is_socketio {
            session.send(Announcement::offset(session.position()).encoded(outbox.wire()));
        } else {
            self.cursor = Some(session.position().0);
        }
        world.follower(worker).follow(&session);
        self.connection = Some(Connection { worker, registry, session, poll: None, socket });
    }

    /// Loses the connection and what was on its way.
    pub(super) fn cut(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.session.close(Close::Lost);
            connection.registry.leave(&connection.session);
        }
    }

    pub(super) async fn read(&mut self, log: &Table) {
        let Some(connection) = &mut self.connection else { return };
        let outbox = Rc::clone(&connection.session.outbox);
        let events = match outbox.wire() {
            Wire::Polling => connection.read_poll().map(|body| payload(&body)),
            Wire::Sse => {
                let context = Context::from_waker(std::task::Waker::noop());
                match outbox.poll_body(&context) {
                    std::task::Poll::Ready(body) => body.map(|body| stream(&body)),
                    std::task::Poll::Pending => None,
                }
            }
            Wire::Native | Wire::SocketIo => Some(connection.read_socket().await),
        };
        for event in events.unwrap_or_default() {
            self.hear(&event, log);
        }
    }

    pub(super) async fn upgrade(&mut self, log: &Table) {
        let polls = |connection: &mut Connection| connection.session.outbox.wire() == Wire::Polling;
        if !self.connection.as_mut().is_some_and(polls) {
            return;
        }
        let (ours, theirs) = sockets();
        // The poll that waits is answered before the client goes on, with nothing if there is nothing.
        if self.connection.as_ref().is_some_and(|connection| connection.poll.is_some()) {
            self.read(log).await;
        }
        if let Some(connection) = &mut self.connection {
            connection.session.outbox.upgrade(ours);
            connection.poll = None;
            connection.socket = Some(theirs);
        }
    }

    fn hear(&mut self, (name, payload): &(String, Value), log: &Table) {
        match name.as_str() {
            "BUY_GOODS" | "BUY_CANCELED" | "BUY_DIGEST" => {
                let end = |of: &str| payload[of].as_i64().or(payload["id"].as_i64()).unwrap();
                let (from, to) = (end("from"), end("to"));
                if name == "BUY_DIGEST" {
                    check_digest(from, to, payload["count"].as_i64().unwrap());
                }
                self.leave_out(from);
                assert_eq!(from, self.next, "the log's sequence");
                self.next = to + 1;
                let wire = self.connection.as_ref().map(|connection| connection.session.outbox.wire());
                if matches!(wire, Some(Wire::Native | Wire::Sse)) {
                    self.cursor = Some(self.next - 1);
                }
            }
            "offset" => {
                let offset: i64 = payload.as_str().unwrap().parse().unwrap();
                assert_eq!(offset, self.next - 1, "the offset belongs to the alert before it");
                self.cursor = Some(offset);
            }
            "gap" => {
                self.leave_out(payload["after"].as_i64().unwrap() + 1);
                assert_eq!(payload["after"], self.next - 1);
                let oldest = payload["oldest"].as_i64().unwrap();
                assert!(self.next < oldest && oldest <= log.oldest(), "only what was pruned is left out");
                self.next = oldest;
            }
            other => panic!("{other}"),
        }
    }

    /// Whether it has heard all there is, or is away.
    pub(super) fn is_up_to(&self, latest: i64) -> bool {
        self.connection.as_ref().is_none_or(|Connection { session, .. }| match session.feeding() {
            Feeding::Live => self.next == latest + 1,
            // What comes last may be what was bought and canceled at once.
            Feeding::Digested => session.position().0 == latest,
            Feeding::Behind | Feeding::Never => false,
        })
    }

    /// Who wants digests is told nothing of what was bought and canceled within one burst.
    fn leave_out(&mut self, next: i64) {
        if !self.wants_digests {
            return;
        }
        for id in self.next..next {
            let is_canceled = canceled_by(id + 3) == Some(id);
            assert!(is_canceled || canceled_by(id).is_some(), "{id} is left out before {next}");
        }
        self.next = self.next.max(next);
    }
}

/// What was canceled within the burst may or may not have been in it.
fn check_digest(from: i64, to: i64, count: i64) {
    let bought: Vec<_> = (from..=to).filter(|id| canceled_by(*id).is_none()).collect();
    let kept = bought.iter().filter(|id| canceled_by(**id + 3).is_none()).count();
    let counts = i64::try_from(kept).unwrap()..=i64::try_from(bought.len()).unwrap();
    assert!(from < to && count >= 2 && counts.contains(&count), "{count} of {from} to {to}");
}

/// A session and its registry hold each other until it leaves.
impl Drop for Client {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Connection {
    /// The answer to the poll that waits; when none does, another poll begins.
    fn read_poll(&mut self) -> Option<Bytes> {
        if self.poll.is_none() {
            let (answer, answered) = oneshot::channel();
            assert!(self.session.outbox.poll(answer));
            self.poll = Some(answered);
        }
        let body = self.poll.as_mut()?.try_recv().ok()?;
        self.poll = None;
        Some(body)
    }

    /// All that waits leaves, and is read up to a mark behind it.
    async fn read_socket(&mut self) -> Vec<(String, Value)> {
        self.session.send(&frame::text(END));
        poll_fn(|context| self.session.outbox.poll_flush(context)).await.unwrap();
        let (socket, mut events) = (self.socket.as_mut().unwrap(), Vec::new());
        loop {
            let mut head = [0; 2];
            socket.read_exact(&mut head).await.unwrap();
            let length = match head[1] {
                126 => usize::from(socket.read_u16().await.unwrap()),
                short => usize::from(short),
            };
            let mut text = vec![0; length];
            socket.read_exact(&mut text).await.unwrap();
            match text.strip_prefix(b"42") {
                _ if text == END.as_bytes() => return events,
                Some(packet) => events.push(serde_json::from_slice(packet).unwrap()),
                None => {
                    let envelope: Value = serde_json::from_slice(&text).unwrap();
                    events.push((envelope["type"].as_str().unwrap().to_owned(), envelope["payload"].clone()));
                }
            }
        }
    }
}

fn sweeper() -> Rc<Sweeper> {
    let hour = Duration::from_hours(1);
    Sweeper::new(OutboxLimits { bytes: LIMIT, ping_interval: hour, ping_timeout: hour, stall_timeout: hour })
}

/// The Socket.IO events of a poll's answer.
fn payload(body: &[u8]) -> Vec<(String, Value)> {
    let packets = std::str::from_utf8(body).unwrap().split('\x1e');
    packets.map(|packet| serde_json::from_str(packet.strip_prefix("42").unwrap()).unwrap()).collect()
}

/// The Server-Sent Events of a part of a stream, whose ids say what their data says.
fn stream(body: &[u8]) -> Vec<(String, Value)> {
    let field = |event: &str, name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
    };
    let events = std::str::from_utf8(body).unwrap().split_terminator("\n\n");
    events
        .map(|event| {
            let data: Value = serde_json::from_str(&field(event, "data:").unwrap()).unwrap();
            if let Some(id) = field(event, "id:") {
                let offset = if data["to"].is_null() { &data["id"] } else { &data["to"] };
                assert_eq!(offset.to_string(), id);
            }
            (field(event, "event:").unwrap(), data)
        })
        .collect()
}

/// Both ends of a connection. A pair of sockets without an address: as many connections as cases run out of ports.
fn sockets() -> (TcpStream, TcpStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let stream = |socket: UnixStream| {
        socket.set_nonblocking(true).unwrap();
        TcpStream::from_std(OwnedFd::from(socket).into()).unwrap()
    };
    (stream(ours), stream(theirs))
}
