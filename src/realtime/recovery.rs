//! What Socket.IO calls connection state recovery, beside the log: the rooms and the page of sessions whose connection
//! was lost, and what was said in the rooms meanwhile. Alerts need none of it, they are read from the log.
//!
//! One for all worker threads. It knows the sessions that are, or lately were, in a room or on a page; one that it does
//! not know was in none, so that there is nothing to put back. What it has to forget before its time it remembers as
//! forgotten, by id, and in the end by the second of their beginning: those are not told that they were recovered.
//!
//! Of several nodes none knows that a session which it never had was nowhere: see `nowhere`.

mod asking;
mod elsewhere;
pub mod nowhere;
mod restart;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use self::nowhere::Nowhere;
use super::{
    announcement::Announcement,
    place::Place,
    room_logs::{MAX_AWAY, RoomLogs},
    rooms::Room,
    viewers::Person,
};
use crate::domain::Timestamp;

/// Bytes of all sessions that are away. Beyond it those that left first are forgotten.
const AWAY_BUDGET: usize = 8 << 20;
/// Sessions that are remembered as forgotten by their ids.
const MAX_FORGOTTEN: usize = 65_536;
/// How long the end of a connection may take to be noticed whose client has just closed it.
pub const NOTICE: Duration = Duration::from_millis(50);
/// What stands where [`Recovery::keep`] leaves its text while sessions are placed that it does not know: after a crash
/// nobody is told that it was recovered who may have been somewhere. Of several nodes the first to have such a session writes it,
/// and the last to end, if that ends in order, replaces it.
pub const INCOMPLETE: &str = "incomplete";
/// Between two looks for what is too old.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// A session that comes back.
pub struct Return {
    /// What it was in.
    pub place: Place,
    /// What was said there meanwhile, in order.
    pub missed: Vec<Arc<Announcement>>,
}

struct Away {
    place: Place,
    /// What was said since then it has not heard.
    heard_until: Instant,
    left: Instant,
    left_at: Timestamp,
    /// The server was about to end: nothing was said to it that it could have missed.
    by_drain: bool,
    /// Another node has told it: what became of it since then has to be heard.
    is_told: bool,
}

#[derive(Default)]
struct State {
    /// Sessions that are connected and in a room or on a page, or were.
    placed: HashSet<u64>,
    /// Of these, until when those have heard all that are to be closed because their clients come back elsewhere.
    evicted: HashMap<u64, Instant>,
    away: HashMap<u64, Away>,
    /// In the order in which they left.
    leaving: VecDeque<(Instant, u64)>,
    away_bytes: usize,
    /// Sessions that come back right now.
    returning: HashMap<u64, Return>,
    forgotten: HashSet<u64>,
    forgetting: VecDeque<u64>,
    /// Sessions that began in this second (of Unix time) or before and are not known were perhaps forgotten.
    floor: u32,
    said: RoomLogs,
    /// When old messages were last looked for.
    swept: Option<Instant>,
    /// What outlives the process was marked as incomplete.
    is_marked: bool,
    /// Another node has marked it.
    is_marked_elsewhere: bool,
    /// Sessions of other nodes may come back here.
    is_shared: bool,
    /// Then those that are known to be in no room and on no page.
    nowhere: Nowhere,
}

/// What is known of a session that wants to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It was in no room and on no page.
    Nowhere,
    /// It is away and may have back what it had.
    Away,
    /// Its connection is open still, as far as is known here.
    Connected,
    /// It cannot be put back.
    Forgotten,
    /// Of several nodes this one does not know it.
    Unknown,
}

/// The sessions that may be put back.
#[derive(Default)]
pub struct Recovery(Mutex<State>);

impl Recovery {
    /// A session enters a room or looks at a page. Returns whether it is the first since the start: what is kept for the
    /// next start has to be marked then.
    pub fn place(&self, id: u64) -> bool {
        let mut state = self.state();
        state.placed.insert(id);
        state.nowhere.forget(id);
        !std::mem::replace(&mut state.is_marked, true)
    }

