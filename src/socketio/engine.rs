//! Engine.IO 4: sessions that begin with a poll or a WebSocket, may go from one to the other, and live while they
//! answer pings. What their messages say is for a [`Service`].
//!
//! What is quoted comes from `docs/engine.io-protocol/v4-current.md` of socketio/socket.io.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use tokio::sync::oneshot;

use crate::{
    protocol::{
        engineio::{self, ErrorCode, Handshake, Packet, Transport},
        engineio_frame,
    },
    realtime::{Beat, Outbox, outbox::Wire},
};

/// The most packets of one poll's body: the smallest are two bytes with their separator.
const MAX_PACKETS: usize = 65_536;
/// How long a session that is being upgraded keeps an idle poll before ending it with a noop: long enough for the
/// packet that completes the upgrade to arrive first when it was sent first, over another connection.
const UPGRADE_POLL: Duration = Duration::from_millis(20);
/// How long an upgrade may take, as in the reference server.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);
/// For how long a poll that crossed the client's own good-bye is still answered.
const FAREWELL: Duration = Duration::from_secs(1);
/// Time between good-bye and dropping a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

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
        self.outbox.send(bytes);
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

    /// How finely pings and timeouts are kept: finer than they can be told from the outside.
    #[must_use]
    pub fn sweep_every(&self) -> Duration {
        let finest = self.limits.ping_interval.min(self.limits.ping_timeout) / 32;
        finest.clamp(Duration::from_millis(2), Duration::from_secs(1))
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
        session.outbox.send(crate::protocol::frame::text(&open));
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

    fn find(&self, sid: &str) -> Option<Rc<Session<S>>> {
        let session = self.sessions.borrow().get(sid).cloned()?;
        // A session whose time is up does not live until the next round, unless it was this thread that was late.
        let now = Instant::now();
        if now.saturating_duration_since(self.swept.get()) < self.limits.ping_timeout {
            self.beat(&session, now);
        }
        (!session.ended.get()).then_some(session)
    }

    /// Looks after all sessions.
    pub fn sweep(&self, now: Instant) {
        let since_last = now.saturating_duration_since(self.swept.replace(now));
        if since_last > self.sweep_every() * 4 && !self.skipped.replace(true) {
            // This thread was held up, and answers to pings may lie unread: they come first.
            return;
        }
        self.skipped.set(false);
        self.departed.borrow_mut().retain(|_, at| now.duration_since(*at) < FAREWELL);
        self.leaving.borrow_mut().retain(|outbox| {
            if outbox.closing_since().is_some_and(|since| now.duration_since(since) >= CLOSE_TIMEOUT) {
                outbox.abort();
            }
            !outbox.is_aborted()
        });
        let sessions: Vec<_> = self.sessions.borrow().values().cloned().collect();
        for session in sessions {
            self.look_after(&session, now);
        }
    }

    fn look_after(&self, session: &Rc<Session<S>>, now: Instant) {
        let since =
            |moment: Option<Instant>| moment.map(|moment| now.duration_since(moment)).unwrap_or_default();
        if session.outbox.is_aborted() || since(session.outbox.closing_since()) >= CLOSE_TIMEOUT {
            session.outbox.abort();
            return self.end(session);
        }
        let probing = session.probe().map(|probe| probe.since);
        if since(probing) >= UPGRADE_TIMEOUT
            && let Some(probe) = session.probe.take()
        {
            session.outbox.pulse.hear(now);
            probe.outbox.abort();
        }
        let unused = !session.used.get();
        if unused
            && self.limits.connect_timeout.is_some_and(|limit| now.duration_since(session.opened) >= limit)
        {
            return self.close(session);
        }
        if self.limits.stall_timeout.is_some_and(|limit| since(session.outbox.stalled_since()) >= limit) {
            return self.close(session);
        }
        self.beat(session, now);
    }

    fn beat(&self, session: &Rc<Session<S>>, now: Instant) {
        if session.is_upgrading() || session.outbox.is_closing() {
            return;
        }
        let reachable = session.outbox.wire() != Wire::Polling || session.outbox.is_polled();
        match session.outbox.pulse.beat(now, self.limits.ping_interval, self.limits.ping_timeout, reachable) {
            Beat::Quiet => {}
            Beat::Ask => session.send(&[Packet::Ping("")]),
            Beat::Dead => self.close(session),
        }
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

/// Polling.
impl<S: Service> Engine<S> {
    /// Takes a poll; it is answered when there is something to say, or dropped when the session goes another way.
    ///
    /// # Errors
    /// No such session, or one that does not poll, or polls already: then it is closed.
    pub fn poll(&self, sid: &str, answer: oneshot::Sender<Bytes>) -> Result<(), ErrorCode> {
        let Some(session) = self.find(sid) else {
            let crossed = self.departed.borrow_mut().remove(sid).is_some();
            let noop = Bytes::from_static(b"6");
            return if crossed && answer.send(noop).is_ok() {
                Ok(())
            } else {
                Err(ErrorCode::UnknownSession)
            };
        };
        if session.outbox.wire() != Wire::Polling {
            return Err(ErrorCode::BadRequest);
        }
        if session.outbox.is_abandoned() && !session.is_upgrading() {
            // The word of it is still on its way from another thread, see `poll_aborted`.
            session.outbox.abort();
            self.end(&session);
            return Err(ErrorCode::UnknownSession);
        }
        if !session.outbox.poll(answer) {
            self.close(&session);
            return Err(ErrorCode::BadRequest);
        }
        if session.is_upgrading() {
            actix_rt::spawn(async move {
                tokio::time::sleep(UPGRADE_POLL).await;
                release_poll(&session);
            });
        }
        Ok(())
    }

    /// A poll was given up by its client: "closes the session upon cancelled polling request" (test suite).
    pub fn poll_aborted(&self, sid: &str) {
        if let Some(session) = self.find(sid)
            && session.outbox.wire() == Wire::Polling
            && !session.is_upgrading()
            && !session.outbox.is_polled()
        {
            session.outbox.abort();
            self.end(&session);
        }
    }

    /// Takes the body of a POST.
    ///
    /// # Errors
    /// No such session, or one that does not poll; a body that breaks the protocol closes the session.
    pub fn post(&self, sid: &str, body: &[u8]) -> Result<(), ErrorCode> {
        // A pong that comes before the round that would have closed the session comes in time.
        let session = self.sessions.borrow().get(sid).cloned().ok_or(ErrorCode::UnknownSession)?;
        if session.outbox.wire() != Wire::Polling {
            return Err(ErrorCode::BadRequest);
        }
        let packets = std::str::from_utf8(body).ok().map(|text| engineio::decode_payload(text, MAX_PACKETS));
        let Some(Ok(packets)) = packets else {
            self.close(&session);
            return Err(ErrorCode::BadRequest);
        };
        for packet in packets {
            let last = packet == Packet::Close;
            self.packet(&session, packet).map_err(|Broken| ErrorCode::BadRequest)?;
            if last {
                break;
            }
        }
        Ok(())
    }
}

/// A poll must not hold up an upgrade: "noop packet to cleanly end the HTTP long-polling request" (test suite).
fn release_poll<S: Service>(session: &Session<S>) {
    if session.outbox.wire() == Wire::Polling && session.outbox.is_polled() {
        session.send(&[Packet::Noop]);
    }
}

/// The upgrade from polling to WebSocket.
impl<S: Service> Engine<S> {
    /// Whether there is such a session.
    #[must_use]
    pub fn knows(&self, sid: &str) -> bool {
        self.find(sid).is_some()
    }

    /// A WebSocket wants to take over from polls; `probe` is its way out until then. `None` when the session has a
    /// WebSocket already, or tries one.
    pub fn begin_upgrade(&self, sid: &str, probe: Rc<Outbox>) -> Option<Rc<Session<S>>> {
        let session = self.find(sid)?;
        if session.outbox.wire() != Wire::Polling || session.is_upgrading() || session.outbox.is_closing() {
            return None;
        }
        session.probe.set(Some(Rc::new(Probe { outbox: probe, since: Instant::now() })));
        Some(session)
    }

    /// The client tests the WebSocket: "2probe".
    pub fn probed(&self, session: &Session<S>) {
        if let Some(probe) = session.probe() {
            probe.outbox.send(engineio_frame(&Packet::Pong(engineio::PROBE)));
        }
        release_poll(session);
    }

    /// The client goes on over the WebSocket: "5".
    ///
    /// # Errors
    /// The session has ended meanwhile.
    pub fn finish_upgrade(&self, session: &Session<S>) -> Result<(), Broken> {
        let probe = session.probe.take().filter(|_| !session.ended.get()).ok_or(Broken)?;
        let socket = probe.outbox.socket().ok_or(Broken)?;
        session.outbox.pulse.hear(Instant::now());
        session.outbox.upgrade(socket);
        Ok(())
    }

    /// The WebSocket is gone before it took over; the session goes on polling.
    pub fn give_up_upgrade(&self, session: &Session<S>, probe: &Rc<Outbox>) {
        // Another may be tried by now.
        if session.probe().is_some_and(|current| Rc::ptr_eq(&current.outbox, probe)) {
            session.probe.take();
            session.outbox.pulse.hear(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Silent;

    impl Service for Silent {
        type Request = ();
        type State = ();

        fn open(&self, _: &Limits) {}

        fn text(&self, _: &Rc<Session<Self>>, _: &str) -> Result<(), Broken> {
            Ok(())
        }

        fn binary(&self, _: &Rc<Session<Self>>, _: Bytes) -> Result<(), Broken> {
            Ok(())
        }

        fn close(&self, _: &Rc<Session<Self>>) {}
    }

    fn engine() -> Rc<Engine<Silent>> {
        let limits = Limits {
            ping_interval: Duration::from_secs(3),
            ping_timeout: Duration::from_secs(2),
            max_payload: 1000,
            body_timeout: Duration::from_secs(1),
            outbox: 1000,
            connect_timeout: None,
            stall_timeout: None,
        };
        Engine::new(Silent, limits, 0)
    }

    /// Rounds as they come on an idle thread, up to this moment.
    fn rounds(engine: &Engine<Silent>, until: Instant) {
        while engine.swept.get() < until {
            engine.sweep((engine.swept.get() + engine.sweep_every()).min(until));
        }
    }

    #[test]
    fn whoever_polls_has_the_time_to_answer_from_when_the_ping_leaves() {
        let engine = engine();
        let start = engine.swept.get();
        let after = |millis| start + Duration::from_millis(millis);
        let (session, _) = engine.open_polling(());
        let (answer, mut ping) = oneshot::channel();
        assert_eq!(engine.poll(&session.sid, answer), Ok(()));
        // The thread is held up: it asks only now.
        engine.sweep(after(6000));
        rounds(&engine, after(6100));
        assert_eq!(ping.try_recv().unwrap(), "2");
        rounds(&engine, after(7900));
        assert!(!session.is_over());
        rounds(&engine, after(8300));
        assert!(session.is_over());
    }

    #[test]
    fn an_answer_that_lay_unread_while_the_thread_was_held_up_counts() {
        let engine = engine();
        let start = engine.swept.get();
        let after = |millis| start + Duration::from_millis(millis);
        let (answering, _) = engine.open_polling(());
        let (mute, _) = engine.open_polling(());
        rounds(&engine, after(3100));
        engine.sweep(after(5200));
        assert_eq!(engine.post(&answering.sid, b"3"), Ok(()));
        assert!(!answering.is_over() && !mute.is_over());
        engine.sweep(after(5200) + engine.sweep_every());
        assert!(mute.is_over());
    }

    #[test]
    fn a_poll_that_overtakes_the_word_that_one_was_given_up_finds_no_session() {
        let engine = engine();
        let (session, _) = engine.open_polling(());
        let (answer, given_up) = oneshot::channel();
        assert_eq!(engine.poll(&session.sid, answer), Ok(()));
        drop(given_up);
        let (answer, _waits) = oneshot::channel();
        assert_eq!(engine.poll(&session.sid, answer), Err(ErrorCode::UnknownSession));
        engine.poll_aborted(&session.sid);
        assert!(session.is_over() && engine.is_empty());
    }

    #[test]
    fn an_upgrade_that_is_given_up_leaves_a_later_one_alone() {
        let engine = engine();
        let (session, _) = engine.open_polling(());
        let probe = || Outbox::to_polls(1000);
        let (first, second) = (probe(), probe());
        assert!(engine.begin_upgrade(&session.sid, Rc::clone(&first)).is_some());
        assert!(engine.begin_upgrade(&session.sid, probe()).is_none(), "one at a time");
        session.probe.take();
        assert!(engine.begin_upgrade(&session.sid, Rc::clone(&second)).is_some());
        engine.give_up_upgrade(&session, &first);
        assert!(session.is_upgrading());
        engine.give_up_upgrade(&session, &second);
        assert!(!session.is_upgrading());
    }
}
