//! The sessions of one worker thread, by page, and everything that is done to all or some of them.
//!
//! The hub actor and the connections of the thread share it by `Rc`: joining and leaving cost no message.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Announcement, Batch, Close, Log, Page, Room, Rooms, Session, Viewers, session::Feeding};
use crate::{
    domain::{Offset, SessionId, Timestamp},
    outbox::{Beat, Wire},
    protocol::{frame, sse},
    telemetry::{self, Backlog},
};

/// The times that the registry keeps.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Silence after which a session is pinged.
    pub ping_interval: Duration,
    /// Time for the answer.
    pub ping_timeout: Duration,
    /// How long a session may take nothing of what waits for it.
    pub stall_timeout: Duration,
}

/// "a comment at least every 15 s" (CONTRACT §3c).
const COMMENT_INTERVAL: Duration = Duration::from_secs(14);
/// Time between good-bye and dropping the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Time for a client to end the connection itself after it was told so.
const PART_TIMEOUT: Duration = Duration::from_millis(500);
/// How long an ended log-in is remembered, for handshakes that looked it up just before it ended.
const REVOKED_MEMORY: Duration = Duration::from_secs(60);

/// Sessions that are looked at before the first of them is dealt with. They lie apart in memory, and what is fetched for
/// one is fetched for all of them at the same time.
const AHEAD: usize = 16;

/// The sessions of one thread.
pub struct Registry {
    slots: RefCell<Slots>,
    pages: RefCell<HashMap<Page, Vec<usize>>>,
    members: RefCell<HashMap<Room, Vec<usize>>>,
    viewers: Arc<Viewers>,
    rooms: Arc<Rooms>,
    log: Log,
    revoked: RefCell<HashMap<SessionId, Instant>>,
    /// The newest notification that was broadcast here, or is being.
    latest: Cell<Offset>,
    /// What the last round has found.
    backlog: Cell<Backlog>,
    patience: Patience,
}

#[derive(Default)]
struct Slots {
    sessions: Vec<Option<Rc<Session>>>,
    free: Vec<usize>,
}

