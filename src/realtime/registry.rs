//! The sessions of one worker thread, by page, and everything that is done to all or some of them.
//!
//! The hub actor and the connections of the thread share it by `Rc`: joining and leaving cost no message.

use std::{
    cell::{Cell, Ref, RefCell},
    collections::{BTreeMap, HashMap, HashSet},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    announcement::{Announcement, Batch},
    rooms::{Room, Rooms},
    session::{NO_SLOT, Session},
    tally::Tally,
    viewers::{Page, Viewers},
    watchers::Watchers,
};
use crate::{
    domain::{Nickname, Offset, SessionId, UserId},
    outbox::Close,
};

/// How long an ended log-in is remembered, for handshakes that looked it up just before it ended.
const REVOKED_MEMORY: Duration = Duration::from_secs(60);

/// The sessions of one thread.
pub struct Registry {
    slots: RefCell<Slots>,
    pages: RefCell<HashMap<Page, Vec<usize>>>,
    members: RefCell<HashMap<Room, Vec<usize>>>,
    /// The slot of the session of each account that came last; each session knows the one before it, so that a session
    /// costs no more than this entry.
    accounts: RefCell<HashMap<UserId, u32>>,
    viewers: Arc<Viewers>,
    rooms: Arc<Rooms>,
    tally: Arc<Tally>,
    watchers: Watchers,
    revoked: RefCell<BTreeMap<SessionId, Instant>>,
    /// The newest publication that was broadcast here, or is being.
    latest: Cell<Offset>,
}

/// Sessions by a number that each keeps while it is here.
#[derive(Default)]
struct Slots {
    sessions: Vec<Option<Rc<Session>>>,
    free: Vec<usize>,
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new(viewers: Arc<Viewers>, rooms: Arc<Rooms>, tally: Arc<Tally>) -> Rc<Self> {
        Rc::new(Self {
            slots: RefCell::default(),
            pages: RefCell::default(),
            members: RefCell::default(),
            accounts: RefCell::default(),
            viewers,
            rooms,
            watchers: Watchers::new(Arc::clone(&tally)),
            tally,
            revoked: RefCell::default(),
            latest: Cell::default(),
        })
    }

    /// The newest publication that was broadcast here, or is being: a session that has seen it may be fed live.
    #[must_use]
    pub fn latest(&self) -> Offset {
        self.latest.get()
    }

    /// Sets where the log ends, before the first broadcast.
    pub fn start_at(&self, latest: Offset) {
        self.latest.set(latest);
    }

