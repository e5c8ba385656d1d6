//! What one process leaves to the next.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use super::{Away, Recovery, State, second};
use crate::{
    domain::Timestamp,
    realtime::kept::{Kept, KeptAway},
};

impl Recovery {
    /// Begins with what the process before has kept; nothing or [`INCOMPLETE`](super::INCOMPLETE) included.
    #[must_use]
    pub fn resume(text: &str, now: Instant, clock: Timestamp) -> Self {
        let mut state = State::default();
        let kept = if text.is_empty() { Some(Kept::default()) } else { serde_json::from_str(text).ok() };
        let Some(kept) = kept else {
            state.floor = second(clock);
            // The mark stands already, and goes with the next orderly end.
            state.is_marked = true;
            return Self(Mutex::new(state));
        };
        state.floor = kept.floor;
        kept.forgotten.into_iter().for_each(|id| state.forget(id));
        for kept in kept.away {
            let (id, left_at) = (kept.id, Timestamp::from_millis(kept.left_at));
            let ago =
                Duration::from_millis(u64::try_from(clock.as_millis() - kept.left_at).unwrap_or_default());
            let Some((place, left)) = kept.place().zip(now.checked_sub(ago)) else {
                state.forget(id);
                continue;
            };
            state.hold(id, Away { place, heard_until: now, left, left_at, by_drain: true, is_told: false });
        }
        kept.nowhere.into_iter().for_each(|id| state.nowhere.hear(id, now));
        state.expire(now);
        Self(Mutex::new(state))
    }

    /// What the next process has to know, when this one ends in order: the sessions that it told to come back. What was
    /// said in rooms is not kept, so that those are forgotten that were away before. Where other nodes go on, they know.
    #[must_use]
    pub fn keep(&self, clock: Timestamp) -> Option<String> {
        let mut state = self.state();
        if !state.is_marked {
            // Nothing has changed since the start, but for time.
            return None;
        }
        for id in std::mem::take(&mut state.placed) {
            state.forget(id);
        }
        let before: Vec<u64> =
            state.away.iter().filter(|(_, away)| !away.by_drain).map(|(id, _)| *id).collect();
        for id in before {
            state.away.remove(&id);
            state.forget(id);
        }
        let away = state.away.iter().map(|(id, away)| KeptAway::of(*id, &away.place, away.left_at)).collect();
        let forgotten = state.forgetting.iter().copied().collect();
        // Of several nodes one may have died with sessions that this one knows nothing of.
        let floor = if state.is_shared { second(clock) } else { state.floor };
        let kept = Kept { floor, forgotten, nowhere: state.nowhere.all(), away };
        serde_json::to_string(&kept).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            INCOMPLETE, Known, MAX_AWAY, new_id,
            tests::{KIM, clock, place},
        },
        *,
    };
    use crate::realtime::Room;

    #[test]
    fn an_orderly_end_keeps_who_was_where_and_a_crash_forgets_it() {
        let (recovery, room, now) = (Recovery::default(), Room::parse("lobby").unwrap(), Instant::now());
        assert_eq!(recovery.keep(clock()), None);
        let [told, before, stayed] = [0, 1, 2].map(|n| new_id(clock()) + n);
        for id in [told, before, stayed] {
            recovery.place(id);
        }
        recovery.leave(before, Some(place(&room)), now, clock(), false);
        recovery.leave(told, Some(place(&room)), now, clock(), true);
        let kept = recovery.keep(clock()).unwrap();
        let next = Recovery::resume(&kept, now, clock().plus(Duration::from_secs(5)));
        assert_eq!(next.known(told, KIM, true), Known::Away);
        assert_eq!(next.known(before, KIM, true), Known::Forgotten);
        assert_eq!(next.known(stayed, KIM, true), Known::Forgotten);
        let late = Recovery::resume(&kept, now, clock().plus(MAX_AWAY * 2));
        assert_eq!(late.known(told, KIM, true), Known::Forgotten);
        let crashed = Recovery::resume(INCOMPLETE, now, clock().plus(Duration::from_secs(5)));
        assert_eq!(crashed.known(new_id(clock()), KIM, true), Known::Forgotten);
        assert_eq!(Recovery::resume("", now, clock()).known(new_id(clock()), KIM, true), Known::Nowhere);
    }
}
