//! One client on one connection: its way out, where it is in the log, who it is, what it looks at, and what it may do.
//!
//! A session lives on one worker thread and is shared there by `Rc`. Not for: what it is told of the log (`feeding`).

mod feeding;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    num::NonZeroU8,
    rc::Rc,
};

use bytes::Bytes;

use super::{
    announcement::Announcement,
    rooms::Room,
    viewers::{Page, Person},
};
use crate::{
    domain::{Language, Nickname, Offset, SessionId, Timestamp, UserId},
    limits::{SessionLimits, SessionPermit},
    outbox::{Close, Outbox, Wire},
    telemetry,
};

/// What a guest is called in chat before it says otherwise.
const GUEST: &str = "guest";

/// No session's slot.
pub(super) const NO_SLOT: u32 = u32::MAX;

/// The log-in behind a session.
#[derive(Debug)]
pub struct Login {
    /// The session ends when this is revoked.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The account's nickname, as far as this thread has heard.
    pub nickname: Box<str>,
    /// The session ends no later.
    pub expires_at: Timestamp,
}

impl Login {
    /// The same log-in, of an account that has another nickname now.
    #[must_use]
    pub fn renamed(&self, nickname: &Nickname) -> Rc<Self> {
        let Self { id, user_id, expires_at, .. } = *self;
        Rc::new(Self { id, user_id, nickname: nickname.as_str().into(), expires_at })
    }
}

/// How a session gets publications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feeding {
    /// It is not in the audience.
    Never,
    /// As they are broadcast.
    Live,
    /// As they are broadcast, so many a second; the rest of a second as a digest.
    Digested,
    /// From the log, by the [`Follower`](super::Follower): it resumes, or could not keep up.
    Behind,
}

impl Feeding {
    /// Of a session that is up to date.
    fn live(digest: Option<NonZeroU8>) -> Self {
        if digest.is_some() { Self::Digested } else { Self::Live }
    }
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// So many publications were sent.
    Sent(usize),
    /// So many publications were sent; the rest is held back for a digest.
    Held(usize),
    /// The session is to be followed from now on: it has no room, or there is a hole before the batch.
    FellBehind,
}

/// What a session begins with.
pub struct NewSession {
    /// Its number, see [`new_id`](super::recovery::new_id); one that comes back keeps its own.
    pub id: u64,
    /// The way out.
    pub outbox: Rc<Outbox>,
    /// The log-in; `None` for a guest.
    pub login: Option<Rc<Login>>,
    /// Who looks at pages.
    pub person: Person,
    /// Whether names are masked for it that others are shown.
    pub is_masked: bool,
    /// In which it is told why something was refused.
    pub language: Language,
    /// How it gets publications.
    pub feeding: Feeding,
    /// How many alerts a second it is told each by itself; what exceeds that is told as a digest. `None`: all of them.
    pub digest: Option<NonZeroU8>,
    /// Everything up to here is not wanted.
    pub position: Offset,
    /// What it may do.
    pub limits: SessionLimits,
    /// Given back when it leaves.
    pub permits: Vec<SessionPermit>,
}

/// One client on one connection.
///
/// In the order of the fields: what a fan-out reads of every session comes first and shares a cache line, which an
/// assertion below holds.
#[repr(C)]
pub struct Session {
    /// The way out, and the session's life.
    pub outbox: Rc<Outbox>,
    /// Everything up to here was sent, or is not wanted.
    position: Cell<Offset>,
    feeding: Cell<Feeding>,
    /// What is broadcast next has orders of its account.
    owns: Cell<bool>,
    /// Whether names are masked for it that others are shown.
    is_masked: bool,
    /// In which it is told why something was refused.
    pub language: Language,
    /// The viewer count that it was told last.
    told_viewers: Cell<u32>,
    /// Its number, unique in this process.
    pub id: u64,
    /// Replaced when the client brings a fresh token.
    login: Cell<Option<Rc<Login>>>,
    /// Who looks at pages through it.
    pub person: Person,
    /// The wire by which it came.
    pub came_by: Wire,
    /// How many alerts a second it is told each by itself. Only what is [`Feeding::Digested`] is asked.
    digest: Option<NonZeroU8>,
    /// It is in a room or on a page, or was.
    was_placed: Cell<bool>,
    /// The slot of the account's session that came before it.
    pub(super) before: Cell<u32>,
    /// What it may do.
    pub limits: SessionLimits,
    /// The name that a guest chose for chat.
    guest_name: Cell<Option<Box<Nickname>>>,
    permits: Cell<Vec<SessionPermit>>,
    pub(super) slot: Cell<usize>,
    pub(super) page: RefCell<Option<Page>>,
    pub(super) rooms: RefCell<Vec<Room>>,
}

const _: () = assert!(std::mem::offset_of!(Session, id) <= 32, "a fan-out reads what lies before it");