    /// The numbers of all threads.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Number of sessions.
    #[must_use]
    pub fn len(&self) -> usize {
        let slots = self.slots.borrow();
        slots.sessions.len() - slots.free.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a session. One whose log-in or key has just ended is closed at once.
    pub fn join(&self, session: &Rc<Session>) {
        let login = session.login();
        if session.ends_with(&self.revoked.borrow()) {
            session.close(Close::LoggedOut);
        }
        let mut slots = self.slots.borrow_mut();
        let slot = if let Some(slot) = slots.free.pop() {
            slots.sessions[slot] = Some(Rc::clone(session));
            slot
        } else {
            slots.sessions.push(Some(Rc::clone(session)));
            slots.sessions.len() - 1
        };
        session.slot.set(slot);
        self.tally.came(session.outbox.wire(), login.is_some());
        if let (Some(login), Ok(slot)) = (login, u32::try_from(slot)) {
            let before = self.accounts.borrow_mut().insert(login.user_id, slot);
            session.before.set(before.unwrap_or(NO_SLOT));
        }
    }

    /// Takes a session, which is still in its slot, out of those of its account.
    fn leave_account(&self, session: &Session) {
        let (Some(login), Ok(slot)) = (session.login(), u32::try_from(session.slot.get())) else { return };
        let mut accounts = self.accounts.borrow_mut();
        let Some(newest) = accounts.get_mut(&login.user_id) else { return };
        let before = session.before.replace(NO_SLOT);
        if *newest != slot {
            if let Some(after) = self.of_account(*newest).find(|other| other.before.get() == slot) {
                after.before.set(before);
            }
        } else if before == NO_SLOT {
            accounts.remove(&login.user_id);
        } else {
            *newest = before;
        }
    }

    /// The session of a slot and those of the same account that came before it.
    fn of_account(&self, newest: u32) -> impl Iterator<Item = Rc<Session>> {
        let mut next = newest;
        std::iter::from_fn(move || {
            let slots = self.slots.borrow();
            let session = slots.sessions.get(usize::try_from(next).ok()?)?.clone()?;
            next = session.before.get();
            Some(session)
        })
    }

    /// Sends an event to the sessions of an account.
    pub fn announce_to_account(&self, account: UserId, announcement: &Announcement) {
        let newest = self.accounts.borrow().get(&account).copied();
        for session in newest.into_iter().flat_map(|newest| self.of_account(newest)) {
            session.announce(announcement);
        }
    }

    /// Whether a log-in ended lately.
    #[must_use]
    pub fn is_revoked(&self, login: &SessionId) -> bool {
        self.revoked.borrow().contains_key(login)
    }

    /// Removes a session from its page, its rooms and the registry, and gives its permits back. Returns whether it was
    /// here.
    pub fn leave(&self, session: &Session) -> bool {
        self.leave_page(session);
        for room in session.rooms() {
            self.leave_room(session, &room);
        }
        self.leave_account(session);
        let slot = session.slot.replace(usize::MAX);
        let mut slots = self.slots.borrow_mut();
        let Some(left) = slots.sessions.get_mut(slot).and_then(Option::take) else { return false };
        slots.free.push(slot);
        drop(slots);
        left.release();
        self.watchers.end(session);
        self.tally.went(session.outbox.wire(), session.login().is_some());
        true
    }

    /// A session that polled goes on over a WebSocket.
    pub fn upgraded(&self, session: &Session) {
        let is_member = session.login().is_some();
        self.tally.went(session.came_by, is_member);
        self.tally.came(session.outbox.wire(), is_member);
    }

    /// A session asks to watch the figures; `false` when it does already. It is told nothing before it is admitted.
    pub fn ask_to_watch(&self, session: &Rc<Session>) -> bool {
        self.watchers.ask(session)
    }

    /// A session that asked may watch the figures.
    pub fn admit_watcher(&self, session: &Rc<Session>) {
        self.watchers.admit(session);
    }

    /// A session watches the figures no longer.
    pub fn end_watching(&self, session: &Session) {
        self.watchers.end(session);
    }

    /// Sends those who watch the figures.
    pub fn tell_watchers(&self, figures: &Announcement) {
        self.watchers.tell(figures);
    }

    /// A session now looks at a page; it is told at once how many others do.
    pub fn look_at(&self, session: &Session, page: Page) {
        if session.has_left() || session.page.borrow().as_ref() == Some(&page) {
            return;
        }
        // Come before going: a person who moves between two pages is never nowhere.
        let count = self.viewers.come(session.person, &page);
        self.leave_page(session);
        self.pages.borrow_mut().entry(page.clone()).or_default().push(session.slot.get());
        session.page.replace(Some(page));
        session.forget_viewers();
        session.announce_viewers(count, &Announcement::viewers(count));
    }

    fn leave_page(&self, session: &Session) {
        let Some(page) = session.page.take() else { return };
        self.viewers.go(session.person, &page);
        remove(&mut self.pages.borrow_mut(), &page, session.slot.get());
    }

    /// A session joins a room. Returns how many are in it now; `None` when it was in it already.
    pub fn enter_room(&self, session: &Session, room: &Room) -> Option<usize> {
        if session.has_left() || session.is_in(room) {
            return None;
        }
        session.rooms.borrow_mut().push(room.clone());
        self.members.borrow_mut().entry(room.clone()).or_default().push(session.slot.get());
        Some(self.rooms.come(room, session.id, &session.chat_name()))
    }

    /// A session leaves a room. Returns how many are left; `None` when it was not in it.
    pub fn leave_room(&self, session: &Session, room: &Room) -> Option<usize> {
        let index = session.rooms.borrow().iter().position(|other| other == room)?;
        session.rooms.borrow_mut().swap_remove(index);
        remove(&mut self.members.borrow_mut(), room, session.slot.get());
        Some(self.rooms.go(room, session.id))
    }

    /// How many sessions are in a room, on all threads.
    #[must_use]
    pub fn room_count(&self, room: &Room) -> usize {
        self.rooms.count(room)
    }

    /// What the first `most` sessions of a room are called, on all threads.
    #[must_use]
    pub fn room_names(&self, room: &Room, most: usize) -> Vec<Box<str>> {
        self.rooms.names(room, most)
    }

    /// A session may be called otherwise now: its rooms know it by that.
    pub fn tell_name(&self, session: &Session) {
        for room in session.rooms.borrow().iter() {
            self.rooms.rename(room, session.id, &session.chat_name());
        }
    }

    /// Sends an event to a room, except to one session.
    pub fn announce_to_room(&self, room: &Room, except: u64, announcement: &Announcement) {
        let members = self.members.borrow();
        let slots = self.slots.borrow();
        for slot in members.get(room).into_iter().flatten() {
            let session = slots.sessions.get(*slot).and_then(Option::as_ref);
            if let Some(session) = session.filter(|session| session.id != except) {
                session.announce(announcement);
            }
        }
    }

    /// Sends the people who look at a page how many they are.
    pub fn announce_viewers(&self, page: &Page, count: usize, announcement: &Announcement) {
        let pages = self.pages.borrow();
        let slots = self.slots.borrow();
        for slot in pages.get(page).into_iter().flatten() {
            if let Some(session) = slots.sessions.get(*slot).and_then(Option::as_ref) {
                session.announce_viewers(count, announcement);
            }
        }
    }

    /// A batch begins to be broadcast: a session that joins from now on and has seen less reads it from the log.
    pub fn begin(&self, batch: &Batch) {
        self.latest.set(batch.last());
        for account in batch.owners() {
            let newest = self.accounts.borrow().get(&account).copied();
            for session in newest.into_iter().flat_map(|newest| self.of_account(newest)) {
                session.expect_own(account, batch);
            }
        }
    }

    /// Number of slots, taken or free. It only grows.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots.borrow().sessions.len()
    }

