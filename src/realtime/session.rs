//! One live connection: who it is, where it stands in the log, and its outbox.
//!
//! A session lives on one worker thread; everyone on that thread who needs it shares it by `Rc`.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Announcement, Batch, Page, Person, Registry, Room, announcement, replay};
use crate::{
    domain::{Offset, SessionId, Timestamp, UserId},
    outbox::{Drained, Outbox, Wire},
    protocol::{frame, sse},
    telemetry,
};

/// Why the server closes a session, as the close frame says it (CONTRACT §3, "Close codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// 1001: the server goes away; reconnect after so many milliseconds.
    GoingAway {
        /// A delay of this session's own, so that not all come back at once.
        delay_millis: u32,
    },
    /// The client broke the protocol.
    Protocol(frame::FrameError),
    /// 1003: a kind of message that is not taken here.
    Unsupported,
    /// 4008: no answer to a heartbeat; whoever comes back resumes.
    Silent,
    /// 4001: the log-in ended.
    LoggedOut,
    /// 4008: it took nothing for too long.
    TooSlow,
    /// 4029: it sent too much.
    TooManyMessages,
}

impl Close {
    /// The close code.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::GoingAway { .. } => 1001,
            Self::Protocol(error) => error.close_code(),
            Self::Unsupported => 1003,
            Self::LoggedOut => 4001,
            Self::Silent | Self::TooSlow => 4008,
            Self::TooManyMessages => 4029,
        }
    }

    /// The reason beside the code. For 1001 it is the delay in milliseconds before reconnecting, as a number.
    #[must_use]
    pub fn reason(self) -> String {
        match self {
            Self::GoingAway { delay_millis } => delay_millis.to_string(),
            Self::Protocol(error) => error.to_string(),
            Self::Unsupported => "only text is taken here".into(),
            Self::Silent => "no answer to a heartbeat".into(),
            Self::LoggedOut => "the log-in ended".into(),
            Self::TooSlow => "too slow".into(),
            Self::TooManyMessages => "too many messages".into(),
        }
    }
}

/// The log-in behind a session.
#[derive(Debug)]
pub struct Login {
    /// Its name; the session ends when it is revoked.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// What the account was called when the session began.
    pub nickname: Box<str>,
    /// The session ends no later.
    pub expires_at: Timestamp,
}

/// How a session gets notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feeding {
    /// It is not of the audience.
    Never,
    /// As they are broadcast.
    Live,
    /// It is to read on from the log as soon as its outbox has drained: it asked for the past, or could not keep up.
    Behind,
    /// It is reading on from the log.
    CatchingUp,
}

/// One live connection, or one namespace of it.
///
/// In the order of the fields: a fan-out reads the first four of every session, which should share a cache line.
#[repr(C)]
pub struct Session {
    /// The way out.
    pub outbox: Rc<Outbox>,
    /// Everything up to here was sent (or is not wanted).
    position: Cell<Offset>,
    /// When its client was told that it is disconnected on purpose.
    parted: Cell<Option<Instant>>,
    feeding: Cell<Feeding>,
    /// The viewer count it was told last.
    told_viewers: Cell<u32>,
    /// Orders of its client that wait for their answer.
    pub orders: Cell<u32>,
    /// Its number, unique in this process.
    pub id: u64,
    /// Its log-in; `None` for a guest. Replaced when the client brings a fresh token.
    login: Cell<Option<Rc<Login>>>,
    /// Who looks at pages through it.
    pub person: Person,
    registry: Rc<Registry>,
    pub(super) page: RefCell<Option<Page>>,
    pub(super) rooms: RefCell<Vec<Room>>,
}

impl Session {
    /// A session that has just shaken hands.
    #[must_use]
    pub fn new(
        registry: &Rc<Registry>,
        login: Option<Rc<Login>>,
        person: Person,
        outbox: Rc<Outbox>,
        feeding: Feeding,
    ) -> Rc<Self> {
        let session = Rc::new(Self {
            id: rand::random(),
            login: Cell::new(login),
            person,
            outbox,
            registry: Rc::clone(registry),
            feeding: Cell::new(feeding),
            position: Cell::new(registry.latest()),
            page: RefCell::default(),
            rooms: RefCell::default(),
            told_viewers: Cell::new(0),
            orders: Cell::new(0),
            parted: Cell::default(),
        });
        let observer: Weak<dyn Drained> = Rc::downgrade(&(Rc::clone(&session) as Rc<dyn Drained>));
        session.outbox.observe(observer);
        session
    }

    /// Its log-in; `None` for a guest.
    #[must_use]
    pub fn login(&self) -> Option<Rc<Login>> {
        let login = self.login.take();
        self.login.set(login.clone());
        login
    }

    /// The same account brings a fresh log-in: the session lasts as long as that.
    pub fn extend(&self, login: Rc<Login>) {
        self.login.set(Some(login));
    }

    /// Everything up to here was sent.
    #[must_use]
    pub fn position(&self) -> Offset {
        self.position.get()
    }