impl Session {
    /// A session that has just shaken hands.
    #[must_use]
    pub fn new(new: NewSession) -> Rc<Self> {
        let session = Rc::new(Self {
            came_by: new.outbox.wire(),
            outbox: new.outbox,
            position: Cell::new(new.position),
            feeding: Cell::new(if new.feeding == Feeding::Live {
                Feeding::live(new.digest)
            } else {
                new.feeding
            }),
            digest: new.digest,
            owns: Cell::new(false),
            is_masked: new.is_masked,
            language: new.language,
            told_viewers: Cell::new(0),
            id: new.id,
            was_placed: Cell::new(false),
            before: Cell::new(NO_SLOT),
            login: Cell::default(),
            person: new.person,
            limits: new.limits,
            guest_name: Cell::default(),
            permits: Cell::new(new.permits),
            slot: Cell::new(usize::MAX),
            page: RefCell::default(),
            rooms: RefCell::default(),
        });
        if new.feeding == Feeding::Behind {
            telemetry::session_lags(true);
        }
        if let Some(login) = new.login {
            session.log_in(login);
        }
        session
    }

    /// Its log-in; `None` for a guest.
    #[must_use]
    pub fn login(&self) -> Option<Rc<Login>> {
        let login = self.login.take();
        self.login.set(login.clone());
        login
    }

    /// Sets its log-in, with which it ends.
    pub fn log_in(&self, login: Rc<Login>) {
        self.outbox.expire_at(login.expires_at);
        self.login.set(Some(login));
    }

    /// The name that a guest chose for chat.
    #[must_use]
    pub fn guest_name(&self) -> Option<Box<Nickname>> {
        let name = self.guest_name.take();
        self.guest_name.set(name.clone());
        name
    }

    /// A guest chooses a name for chat.
    pub fn name_guest(&self, name: Nickname) {
        self.guest_name.set(Some(Box::new(name)));
    }

    /// What it is called in chat: a member by the account's name, a guest by the one that it chose.
    #[must_use]
    pub fn chat_name(&self) -> Box<str> {
        match self.login() {
            Some(login) => login.nickname.clone(),
            None => self.guest_name().map_or_else(|| GUEST.into(), |name| name.as_str().into()),
        }
    }

    /// A guest is nameless again, if its name is one of those. Returns whether it was.
    pub fn give_up_name(&self, is_one: impl FnOnce(&Nickname) -> bool) -> bool {
        let own = self.guest_name.take();
        let gives_up = own.as_ref().is_some_and(|name| is_one(name));
        self.guest_name.set(own.filter(|_| !gives_up));
        gives_up
    }

    /// Everything up to here was sent.
    #[must_use]
    pub fn position(&self) -> Offset {
        self.position.get()
    }

    /// How it gets publications.
    #[must_use]
    pub fn feeding(&self) -> Feeding {
        self.feeding.get()
    }

    /// Notes that it enters a room or looks at a page.
    pub fn note_placed(&self) {
        self.was_placed.set(true);
    }

    /// Whether that was noted.
    #[must_use]
    pub fn was_placed(&self) -> bool {
        self.was_placed.get()
    }

    /// The rooms that it is in.
    #[must_use]
    pub fn rooms(&self) -> Vec<Room> {
        self.rooms.borrow().clone()
    }

    /// The page that it looks at.
    #[must_use]
    pub fn page(&self) -> Option<Page> {
        self.page.borrow().clone()
    }

    /// Whether it is in a room.
    #[must_use]
    pub fn is_in(&self, room: &Room) -> bool {
        self.rooms.borrow().contains(room)
    }

    /// Whether it ends with one of these: with its log-in, or with the key that it listens by. In order, because a session
    /// that listens knows only the mark of its key.
    #[must_use]
    pub(super) fn ends_with<T>(&self, ended: &BTreeMap<SessionId, T>) -> bool {
        if let Person::Listener(mark) = self.person {
            let next = ended.range(SessionId::least_with(mark)..).next();
            return next.is_some_and(|(id, _)| id.mark() == mark);
        }
        self.login().is_some_and(|login| ended.contains_key(&login.id))
    }

    /// Sends bytes of its own, an answer for example, encoded for its wire.
    pub fn send(&self, bytes: &Bytes) {
        self.outbox.send(bytes);
    }

    /// Sends what everyone gets. A session without room for it misses it: it is not in the log, and the next one says
    /// it again. Returns whether it was sent.
    pub fn announce(&self, announcement: &Announcement) -> bool {
        let bytes = announcement.encoded(self.outbox.wire());
        let has_room = self.outbox.has_room(bytes.len());
        if has_room {
            self.send(bytes);
        }
        has_room
    }

    /// Sends how many people look at its page, unless it knows.
    pub fn announce_viewers(&self, count: usize, announcement: &Announcement) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if self.told_viewers.get() != count && self.announce(announcement) {
            self.told_viewers.set(count);
        }
    }

    /// It looks at another page, of which it knows nothing yet.
    pub(super) fn forget_viewers(&self) {
        self.told_viewers.set(0);
    }

    /// Ends the session, see [`Outbox::close`].
    pub fn close(&self, why: Close) {
        self.outbox.close(why);
    }

    /// Whether it has left the registry, or never joined it.
    pub(super) fn has_left(&self) -> bool {
        self.slot.get() == usize::MAX
    }

    /// Gives its permits back.
    pub(super) fn release(&self) {
        self.permits.take();
    }

    /// What names this session to its client.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{:016x}", self.id)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.feeding.get() == Feeding::Behind {
            telemetry::session_lags(false);
        }
    }
}