/// A place in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(usize);

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new(viewers: Arc<Viewers>, rooms: Arc<Rooms>, log: Log, patience: Patience) -> Rc<Self> {
        Rc::new(Self {
            slots: RefCell::default(),
            pages: RefCell::default(),
            members: RefCell::default(),
            viewers,
            rooms,
            log,
            revoked: RefCell::default(),
            latest: Cell::default(),
            backlog: Cell::default(),
            patience,
        })
    }

    /// The past.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The newest notification that was broadcast here, or is being: who has seen it may be fed live.
    #[must_use]
    pub fn latest(&self) -> Offset {
        self.latest.get()
    }

    /// Says where the log stands, before the first broadcast.
    pub fn start_at(&self, latest: Offset) {
        self.latest.set(latest);
    }

    /// How many sessions there are.
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

    /// Takes a session in. One whose log-in has just ended is closed at once.
    pub fn join(&self, session: Rc<Session>) -> Slot {
        let ended = session.login().is_some_and(|login| self.is_revoked(&login.id));
        if ended {
            session.close(Close::LoggedOut);
        }
        let mut slots = self.slots.borrow_mut();
        let slot = if let Some(slot) = slots.free.pop() {
            slots.sessions[slot] = Some(session);
            slot
        } else {
            slots.sessions.push(Some(session));
            slots.sessions.len() - 1
        };
        Slot(slot)
    }

    /// Whether a log-in ended lately.
    #[must_use]
    pub fn is_revoked(&self, login: &SessionId) -> bool {
        self.revoked.borrow().contains_key(login)
    }

    /// Lets a session go.
    pub fn leave(&self, Slot(slot): Slot) {
        let session = {
            let mut slots = self.slots.borrow_mut();
            let session = slots.sessions[slot].take();
            slots.free.push(slot);
            session
        };
        if let Some(session) = session {
            self.leave_page(&session, slot);
            for room in session.rooms() {
                self.leave_room(&session, Slot(slot), &room);
            }
        }
    }

    /// A session now looks at a page; it is told at once how many others do.
    pub fn look_at(&self, session: &Session, Slot(slot): Slot, page: Page) {
        if session.page.borrow().as_ref() == Some(&page) {
            return;
        }
        // Come before going: a person who moves between two pages is never nowhere.
        let count = self.viewers.come(session.person, &page);
        self.leave_page(session, slot);
        self.pages.borrow_mut().entry(page.clone()).or_default().push(slot);
        session.page.replace(Some(page));
        session.forget_viewers();
        session.tell_viewers(count, &Announcement::viewers(count));
    }

    fn leave_page(&self, session: &Session, slot: usize) {
        let Some(page) = session.page.take() else { return };
        self.viewers.go(session.person, &page);
        remove(&mut self.pages.borrow_mut(), &page, slot);
    }

    /// A session comes into a room. Answers how many are in it now; `None` when it was in it already.
    pub fn enter_room(&self, session: &Session, Slot(slot): Slot, room: &Room) -> Option<usize> {
        if session.is_in(room) {
            return None;
        }
        session.rooms.borrow_mut().push(room.clone());
        self.members.borrow_mut().entry(room.clone()).or_default().push(slot);
        Some(self.rooms.come(room))
    }

    /// A session leaves a room. Answers how many are left; `None` when it was not in it.
    pub fn leave_room(&self, session: &Session, Slot(slot): Slot, room: &Room) -> Option<usize> {
        let place = session.rooms.borrow().iter().position(|other| other == room)?;
        session.rooms.borrow_mut().swap_remove(place);
        remove(&mut self.members.borrow_mut(), room, slot);
        Some(self.rooms.go(room))
    }

    /// How many sessions are in a room, on all threads.
    #[must_use]
    pub fn room_count(&self, room: &Room) -> usize {
        self.rooms.count(room)
    }

    /// Tells those in a room, but for one.
    pub fn tell_room(&self, room: &Room, except: u64, announcement: &Announcement) {
        let members = self.members.borrow();
        let slots = self.slots.borrow();
        for slot in members.get(room).into_iter().flatten() {
            if let Some(session) = slots.sessions[*slot].as_ref().filter(|session| session.id != except) {
                session.tell(announcement);
            }
        }
    }

    /// Tells those who look at a page how many they are.
    pub fn tell_viewers(&self, page: &Page, count: usize, announcement: &Announcement) {
        let pages = self.pages.borrow();
        let slots = self.slots.borrow();
        for slot in pages.get(page).into_iter().flatten() {
            if let Some(session) = &slots.sessions[*slot] {
                session.tell_viewers(count, announcement);
            }
        }
    }

    /// Begins to broadcast a batch: from now on, who joins and has seen less reads it from the log.
    pub fn begin(&self, batch: &Batch) {
        self.latest.set(batch.last());
    }

    /// How many slots there are, taken or free. They only become more.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots.borrow().sessions.len()
    }

    /// Calls `act` for the sessions in a part of the slots; answers whether there are slots beyond it.
    pub fn each(&self, part: std::ops::Range<usize>, mut act: impl FnMut(&Rc<Session>)) -> bool {
        let slots = self.slots.borrow();
        let end = part.end.min(slots.sessions.len());
        for group in slots.sessions[part.start.min(end)..end].chunks(AHEAD) {
            let looked_at: usize = group.iter().flatten().map(|session| session.outbox.look()).sum();
            std::hint::black_box(looked_at);
            group.iter().flatten().for_each(&mut act);
        }
        end < slots.sessions.len()
    }

    /// Closes the sessions of log-ins that have ended.
    pub fn revoke(&self, ended: &HashSet<SessionId>, now: Instant) {
        let mut revoked = self.revoked.borrow_mut();
        revoked.retain(|_, at| now.duration_since(*at) < REVOKED_MEMORY);
        revoked.extend(ended.iter().map(|id| (*id, now)));
        self.each(0..usize::MAX, |session| {
            if session.login().is_some_and(|login| ended.contains(&login.id)) {
                session.close(Close::LoggedOut);
            }
        });
    }

    /// Looks after every session: heartbeats, expired log-ins, stalled ways out, good-byes without an answer.
    pub fn sweep(&self, now: Instant, clock: Timestamp) {
        let mut backlog = Backlog::default();
        self.each(0..usize::MAX, |session| {
            let outbox = &session.outbox;
            backlog.bytes += outbox.waiting();
            backlog.sessions +=
                usize::from(matches!(session.feeding(), Feeding::Behind | Feeding::CatchingUp));
            if outbox.closing_since().is_some_and(|since| now.duration_since(since) >= CLOSE_TIMEOUT) {
                outbox.abort();
            } else if session.is_closing() {
                session.part(now, PART_TIMEOUT);
            } else if session.login().is_some_and(|login| login.expires_at <= clock) {
                session.close(Close::LoggedOut);
            } else if outbox
                .stalled_since()
                .is_some_and(|since| now.duration_since(since) >= self.patience.stall_timeout)
            {
                session.close(Close::TooSlow);
            } else {
                self.beat(session, now);
            }
        });
        telemetry::backlog(self.backlog.replace(backlog), backlog);
    }

    fn beat(&self, session: &Session, now: Instant) {
        let Patience { ping_interval, ping_timeout, .. } = self.patience;
        match session.outbox.wire() {
            // Engine.IO has heartbeats of its own.
            Wire::SocketIo | Wire::Polling => {}
            Wire::Native => match session.outbox.pulse.beat(now, ping_interval, ping_timeout, true) {
                Beat::Quiet => {}
                Beat::Ask => session.send(&frame::PING),
                Beat::Dead => session.close(Close::Silent),
            },
            Wire::Sse => {
                if session.outbox.pulse.beat(now, COMMENT_INTERVAL, COMMENT_INTERVAL, true) != Beat::Quiet {
                    session.outbox.pulse.hear(now);
                    session.send(&sse::COMMENT);
                }
            }
        }
    }
}

/// Takes a session out of a group; the group goes with its last.
fn remove<K: std::hash::Hash + Eq>(groups: &mut HashMap<K, Vec<usize>>, key: &K, slot: usize) {
    if let Some(slots) = groups.get_mut(key) {
        if let Some(place) = slots.iter().position(|other| *other == slot) {
            slots.swap_remove(place);
        }
        if slots.is_empty() {
            groups.remove(key);
        }
    }
}
