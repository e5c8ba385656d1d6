//! On whose account bytes are, and what one thing holds of the budget.
//!
//! Who holds little is not counted: the first 4 KiB of each thing are part of what a session costs anyway. So nobody whose
//! messages come whole and who takes what it is sent ever asks the budget.

use std::{net::IpAddr, sync::Arc};

use super::{
    budget::{NoRoom, STEP},
    slot::Slot,
};

/// On whose account bytes are: a session's, or those of whoever makes a request.
#[derive(Clone, Debug, Default)]
pub struct Purse(Option<Arc<Slot>>);

impl Purse {
    pub(super) fn of(slot: Arc<Slot>) -> Self {
        Self(Some(slot))
    }

    /// One that pays for nothing, where nobody counts.
    #[must_use]
    pub fn free() -> Self {
        Self(None)
    }

    /// Its network, as far as that is known.
    #[must_use]
    pub fn network(&self) -> Option<IpAddr> {
        self.0.as_ref().and_then(|slot| slot.network)
    }

    /// Something that holds nothing yet.
    #[must_use]
    pub fn charge(&self) -> Charge {
        Charge { purse: self.clone(), as_member: false, steps: 0 }
    }
}

/// The bytes that one thing holds; given back when it is dropped.
#[derive(Debug)]
pub struct Charge {
    purse: Purse,
    /// Who holds the steps: a session may say later who it is.
    as_member: bool,
    steps: usize,
}

impl Charge {
    /// It holds so many bytes from now on. When there is no room for them, it is counted as holding what it held before.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub fn set(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let steps = bytes / STEP;
        let Some(slot) = self.purse.0.as_deref().filter(|_| steps != self.steps) else { return Ok(()) };
        if self.steps == 0 {
            self.as_member = slot.is_member();
        }
        match steps.checked_sub(self.steps) {
            Some(more) => slot.budget.take(slot.network, self.as_member, more)?,
            None => slot.budget.give_back(slot.network, self.as_member, self.steps - steps),
        }
        self.steps = steps;
        Ok(())
    }

    /// Whether it could hold so many bytes.
    #[must_use]
    pub fn fits(&self, bytes: usize) -> bool {
        let more = (bytes / STEP).saturating_sub(self.steps);
        let Some(slot) = self.purse.0.as_deref().filter(|_| more > 0) else { return true };
        let as_member = if self.steps == 0 { slot.is_member() } else { self.as_member };
        slot.budget.has_room(slot.network, as_member, more)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if let Some(slot) = self.purse.0.as_deref().filter(|_| self.steps > 0) {
            slot.budget.give_back(slot.network, self.as_member, self.steps);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::budget::Budget, *};

    fn purse(budget: &Arc<Budget>, last: u8, is_member: bool) -> Purse {
        Purse::of(Slot::of_request(Some(IpAddr::from([10, 0, 0, last])), is_member, budget))
    }

    /// Takes a step at a time until there is no room; says how many.
    fn fill(purse: &Purse) -> (Vec<Charge>, usize) {
        let mut held = Vec::new();
        loop {
            let mut charge = purse.charge();
            if charge.set(STEP).is_err() {
                let steps = held.len();
                return (held, steps);
            }
            held.push(charge);
        }
    }

    #[test]
    fn strangers_have_half_a_network_a_quarter_and_members_what_they_need() {
        let budget = Budget::new(16 * STEP);
        let (first, one) = fill(&purse(&budget, 1, false));
        let (second, two) = fill(&purse(&budget, 2, false));
        let (third, three) = fill(&purse(&budget, 3, false));
        assert_eq!((one, two, three), (4, 4, 0));
        let (members, four) = fill(&purse(&budget, 1, true));
        let (others, five) = fill(&purse(&budget, 2, true));
        assert_eq!((four, five), (4, 4));
        assert_eq!(fill(&purse(&budget, 3, true)).1, 0, "the whole is full");
        drop((first, second, third, members, others));
        assert_eq!(budget.in_use(), (0, 0, 0));
    }

    #[test]
    fn a_little_is_free_and_what_shrinks_is_given_back() {
        let budget = Budget::new(16 * STEP);
        let mut charge = purse(&budget, 1, false).charge();
        charge.set(STEP - 1).unwrap();
        assert_eq!(budget.in_use().0, 0);
        charge.set(3 * STEP).unwrap();
        assert!(charge.fits(5 * STEP - 1) && !charge.fits(5 * STEP));
        assert_eq!(charge.set(5 * STEP), Err(NoRoom));
        assert_eq!(budget.in_use().0, 3);
        charge.set(STEP).unwrap();
        assert_eq!(budget.in_use().0, 1);
        drop(charge);
        assert_eq!(budget.in_use().0, 0);
        assert!(Purse::free().charge().set(1 << 40).is_ok());
    }
}