    /// A message goes to a room.
    pub fn said(&self, room: &Room, except: u64, announcement: &Arc<Announcement>, now: Instant) {
        let mut state = self.state();
        if !state.is_shared && state.placed.is_empty() && state.away.is_empty() {
            return;
        }
        state.said.add(room, except, Arc::clone(announcement), now);
    }

    /// A session that was in no room and on no page is no longer connected. Its client may have come back by another connection
    /// before that was noticed, and be somewhere by now.
    pub fn leave_nowhere(&self, id: u64) {
        let mut state = self.state();
        if !state.placed.contains(&id) {
            state.nowhere.leave(id, Instant::now());
        }
    }

    /// A session that was [placed](Self::place) is no longer connected. `place` is what it was in if it may have that back; it
    /// may not when its client left on purpose. Until `heard_until` it has heard what was said, unless it was evicted; returns
    /// until when, if it may come back.
    pub fn leave(
        &self,
        id: u64,
        place: Option<Place>,
        heard_until: Instant,
        clock: Timestamp,
        by_drain: bool,
    ) -> Option<Instant> {
        let mut state = self.state();
        let left = Instant::now();
        state.placed.remove(&id);
        let heard_until = state.evicted.remove(&id).unwrap_or(heard_until);
        let Some(place) = place else {
            state.forget(id);
            return None;
        };
        state.hold(id, Away { place, heard_until, left, left_at: clock, by_drain, is_told: false });
        state.expire(left);
        Some(heard_until)
    }