    /// Says from where on notifications are wanted.
    pub fn set_position(&self, position: Offset) {
        self.position.set(position);
    }

    /// How it gets notifications.
    #[must_use]
    pub fn feeding(&self) -> Feeding {
        self.feeding.get()
    }

    /// Changes how it gets notifications.
    pub fn set_feeding(&self, feeding: Feeding) {
        self.feeding.set(feeding);
    }

    /// The rooms that it is in.
    #[must_use]
    pub fn rooms(&self) -> Vec<Room> {
        self.rooms.borrow().clone()
    }

    /// Whether it is in a room.
    #[must_use]
    pub fn is_in(&self, room: &Room) -> bool {
        self.rooms.borrow().contains(room)
    }

    /// Begins to read on from the log when it is behind and nothing waits to be sent.
    pub fn read_on(self: &Rc<Self>) {
        if self.feeding.get() == Feeding::Behind && self.outbox.is_empty() && !self.is_closing() {
            self.feeding.set(Feeding::CatchingUp);
            let session = Rc::clone(self);
            actix_rt::spawn(async move { replay::catch_up(&session.registry.clone(), &session).await });
        }
    }

    /// Sends bytes of its own, an answer or a heartbeat, written down for its wire.
    pub fn send(&self, bytes: &Bytes) {
        if self.parted.get().is_none() {
            self.outbox.send(bytes);
        }
    }

    /// Tells what all hear. A session without room for it does without: this is not in the log, and the next one
    /// says it again.
    ///
    /// Answers whether it was sent.
    pub fn tell(&self, announcement: &Announcement) -> bool {
        let bytes = announcement.encoded(self.outbox.wire());
        let room = self.outbox.has_room(bytes.len());
        if room {
            self.send(bytes);
        }
        room
    }

    /// Tells how many people look at its page, unless it knows.
    pub fn tell_viewers(&self, count: usize, announcement: &Announcement) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if self.told_viewers.get() != count && self.tell(announcement) {
            self.told_viewers.set(count);
        }
    }

    /// It looks at another page, of which it knows nothing yet.
    pub(super) fn forget_viewers(&self) {
        self.told_viewers.set(0);
    }

    /// Sends what it has not seen of a batch. One without room is fed from the log from now on (D7: a cursor, not
    /// a buffer). Answers how many notifications were sent.
    pub fn deliver(self: &Rc<Self>, batch: &Batch) -> usize {
        let position = self.position.get();
        if self.feeding.get() != Feeding::Live || position >= batch.last() || self.is_closing() {
            return 0;
        }
        if position.0 + 1 < batch.first().0 {
            // What comes before the batch was pruned before it was told. The log knows, and says so.
            self.feeding.set(Feeding::Behind);
            self.read_on();
            return 0;
        }
        if self.push(batch) { usize::try_from(batch.last().0 - position.0).unwrap_or_default() } else { 0 }
    }

    /// As [`Session::deliver`], for whoever feeds it from the log.
    pub fn push(&self, batch: &Batch) -> bool {
        let bytes = batch.encoded_after(self.position.get(), self.outbox.wire());
        if !self.outbox.has_room(bytes.len()) {
            if self.feeding.replace(Feeding::Behind) == Feeding::Live {
                telemetry::session_lagged();
            }
            return false;
        }
        self.outbox.send(&bytes);
        self.position.set(batch.last());
        true
    }

    /// Says good-bye. The connection ends when the client has answered, or soon without.
    pub fn close(&self, why: Close) {
        if self.is_closing() {
            return;
        }
        telemetry::session_closed(why.code());
        if let (Close::LoggedOut, Wire::SocketIo | Wire::Polling) = (why, self.outbox.wire()) {
            // Without this packet the client of Socket.IO would come back at once, and again. It ends the connection
            // when it has read the packet; python-socketio reads it in another thread than the connection's end, so
            // that an end from here could come first.
            self.send(&announcement::disconnect(self.outbox.wire()));
            return self.parted.set(Some(Instant::now()));
        }
        if let (Close::GoingAway { delay_millis }, Wire::Sse) = (why, self.outbox.wire()) {
            self.send(&sse::retry(delay_millis));
        }
        if let (Close::GoingAway { .. } | Close::TooSlow, Wire::Polling) = (why, self.outbox.wire()) {
            // After a good-bye python-socketio would not come back; after a poll that fails every client does.
            return self.outbox.abort();
        }
        self.outbox.close(why.code(), &why.reason());
    }

    /// Ends the connection of a client that was told to do so and did not.
    pub fn part(&self, now: Instant, patience: Duration) {
        if self.parted.get().is_some_and(|since| now.duration_since(since) >= patience) {
            self.outbox.close(Close::LoggedOut.code(), &Close::LoggedOut.reason());
        }
    }

    /// Whether good-bye was said, or the connection is gone.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.parted.get().is_some() || self.outbox.is_closing() || self.outbox.is_aborted()
    }

    /// What names this session to its client.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{:016x}", self.id)
    }
}

impl Drained for Session {
    fn drained(self: Rc<Self>) {
        self.read_on();
    }
}
