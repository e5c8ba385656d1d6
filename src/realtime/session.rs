//! One live connection: who it is, where it stands in the log, and its outbox.
//!
//! A session lives on one worker thread; everyone on that thread who needs it shares it by `Rc`.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Instant,
};

use bytes::Bytes;

use super::{Announcement, Batch, Outbox, Page, Person};
use crate::{
    domain::{Offset, SessionId, Timestamp, UserId},
    protocol::frame,
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
    /// 1008: no answer to a heartbeat.
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
            Self::Silent => 1008,
            Self::LoggedOut => 4001,
            Self::TooSlow => 4008,
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
    pub nickname: String,
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

/// One live connection.
pub struct Session {
    /// Its number, unique in this process.
    pub id: u64,
    /// Its log-in; `None` for a guest.
    pub login: Option<Login>,
    /// Who looks at pages through it.
    pub person: Person,
    /// The way out.
    pub outbox: Outbox,
    feeding: Cell<Feeding>,
    /// Everything up to here was sent (or is not wanted).
    position: Cell<Offset>,
    pub(super) page: RefCell<Option<Page>>,
    /// The viewer count it was told last.
    told_viewers: Cell<usize>,
    /// When it was last heard.
    heard: Cell<Instant>,
    /// When it was asked for a sign of life that has not come.
    asked: Cell<Option<Instant>>,
    closing: Cell<Option<Instant>>,
    aborted: Cell<bool>,
}

impl Session {
    /// A session that has just shaken hands.
    #[must_use]
    pub fn new(
        id: u64,
        login: Option<Login>,
        person: Person,
        outbox: Outbox,
        feeding: Feeding,
        now: Instant,
    ) -> Rc<Self> {
        Rc::new(Self {
            id,
            login,
            person,
            outbox,
            feeding: Cell::new(feeding),
            position: Cell::default(),
            page: RefCell::default(),
            told_viewers: Cell::new(0),
            heard: Cell::new(now),
            asked: Cell::default(),
            closing: Cell::default(),
            aborted: Cell::new(false),
        })
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

    /// Sends a frame of its own, an answer or a heartbeat.
    pub fn send(&self, frame: Bytes) {
        if !self.is_closing() {
            self.outbox.send(frame);
        }
    }

    /// Tells what all hear. A session without room for it does without: this is not in the log, and the next one
    /// says it again.
    pub fn tell(&self, announcement: &Announcement) {
        let frame = announcement.native();
        if self.outbox.has_room(frame.len()) {
            self.send(frame);
        }
    }

    /// Tells how many people look at its page, unless it knows.
    pub fn tell_viewers(&self, count: usize, announcement: &Announcement) {
        if self.told_viewers.replace(count) != count {
            self.tell(announcement);
        }
    }

    /// Sends what it has not seen of a batch. One without room is fed from the log from now on (D7: a cursor, not
    /// a buffer). Answers whether anything was sent.
    pub fn deliver(&self, batch: &Batch) -> bool {
        if self.feeding.get() != Feeding::Live || self.position.get() >= batch.last() || self.is_closing() {
            return false;
        }
        self.push(batch)
    }

    /// As [`Session::deliver`], for whoever feeds it from the log.
    pub fn push(&self, batch: &Batch) -> bool {
        let frames = batch.native_after(self.position.get());
        if !self.outbox.has_room(frames.len()) {
            self.feeding.set(Feeding::Behind);
            return false;
        }
        self.outbox.send(frames);
        self.position.set(batch.last());
        true
    }

    /// Notes that something came from the client.
    pub fn hear(&self, now: Instant) {
        self.heard.set(now);
        self.asked.set(None);
    }

    /// When it was last heard.
    #[must_use]
    pub fn heard(&self) -> Instant {
        self.heard.get()
    }

    /// Since when a sign of life is awaited.
    #[must_use]
    pub fn asked(&self) -> Option<Instant> {
        self.asked.get()
    }

    /// Asks for a sign of life. The time counts from when the ping was queued.
    pub fn ask(&self, now: Instant) {
        self.asked.set(Some(now));
        self.send(frame::PING);
    }

    /// Says good-bye. The connection ends when the client has answered, or soon without.
    pub fn close(&self, why: Close) {
        if self.is_closing() {
            return;
        }
        self.outbox.send(frame::close(why.code(), &why.reason()));
        self.closing.set(Some(Instant::now()));
        self.outbox.wake();
    }

    /// Whether good-bye was said.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.closing.get().is_some()
    }

    /// When good-bye was said.
    #[must_use]
    pub fn closing_since(&self) -> Option<Instant> {
        self.closing.get()
    }

    /// Drops the connection.
    pub fn abort(&self) {
        self.aborted.set(true);
        self.outbox.wake();
    }

    /// Whether the connection is to be dropped.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        self.aborted.get()
    }

    /// What names this session to its client.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{:x}", self.id)
    }
}
