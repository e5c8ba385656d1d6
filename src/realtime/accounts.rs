//! How many sessions accounts have at other nodes, so that the limit for an account is one for the shop.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{bus::NodeId, domain::UserId, limits::Permits};

/// So many sessions an account has at a node now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountChange(pub UserId, pub usize);

/// What was heard of other nodes.
pub(super) struct Accounts {
    permits: Arc<Permits>,
    elsewhere: Mutex<HashMap<NodeId, HashMap<UserId, usize>>>,
}

impl Accounts {
    /// Nothing yet.
    #[must_use]
    pub(super) fn new(permits: Arc<Permits>) -> Self {
        Self { permits, elsewhere: Mutex::default() }
    }

    /// All that have sessions at this node.
    #[must_use]
    pub(super) fn share(&self) -> Vec<AccountChange> {
        let here = self.permits.of_accounts().here();
        here.into_iter().map(|(account, sessions)| AccountChange(account, sessions)).collect()
    }

    /// What changed at another node; with `is_whole` all that is there.
    pub(super) fn hear(&self, node: NodeId, changes: Vec<AccountChange>, is_whole: bool) {
        let mut elsewhere = self.elsewhere();
        let share = elsewhere.entry(node).or_default();
        let mut gone = if is_whole { mem::take(share) } else { HashMap::new() };
        for AccountChange(account, now) in changes {
            let before = gone.remove(&account).or_else(|| share.remove(&account)).unwrap_or_default();
            self.permits.of_accounts().change_elsewhere(account, before, now);
            if now > 0 {
                share.insert(account, now);
            }
        }
        self.end(gone);
    }

    /// Another node is gone, and who was there with it.
    pub(super) fn forget(&self, node: NodeId) {
        let gone = self.elsewhere().remove(&node);
        self.end(gone.unwrap_or_default());
    }

    fn end(&self, gone: HashMap<UserId, usize>) {
        for (account, before) in gone {
            self.permits.of_accounts().change_elsewhere(account, before, 0);
        }
    }

    fn elsewhere(&self) -> MutexGuard<'_, HashMap<NodeId, HashMap<UserId, usize>>> {
        self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{CommonLayer, ServeLayer, Settings},
        limits::LimitExceeded,
    };

    #[test]
    fn an_account_has_as_many_sessions_at_all_nodes_as_it_may() {
        let serve = ServeLayer { max_sessions_per_account: Some(4), ..ServeLayer::default() };
        let settings = Settings::resolve(CommonLayer::default(), serve, None).unwrap();
        let permits = Arc::new(Permits::new(&settings));
        let accounts = Accounts::new(Arc::clone(&permits));
        let [one, other] = [1, 2].map(|n| NodeId::from_random([n; 6]));
        let [kim, lee] = [UserId(1), UserId(2)];
        // How many more may begin here.
        let left = || {
            let fit = std::iter::from_fn(|| permits.acquire_account(kim).ok());
            fit.take(9).collect::<Vec<_>>().len()
        };
        let hear =
            |node, sessions, is_whole| accounts.hear(node, vec![AccountChange(kim, sessions)], is_whole);
        hear(one, 1, true);
        hear(one, 2, false);
        hear(other, 1, false);
        assert_eq!(left(), 1);
        hear(other, 0, false);
        assert_eq!(left(), 2);
        accounts.hear(one, vec![AccountChange(lee, 4)], true);
        assert_eq!(left(), 4, "the whole says nothing of it");
        assert!(matches!(permits.acquire_account(lee), Err(LimitExceeded::AccountSessions)));
        hear(one, 3, false);
        hear(one, 3, true);
        assert_eq!(left(), 1);
        assert!(permits.acquire_account(lee).is_ok());
        accounts.forget(one);
        accounts.forget(one);
        assert_eq!(left(), 4);
        let here = permits.acquire_account(kim).unwrap();
        assert_eq!(accounts.share(), [AccountChange(kim, 1)]);
        drop(here);
        assert_eq!(accounts.share(), []);
    }
}
