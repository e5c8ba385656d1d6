//! What nodes ask each other for sessions that come back, and what each says of its own.

use std::time::Instant;

use super::{
    Recovery,
    nowhere::{Answer, Since},
};

impl Recovery {
    /// A session begins, or comes back, that may come back one day.
    pub fn arrive(&self, id: u64) {
        let mut state = self.state();
        if state.is_shared && !state.placed.contains(&id) {
            state.nowhere.known.insert(id, Since::Connected);
        }
    }

    /// The sessions of which this node knows that they are nowhere.
    #[must_use]
    pub fn known_nowhere(&self) -> Vec<u64> {
        self.state().nowhere.all()
    }

    /// Another node has told that its sessions are nowhere.
    pub fn nowhere_elsewhere(&self, ids: Vec<u64>, now: Instant) {
        let mut state = self.state();
        for id in ids {
            if !state.placed.contains(&id) && !state.away.contains_key(&id) && !state.forgotten.contains(&id)
            {
                state.nowhere.hear(id, now);
            }
        }
    }

    /// Another node may have said that a session has come back there, and was not heard.
    pub fn doubt(&self) {
        self.state().nowhere.known.retain(|_, since| !matches!(since, Since::Told(_)));
    }

    /// What this node can say of a session to another one.
    #[must_use]
    pub fn answer_for(&self, id: u64) -> Option<Answer> {
        let state = self.state();
        if state.placed.contains(&id) {
            Some(Answer::Connected)
        } else if state.away.contains_key(&id) || state.forgotten.contains(&id) {
            Some(Answer::Lost)
        } else {
            state.nowhere.has(id, true).then_some(Answer::Nowhere)
        }
    }

    /// Other nodes are asked for a session, until [`asked`](Self::asked).
    pub fn ask(&self, id: u64) {
        self.state().nowhere.asked.insert(id, None);
    }

    /// What one of them has answered, if one has by now.
    #[must_use]
    pub fn answer(&self, id: u64) -> Option<Answer> {
        self.state().nowhere.asked.get(&id).copied().flatten()
    }

    /// Nobody waits for an answer any more.
    pub fn asked(&self, id: u64) {
        self.state().nowhere.asked.remove(&id);
    }

    /// One of them answers. The first answer counts.
    pub fn hear_answer(&self, id: u64, answer: Answer) {
        if let Some(waits) = self.state().nowhere.asked.get_mut(&id) {
            waits.get_or_insert(answer);
        }
    }

    /// Whether sessions of this shop were in rooms or on pages, as far as is known without the store.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        let state = self.state();
        state.is_marked || state.is_marked_elsewhere
    }

    /// The store says so.
    pub fn note_mark(&self) {
        self.state().is_marked_elsewhere = true;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Known, new_id,
            tests::{KIM, clock, place},
        },
        *,
    };
    use crate::realtime::Room;

    #[test]
    fn of_several_nodes_each_knows_its_own_sessions_and_what_it_was_told() {
        let (recovery, now) = (Recovery::default().shared(), Instant::now());
        let [own, placed, told, other] = [0, 1, 2, 3].map(|n| new_id(clock()) + n);
        assert_eq!(recovery.known(other, KIM, true), Known::Unknown);
        recovery.arrive(own);
        recovery.arrive(placed);
        recovery.place(placed);
        recovery.nowhere_elsewhere(vec![told, placed], now);
        for (id, here, cut_off, answer) in [
            (own, Known::Nowhere, Known::Nowhere, Some(Answer::Nowhere)),
            (placed, Known::Connected, Known::Connected, Some(Answer::Connected)),
            (told, Known::Nowhere, Known::Unknown, Some(Answer::Nowhere)),
            (other, Known::Unknown, Known::Unknown, None),
        ] {
            let known = [true, false].map(|hears| recovery.known(id, KIM, hears));
            assert_eq!((known, recovery.answer_for(id)), ([here, cut_off], answer), "{id}");
        }
        let room = Room::parse("tea").unwrap();
        recovery.leave(placed, Some(place(&room)), now, clock(), false);
        assert_eq!(recovery.answer_for(placed), Some(Answer::Lost), "what was said there is here");
        recovery.leave_nowhere(own);
        assert_eq!(recovery.known(own, KIM, true), Known::Nowhere);
        recovery.doubt();
        assert_eq!(recovery.known(told, KIM, true), Known::Unknown);
        recovery.back_elsewhere(own);
        assert_eq!(recovery.known(own, KIM, true), Known::Unknown, "it is another node's");
    }

    #[test]
    fn the_first_answer_counts_and_only_where_somebody_waits_for_it() {
        let recovery = Recovery::default();
        recovery.hear_answer(7, Answer::Nowhere);
        recovery.ask(7);
        assert_eq!(recovery.answer(7), None);
        recovery.hear_answer(7, Answer::Lost);
        recovery.hear_answer(7, Answer::Nowhere);
        assert_eq!(recovery.answer(7), Some(Answer::Lost));
        recovery.asked(7);
        assert!(recovery.state().nowhere.asked.is_empty());
    }
}
