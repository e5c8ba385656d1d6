//! Many sessions on one epoll.

use std::{
    net::TcpStream,
    rc::Rc,
    time::{Duration, Instant},
};

use rustix::{
    event::{Timespec, epoll},
    fd::OwnedFd,
    io::Errno,
    net::RecvFlags,
};

use super::{counters::Counters, resume::CatchUp, session::Session, target::Target};
use crate::{Result, stop::Stop};

/// Handshakes under way: fewer than any server's backlog.
const OPENING: usize = 100;
/// What a session that has no connection yet waits for.
const OPENS: epoll::EventFlags = epoll::EventFlags::IN.union(epoll::EventFlags::OUT);
/// The longest wait until anything arrives on any session.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Sessions and what they received.
pub struct Fleet {
    epoll: OwnedFd,
    sessions: Vec<Option<Session>>,
    /// Over all sessions.
    pub counters: Counters,
    /// Whether a session that the server ends is counted and set aside; otherwise it ends the measurement.
    pub tolerant: bool,
    ended: Vec<(usize, Session)>,
    buffer: Vec<u8>,
    events: Vec<epoll::Event>,
    stop: Stop,
}

impl Fleet {
    /// No sessions yet.
    ///
    /// # Errors
    /// There is no epoll.
    pub fn new(stop: &Stop) -> Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            sessions: Vec::new(),
            counters: Counters::default(),
            tolerant: false,
            ended: Vec::new(),
            buffer: vec![0; 256 * 1024],
            events: Vec::with_capacity(1024),
            stop: stop.clone(),
        })
    }

    /// Opens sessions and waits until all are let in. The first gets the number [`Fleet::len`] had before.
    ///
    /// # Errors
    /// The server refuses one, or lets none in for a minute.
    pub fn open(&mut self, target: &Target, count: usize) -> Result<()> {
        let target = Rc::new(target.clone());
        self.open_each((0..count).map(|_| Rc::clone(&target)))
    }

    /// As [`Fleet::open`], each with a target of its own: sessions that come back have stopped at different places.
    ///
    /// # Errors
    /// As there.
    pub fn open_each(&mut self, mut targets: impl ExactSizeIterator<Item = Rc<Target>>) -> Result<()> {
        let wanted = self.counters.ready + targets.len();
        let mut opened = self.counters.ready;
        while self.counters.ready < wanted {
            while opened - self.counters.ready < OPENING
                && let Some(target) = targets.next()
            {
                self.begin_one(&target)?;
                opened += 1;
            }
            let ready = self.counters.ready;
            self.until("sessions are let in", |counters| counters.ready > ready)?;
        }
        Ok(())
    }

    /// Begins one session and does not wait until it is let in. Answers its number.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn begin_one(&mut self, target: &Rc<Target>) -> Result<usize> {
        let number = self.sessions.len();
        let session = self.open_one(target, number)?;
        self.sessions.push(Some(session));
        Ok(number)
    }

    /// Places for so many sessions, each of which is begun with [`Fleet::reopen`].
    pub fn reserve(&mut self, count: usize) {
        self.sessions.resize_with(count, || None);
    }

    /// Begins a session in the place of one that has ended, with the ids that its client has seen by then, and looks
    /// how long it takes to get those up to and with `latest`. Does not wait until it is let in.
    ///
    /// # Errors
    /// Nobody listens; what was seen is given back.
    pub fn reopen(
        &mut self,
        number: usize,
        target: &Rc<Target>,
        seen: Vec<u64>,
        latest: u64,
    ) -> std::result::Result<(), Vec<u64>> {
        let since = Instant::now();
        let Ok(mut session) = self.open_one(target, number) else { return Err(seen) };
        let last = seen.last().copied().or(target.after);
        session.catching_up = last.and_then(|last| CatchUp::new(last, latest, since));
        session.ids = seen;
        self.sessions[number] = Some(session);
        Ok(())
    }

    fn open_one(&self, target: &Rc<Target>, number: usize) -> Result<Session> {
        let session = Session::open(target, number)?;
        let flags = if session.is_connecting() { OPENS } else { epoll::EventFlags::IN };
        epoll::add(&self.epoll, &session.stream, data_of(number), flags)?;
        Ok(session)
    }

    /// Breaks a session off, without a word to the server: its socket is closed with a reset when the answer is dropped.
    pub fn close(&mut self, number: usize) -> Option<Session> {
        self.sessions.get_mut(number)?.take()
    }

    /// The sessions that the server has ended since the last call, when [`Fleet::tolerant`], with their numbers.
    pub fn take_ended(&mut self) -> Vec<(usize, Session)> {
        std::mem::take(&mut self.ended)
    }

    /// One session, while it is there.
    #[must_use]
    pub fn session(&self, number: usize) -> Option<&Session> {
        self.sessions.get(number)?.as_ref()
    }

    /// How many sessions were opened.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// The sessions that are still there.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().flatten()
    }

    /// Drops all connections; what they received stays counted.
    pub fn drop_all(&mut self) {
        self.sessions.clear();
        self.counters.ready = 0;
    }

    /// Forgets what was counted: the next order is the first.
    pub fn begin(&mut self) {
        self.counters.clear();
        for session in self.sessions.iter_mut().flatten() {
            session.alerts = 0;
        }
    }

    /// Orders on a session's WebSocket, now.
    ///
    /// # Errors
    /// The session is gone.
    pub fn order(&mut self, session: usize) -> Result<()> {
        let session = self.sessions.get(session).and_then(Option::as_ref).ok_or("the session is gone")?;
        self.counters.sent.push(Instant::now());
        session.order()
    }

    /// Sends a text on a session's WebSocket.
    ///
    /// # Errors
    /// The session is gone.
    pub fn say(&mut self, session: usize, text: &str) -> Result<()> {
        let session = self.sessions.get(session).and_then(Option::as_ref).ok_or("the session is gone")?;
        session.say(text)
    }

    /// Reads until something holds.
    ///
    /// # Errors
    /// Nothing arrived for a minute, a session was ended, or a signal came.
    pub fn until(&mut self, what: &str, done: impl Fn(&Counters) -> bool) -> Result<()> {
        let mut heard = Instant::now();
        while !done(&self.counters) {
            if self.pump(Duration::from_millis(100))? > 0 {
                heard = Instant::now();
            } else if heard.elapsed() > TIMEOUT {
                let Counters { ready, alerts, acks, .. } = self.counters;
                return Err(format!(
                    "nothing arrived for {TIMEOUT:?} while waiting until {what} \
                     ({ready} sessions ready, {alerts} alerts, {acks} acks)"
                )
                .into());
            }
        }
        Ok(())
    }

    /// Reads at most so many sessions at once, so that whoever shares the thread gets its turn.
    pub fn set_batch(&mut self, sessions: usize) {
        self.events = Vec::with_capacity(sessions);
    }

    /// Reads for so long.
    ///
    /// # Errors
    /// A session was ended, or a signal came.
    pub fn run_for(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.pump(left.min(Duration::from_millis(100)))?;
        }
        Ok(())
    }

    /// Waits for something to arrive and reads it; on how many sessions it did.
    ///
    /// # Errors
    /// A session was ended, or a signal came.
    pub fn pump(&mut self, at_most: Duration) -> Result<usize> {
        self.stop.check()?;
        let timeout = Timespec::try_from(at_most)?;
        self.events.clear();
        let mut events = std::mem::take(&mut self.events);
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let read = events.iter().try_for_each(|event| self.read(event.data.u64() as usize));
        let arrived = events.len();
        self.events = events;
        read.map(|()| arrived)
    }

    fn read(&mut self, index: usize) -> Result<()> {
        let Some(session) = self.sessions.get_mut(index).and_then(Option::as_mut) else { return Ok(()) };
        let acks = self.counters.acks;
        let opened = if session.is_connecting() { send_opening(&self.epoll, session, index) } else { Ok(()) };
        let taken = match opened.and_then(|()| receive(&session.stream, &mut self.buffer)) {
            Ok(None) => return Ok(()),
            // Level-triggered: should there be more, epoll tells again.
            Ok(Some(length)) => session.take(&self.buffer[..length], &mut self.counters),
            Err(error) => Err(error),
        };
        for _ in acks..self.counters.acks {
            self.counters.answered.push(index);
        }
        if taken.is_err() && self.tolerant {
            self.counters.lost += 1;
            self.ended.extend(self.sessions[index].take().map(|session| (index, session)));
            return Ok(());
        }
        taken
    }
}

fn data_of(number: usize) -> epoll::EventData {
    epoll::EventData::new_u64(number as u64)
}

/// Lets a session whose connection is there ask to be let in. From then on only what arrives is of interest.
fn send_opening(epoll: &OwnedFd, session: &mut Session, number: usize) -> Result<()> {
    session.send_opening()?;
    if !session.is_connecting() {
        epoll::modify(epoll, &session.stream, data_of(number), epoll::EventFlags::IN)?;
    }
    Ok(())
}

/// What has arrived; nothing if epoll was wrong.
fn receive(stream: &TcpStream, buffer: &mut [u8]) -> Result<Option<usize>> {
    match rustix::net::recv(stream, buffer, RecvFlags::empty()) {
        Ok((0, _)) => Err("the server closed a connection".into()),
        Ok((length, _)) => Ok(Some(length)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(error) => Err(format!("the server broke a connection off: {error}").into()),
    }
}
