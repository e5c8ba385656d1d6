//! Changes of what the sessions of this node are in, on their way to other nodes.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// Changes that wait at most. When there are more they are dropped, because the whole says the same.
const MOST: usize = 16_384;

/// What was not told yet.
pub struct Changes<T> {
    waiting: Mutex<Waiting<T>>,
    /// Shared with other kinds of changes: one task tells all of them.
    some: Arc<Notify>,
}

struct Waiting<T> {
    changes: Vec<T>,
    is_overfull: bool,
}

impl<T> Changes<T> {
    /// Whoever waits for `some` is woken by a change.
    #[must_use]
    pub fn new(some: Arc<Notify>) -> Self {
        Self { waiting: Mutex::new(Waiting { changes: Vec::new(), is_overfull: false }), some }
    }

    /// To be called under the lock of what changes, so that changes have its order.
    pub fn add(&self, change: T) {
        let mut waiting = self.waiting();
        if waiting.is_overfull {
            return;
        }
        if waiting.changes.len() == MOST {
            *waiting = Waiting { changes: Vec::new(), is_overfull: true };
        } else {
            waiting.changes.push(change);
        }
        drop(waiting);
        self.some.notify_one();
    }

    /// Takes them; `None` when there were so many that only the whole says what is.
    #[must_use]
    pub fn take(&self) -> Option<Vec<T>> {
        let mut waiting = self.waiting();
        let changes = mem::take(&mut waiting.changes);
        (!mem::take(&mut waiting.is_overfull)).then_some(changes)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_changes_are_told_by_the_whole() {
        let changes = Changes::new(Arc::default());
        for n in 0..MOST {
            changes.add(n);
        }
        assert_eq!(changes.take().unwrap().len(), MOST);
        for n in 0..=MOST {
            changes.add(n);
        }
        assert_eq!(changes.take(), None);
        changes.add(1);
        assert_eq!(changes.take(), Some(vec![1]));
    }
}
