//! One client on one connection: its way out, where it is in the log, who it is, what it looks at, and what it may do.
//!
//! A session lives on one worker thread and is shared there by `Rc`.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::BTreeMap,
    num::NonZeroU8,
    rc::Rc,
};

use bytes::Bytes;

use super::{
    announcement::{Announcement, Batch},
    portion::Portion,
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
            feeding: Cell::new(if new.feeding == Feeding::Live { live(new.digest) } else { new.feeding }),
            digest: new.digest,
            owns: Cell::new(false),
            is_masked: new.is_masked,
            language: new.language,
            told_viewers: Cell::new(0),
            id: new.id,
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

    /// A guest is nameless again, if its name is one of those.
    pub fn give_up_name(&self, is_one: impl FnOnce(&Nickname) -> bool) {
        let own = self.guest_name.take();
        self.guest_name.set(own.filter(|name| !is_one(name)));
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

    /// It is up to date and gets publications as they are broadcast.
    pub fn go_live(&self) {
        if self.feeding.replace(live(self.digest)) == Feeding::Behind {
            telemetry::session_lags(false);
        }
    }

    fn fall_behind(&self) -> Delivery {
        self.feeding.set(Feeding::Behind);
        telemetry::session_lags(true);
        Delivery::FellBehind
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

    /// Sends what it has not seen of a batch that is broadcast. A session without room is followed from now on
    /// (docs/design/0007-slow-consumers.md: a cursor, not a buffer).
    pub fn deliver(&self, batch: &Batch) -> Delivery {
        let position = self.position.get();
        if self.feeding.get() != Feeding::Live || position >= batch.last() || !self.outbox.is_open() {
            return if self.feeding.get() == Feeding::Digested {
                self.deliver_few(batch)
            } else {
                Delivery::Sent(0)
            };
        }
        if position.0 + 1 < batch.first().0 {
            // What comes before the batch was pruned before it was broadcast. The log knows, and tells the gap.
            return self.fall_behind();
        }
        if !self.push(batch) {
            telemetry::session_lagged();
            return self.fall_behind();
        }
        Delivery::Sent(usize::try_from(batch.last().0 - position.0).unwrap_or_default())
    }

    /// Sends as many of a batch that is broadcast as may be told each by itself this second.
    fn deliver_few(&self, batch: &Batch) -> Delivery {
        let position = self.position.get();
        if position >= batch.last() || !self.outbox.is_open() {
            return Delivery::Sent(0);
        }
        let each_to = self.digest.map_or(batch.last(), |most| batch.each_to(most.get()));
        if position.0 + 1 < batch.first().0 || each_to <= position {
            return Delivery::Held(0);
        }
        if !self.push_portion(batch, Portion { after: position, each_to, to: each_to }) {
            telemetry::session_lagged();
            return self.fall_behind();
        }
        let sent = usize::try_from(each_to.0 - position.0).unwrap_or_default();
        if each_to < batch.last() { Delivery::Held(sent) } else { Delivery::Sent(sent) }
    }

    /// Sends a digest of what was held back of a second that is over.
    pub(super) fn deliver_digest(&self, second: &Batch) -> Delivery {
        let position = self.position.get();
        if self.feeding.get() != Feeding::Digested || position >= second.last() || !self.outbox.is_open() {
            return Delivery::Sent(0);
        }
        if position.0 + 1 < second.first().0 {
            // The log knows what comes before.
            return self.fall_behind();
        }
        if !self.push_portion(second, Portion { after: position, each_to: position, to: second.last() }) {
            telemetry::session_lagged();
            return self.fall_behind();
        }
        Delivery::Sent(usize::try_from(second.last().0 - position.0).unwrap_or_default())
    }

    /// Whether something that was broadcast is held back from it.
    pub(super) fn is_held_back(&self, latest: Offset) -> bool {
        self.feeding.get() == Feeding::Digested && self.position.get() < latest
    }

    /// Sends what was read from the log, if there is room: as it is, or up to `each` publications, of which it takes off
    /// what it sends, and a digest of the rest.
    pub(super) fn push_read(&self, batch: &Batch, each: &mut i64) -> bool {
        if self.digest.is_none() {
            return self.push(batch);
        }
        let after = self.position.get();
        let each_to = Offset(after.0.saturating_add(*each)).min(batch.last());
        let is_sent = self.push_portion(batch, Portion { after, each_to, to: batch.last() });
        if is_sent {
            *each -= each_to.0 - after.0;
        }
        is_sent
    }

    /// How many publications that are read from the log may be told each by itself.
    pub(super) fn each_at_most(&self) -> i64 {
        self.digest.map_or(i64::MAX, |most| most.get().into())
    }

    fn push_portion(&self, batch: &Batch, portion: Portion) -> bool {
        let wire = self.outbox.wire();
        let bytes = if portion.each_to == batch.last() {
            // What everyone gets.
            batch.encoded_after(portion.after, wire, self.is_masked)
        } else {
            Cow::Owned(batch.encoded_portion(portion, wire, self.is_masked))
        };
        let has_room = self.outbox.has_room(bytes.len());
        if has_room {
            self.outbox.send(&bytes);
            self.position.set(portion.to);
        }
        has_room
    }

    /// A batch is about to be broadcast that has orders of its account. It is told of them in the same write, or now if
    /// it will not get the batch.
    pub(super) fn expect_own(&self, account: UserId, batch: &Batch) {
        if self.feeding.get() == Feeding::Live && self.position.get() < batch.first() {
            self.owns.set(true);
        } else {
            for told in batch.own_of(account) {
                self.announce(told);
            }
        }
    }

    /// Sends what it has not seen of a batch, if there is room.
    pub(super) fn push(&self, batch: &Batch) -> bool {
        let (position, wire) = (self.position.get(), self.outbox.wire());
        let account = if self.owns.take() { self.login().map(|login| login.user_id) } else { None };
        let bytes = match account {
            Some(account) => Cow::Owned(batch.encoded_with_own(account, position, wire)),
            None => batch.encoded_after(position, wire, self.is_masked),
        };
        let has_room = self.outbox.has_room(bytes.len());
        if has_room {
            self.outbox.send(&bytes);
            self.position.set(batch.last());
        }
        has_room
    }

    /// Tells the client that what came after an offset and before `oldest` can no longer be told, and goes on from there.
    pub fn tell_gap(&self, after: Offset, oldest: Offset) {
        telemetry::gap();
        self.send(Announcement::gap(after, oldest).encoded(self.outbox.wire()));
        self.position.set(Offset(oldest.0 - 1));
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

/// How a session is fed that is up to date.
fn live(digest: Option<NonZeroU8>) -> Feeding {
    if digest.is_some() { Feeding::Digested } else { Feeding::Live }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.feeding.get() == Feeding::Behind {
            telemetry::session_lags(false);
        }
    }
}
