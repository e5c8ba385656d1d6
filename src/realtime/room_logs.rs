//! What was lately said in rooms, for sessions that were away meanwhile.
//!
//! Not for: what those hear who come in, who were never there (`talk`).

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{announcement::Announcement, place::ENTRY, rooms::Room};

/// How long a session may be away, as in the reference server.
pub(super) const MAX_AWAY: Duration = Duration::from_secs(120);
/// Messages of a room that are kept.
pub(super) const MAX_SAID: usize = 200;
/// Bytes of all that was said, of all rooms. Beyond it the room with the most is forgotten.
pub(super) const BUDGET: usize = 8 << 20;

/// What was said in all rooms.
#[derive(Default)]
pub(super) struct RoomLogs {
    pub(super) rooms: HashMap<Room, RoomLog>,
    pub(super) bytes: usize,
    next: u64,
    /// What was said until then, in whichever room, may have been missed.
    missed: Option<Instant>,
}

#[derive(Default)]
pub(super) struct RoomLog {
    said: VecDeque<Said>,
    bytes: usize,
    /// What was said until then was forgotten to save memory.
    forgotten: Option<Instant>,
}

struct Said {
    at: Instant,
    /// Its place among what was said in all rooms.
    number: u64,
    /// The session that it does not go to.
    except: u64,
    announcement: Arc<Announcement>,
}

impl RoomLogs {
    /// Keeps what is said in a room, to all but one session.
    pub(super) fn add(&mut self, room: &Room, except: u64, announcement: Arc<Announcement>, now: Instant) {
        let bytes = ENTRY + announcement.size();
        let log = self.rooms.entry(room.clone()).or_default();
        log.said.push_back(Said { at: now, number: self.next, except, announcement });
        log.bytes += bytes;
        self.next += 1;
        self.bytes += bytes;
        while log.said.len() > MAX_SAID || log.begins_before(now) {
            self.bytes -= log.drop_oldest();
        }
        while self.bytes > BUDGET {
            let Some(log) = self.rooms.values_mut().max_by_key(|log| log.bytes) else { return };
            log.forgotten = log.said.back().map(|said| said.at);
            self.bytes -= log.bytes;
            (log.bytes, log.said) = (0, VecDeque::new());
        }
    }

    /// Something may have been said that is not here.
    pub(super) fn miss(&mut self, now: Instant) {
        self.missed = Some(now);
    }

    /// Whether all is kept that was said in these rooms since then.
    pub(super) fn is_whole(&self, rooms: &[Room], since: Instant) -> bool {
        let forgotten = rooms.iter().filter_map(|room| self.rooms.get(room)?.forgotten);
        forgotten.chain(self.missed).max().is_none_or(|forgotten| forgotten < since)
    }

    /// What a session did not hear of its rooms since then, in order.
    pub(super) fn missed(&self, rooms: &[Room], id: u64, since: Instant) -> Vec<Arc<Announcement>> {
        let logs = rooms.iter().filter_map(|room| self.rooms.get(room));
        let said = logs.flat_map(|log| &log.said);
        let mut missed: Vec<&Said> = said.filter(|said| said.at >= since && said.except != id).collect();
        missed.sort_unstable_by_key(|said| said.number);
        missed.into_iter().map(|said| Arc::clone(&said.announcement)).collect()
    }

    /// Forgets what was said before anyone who is away still left.
    pub(super) fn forget_old(&mut self, now: Instant) {
        let mut freed = 0;
        self.rooms.retain(|_, log| {
            while log.begins_before(now) {
                freed += log.drop_oldest();
            }
            let recently = log.forgotten.is_some_and(|forgotten| now.duration_since(forgotten) < MAX_AWAY);
            recently || !log.said.is_empty()
        });
        self.bytes -= freed;
    }
}

impl RoomLog {
    /// Whether its oldest message is too old to be missed by anyone.
    fn begins_before(&self, now: Instant) -> bool {
        self.said.front().is_some_and(|said| now.duration_since(said.at) > MAX_AWAY)
    }

    fn drop_oldest(&mut self) -> usize {
        let bytes = self.said.pop_front().map_or(0, |said| ENTRY + said.announcement.size());
        self.bytes -= bytes;
        bytes
    }
}