    /// Forgets what is too old, once a second. To be called now and then.
    pub fn sweep(&self, now: Instant) {
        let mut state = self.state();
        if state.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP_INTERVAL) {
            state.swept = Some(now);
            state.expire(now);
            state.said.forget_old(now);
        }
    }

    /// What is known of a session. Without `hears`, while other nodes cannot be heard, what they told before may not hold.
    #[must_use]
    pub fn known(&self, id: u64, person: Person, hears: bool) -> Known {
        let mut state = self.state();
        state.expire(Instant::now());
        if let Some(away) = state.away.get(&id) {
            let is_whole = state.said.is_whole(&away.place.rooms, away.heard_until);
            if away.is_told && !hears {
                return Known::Unknown;
            }
            return if is_whole && away.place.person == person { Known::Away } else { Known::Forgotten };
        }
        if state.placed.contains(&id) {
            return Known::Connected;
        }
        if state.forgotten.contains(&id) {
            return Known::Forgotten;
        }
        if state.is_shared {
            return if state.nowhere.has(id, hears) { Known::Nowhere } else { Known::Unknown };
        }
        if began(id) <= state.floor { Known::Forgotten } else { Known::Nowhere }
    }

    /// A session that is connected is to be closed, because its client comes back elsewhere. It has surely heard what was
    /// said until then.
    pub fn evict(&self, id: u64, heard_until: Instant) {
        let mut state = self.state();
        if state.placed.contains(&id) {
            state.evicted.insert(id, heard_until);
        }
    }

    /// A session that is away comes back; [`Recovery::take`] gives what it had.
    pub fn come_back(&self, id: u64) -> bool {
        let mut state = self.state();
        let Some(away) = state.remove_away(id) else { return false };
        let missed = state.said.missed(&away.place.rooms, id, away.heard_until);
        state.returning.insert(id, Return { place: away.place, missed });
        true
    }

    /// What a session gets back that has just come back.
    #[must_use]
    pub fn take(&self, id: u64) -> Option<Return> {
        self.state().returning.remove(&id)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A new id of a session: the second in which it begins, and 32 random bits.
#[must_use]
pub fn new_id(now: Timestamp) -> u64 {
    u64::from(second(now)) << 32 | u64::from(rand::random::<u32>())
}

/// A moment as sessions have it in their ids.
fn second(moment: Timestamp) -> u32 {
    u32::try_from(moment.as_secs()).unwrap_or_default()
}

fn began(id: u64) -> u32 {
    (id >> 32) as u32
}

impl State {
    fn hold(&mut self, id: u64, away: Away) {
        self.away_bytes += away.place.bytes();
        self.leaving.push_back((away.left, id));
        self.away.insert(id, away);
    }

    fn remove_away(&mut self, id: u64) -> Option<Away> {
        let away = self.away.remove(&id)?;
        self.away_bytes -= away.place.bytes();
        Some(away)
    }

    /// Forgets those that are away for too long, or are too many.
    fn expire(&mut self, now: Instant) {
        self.nowhere.expire(now);
        while let Some(&(left, id)) = self.leaving.front() {
            let is_here = self.away.get(&id).is_some_and(|away| away.left == left);
            let is_due = now.duration_since(left) > MAX_AWAY || self.away_bytes > AWAY_BUDGET;
            if is_here && !is_due {
                break;
            }
            self.leaving.pop_front();
            if is_here && self.remove_away(id).is_some() {
                self.forget(id);
            }
        }
    }

    fn forget(&mut self, id: u64) {
        self.nowhere.forget(id);
        if self.forgotten.insert(id) {
            self.forgetting.push_back(id);
        }
        if self.forgetting.len() > MAX_FORGOTTEN
            && let Some(oldest) = self.forgetting.pop_front()
        {
            self.forgotten.remove(&oldest);
            self.floor = self.floor.max(began(oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::room_logs::{BUDGET, MAX_SAID},
        *,
    };
    use crate::domain::UserId;

    pub(super) const KIM: Person = Person::Member(UserId(1));

    pub(super) fn place(room: &Room) -> Place {
        Place { person: KIM, rooms: vec![room.clone()], page: None, guest_name: None }
    }

    fn message(text: &str) -> Arc<Announcement> {
        Arc::new(Announcement::with_args("new_message", format!("\"{text}\",1")))
    }

    pub(super) fn clock() -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }

    #[test]
    fn who_was_away_gets_the_last_messages_of_its_rooms_and_nobody_else_does() {
        let (recovery, room, now) = (Recovery::default(), Room::parse("lobby").unwrap(), Instant::now());
        let id = new_id(clock());
        assert_eq!(recovery.known(id, KIM, true), Known::Nowhere);
        assert!(recovery.place(id));
        assert!(!recovery.place(id + 1));
        assert_eq!(recovery.known(id, KIM, true), Known::Connected);
        recovery.said(&room, 0, &message("heard"), now);
        recovery.leave(id, Some(place(&room)), now + Duration::from_millis(1), clock(), false);
        for n in 0..300 {
            recovery.said(&room, 0, &message(&n.to_string()), now + Duration::from_millis(2));
        }
        recovery.said(&room, id, &message("its own"), now + Duration::from_millis(2));
        assert_eq!(recovery.known(id, Person::Guest(1), true), Known::Forgotten);
        assert_eq!(recovery.known(id, KIM, true), Known::Away);
        assert!(recovery.come_back(id));
        let missed = recovery.take(id).unwrap().missed;
        assert_eq!(missed.len(), MAX_SAID - 1);
        assert_eq!(recovery.state().away_bytes, 0);
        assert!(!recovery.come_back(id), "once");
    }

    #[test]
    fn what_is_too_much_or_too_old_is_forgotten_and_remembered_as_that() {
        let (recovery, room) = (Recovery::default(), Room::parse("lobby").unwrap());
        let now = Instant::now();
        let (id, long) = (new_id(clock()), "x".repeat(50_000));
        recovery.place(id);
        recovery.leave(id, Some(place(&room)), now, clock(), false);
        for _ in 0..200 {
            recovery.said(&room, 0, &message(&long), now);
        }
        assert!(recovery.state().said.bytes <= BUDGET);
        assert_eq!(recovery.known(id, KIM, true), Known::Forgotten);
        recovery.sweep(now + MAX_AWAY * 2);
        let state = recovery.state();
        assert!(state.away.is_empty() && state.said.rooms.is_empty() && state.leaving.is_empty());
        assert_eq!((state.said.bytes, state.away_bytes), (0, 0));
        drop(state);
        assert_eq!(recovery.known(id, KIM, true), Known::Forgotten);
        for n in 1..=MAX_FORGOTTEN as u64 {
            recovery.state().forget(id + n);
        }
        assert!(!recovery.state().forgotten.contains(&id));
        assert_eq!(recovery.known(id, KIM, true), Known::Forgotten, "by the second of its beginning");
        assert_eq!(recovery.known(id + (1 << 32), KIM, true), Known::Nowhere);
    }
}