    /// The slots of a range, taken or free, as far as there are any.
    pub(super) fn range(&self, range: std::ops::Range<usize>) -> Ref<'_, [Option<Rc<Session>>]> {
        Ref::map(self.slots.borrow(), |slots| {
            let end = range.end.min(slots.sessions.len());
            &slots.sessions[range.start.min(end)..end]
        })
    }

    /// Calls `act` for the sessions in a range of the slots; returns whether there are slots beyond it.
    pub fn each(&self, range: std::ops::Range<usize>, act: impl FnMut(&Rc<Session>)) -> bool {
        let end = range.end;
        self.range(range).iter().flatten().for_each(act);
        end < self.slots()
    }

    /// Accounts have taken nicknames: their sessions go by them from now on, and guests who called themselves so, or so
    /// that it looks like it, are nameless again.
    pub fn rename(&self, named: &HashMap<UserId, Nickname>) {
        self.each(0..usize::MAX, |session| {
            let is_renamed = match session.login() {
                Some(login) => {
                    let name = named.get(&login.user_id).filter(|name| name.as_str() != &*login.nickname);
                    if let Some(name) = name {
                        session.log_in(login.renamed(name));
                    }
                    name.is_some()
                }
                None => session.give_up_name(|own| named.values().any(|name| name.is_like(own))),
            };
            if is_renamed {
                self.tell_name(session);
            }
        });
    }

    /// Closes the sessions of log-ins and keys that have ended.
    pub fn revoke(&self, ended: &HashSet<SessionId>, now: Instant) {
        let mut revoked = self.revoked.borrow_mut();
        revoked.retain(|_, at| now.duration_since(*at) < REVOKED_MEMORY);
        revoked.extend(ended.iter().map(|id| (*id, now)));
        self.each(0..usize::MAX, |session| {
            if session.ends_with(&revoked) {
                session.close(Close::LoggedOut);
            }
        });
    }
}

/// Removes a session from a group; the group goes with its last.
fn remove<K: std::hash::Hash + Eq>(groups: &mut HashMap<K, Vec<usize>>, key: &K, slot: usize) {
    if let Some(slots) = groups.get_mut(key) {
        if let Some(index) = slots.iter().position(|other| *other == slot) {
            slots.swap_remove(index);
        }
        if slots.is_empty() {
            groups.remove(key);
        }
    }
}
