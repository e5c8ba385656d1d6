//! How many sessions each account has: at this node, and at others as far as they are heard.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use crate::domain::UserId;

type Tell = dyn Fn(UserId, usize) + Send + Sync;

/// The sessions of all accounts, counted.
#[derive(Default)]
pub struct AccountSessions {
    counts: Mutex<Counts>,
    tell: OnceLock<Box<Tell>>,
}

#[derive(Default)]
struct Counts {
    here: HashMap<UserId, usize>,
    elsewhere: HashMap<UserId, usize>,
}

impl AccountSessions {
    /// One more begins here, unless there are so many already, here and elsewhere. Of two that begin at two nodes in the same
    /// moment neither knows of the other.
    pub(super) fn begin(&self, account: UserId, most: usize) -> bool {
        let mut counts = self.counts();
        let elsewhere = counts.elsewhere.get(&account).copied().unwrap_or_default();
        let here = counts.here.get(&account).copied().unwrap_or_default();
        if here.saturating_add(elsewhere) >= most {
            return false;
        }
        counts.here.insert(account, here + 1);
        self.told(account, here + 1);
        true
    }

    /// One ends here.
    pub(super) fn end(&self, account: UserId) {
        let mut counts = self.counts();
        let here = counts.here.get(&account).copied().unwrap_or_default().saturating_sub(1);
        put(&mut counts.here, account, here);
        self.told(account, here);
    }

    /// From now on others are told how many an account has here when that changes. Called under a lock, so that it is told in
    /// order; it must not wait.
    pub fn tell_others(&self, tell: impl Fn(UserId, usize) + Send + Sync + 'static) {
        // Who tells is set once.
        let _ = self.tell.set(Box::new(tell));
    }

    /// Those of this node.
    #[must_use]
    pub fn here(&self) -> Vec<(UserId, usize)> {
        self.counts().here.iter().map(|(account, sessions)| (*account, *sessions)).collect()
    }

    /// At another node there are `now` sessions of an account where there were `before`.
    pub fn change_elsewhere(&self, account: UserId, before: usize, now: usize) {
        let mut counts = self.counts();
        let known = counts.elsewhere.get(&account).copied().unwrap_or_default();
        put(&mut counts.elsewhere, account, known.saturating_sub(before).saturating_add(now));
    }

    fn told(&self, account: UserId, here: usize) {
        if let Some(tell) = self.tell.get() {
            tell(account, here);
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Counts stay usable whatever a panic left them at.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn put(counts: &mut HashMap<UserId, usize>, account: UserId, sessions: usize) {
    if sessions == 0 {
        counts.remove(&account);
    } else {
        counts.insert(account, sessions);
    }
}

impl fmt::Debug for AccountSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        let (here, elsewhere) = (counts.here.len(), counts.elsewhere.len());
        f.debug_struct("AccountSessions").field("here", &here).field("elsewhere", &elsewhere).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_at_other_nodes_count_and_changes_are_told() {
        let (sessions, kim) = (AccountSessions::default(), UserId(1));
        let told = std::sync::Arc::new(Mutex::new(Vec::new()));
        let tell = std::sync::Arc::clone(&told);
        sessions.tell_others(move |account, here| tell.lock().unwrap().push((account.0, here)));
        sessions.change_elsewhere(kim, 0, 2);
        assert_eq!([sessions.begin(kim, 3), sessions.begin(kim, 3)], [true, false]);
        sessions.change_elsewhere(kim, 2, 1);
        assert!(sessions.begin(kim, 3));
        assert_eq!(sessions.here(), [(kim, 2)]);
        sessions.change_elsewhere(kim, 1, 0);
        (0..3).for_each(|_| sessions.end(kim));
        let counts = sessions.counts();
        assert!(counts.here.is_empty() && counts.elsewhere.is_empty());
        assert_eq!(*told.lock().unwrap(), [(1, 1), (1, 2), (1, 1), (1, 0), (1, 0)]);
    }
}
