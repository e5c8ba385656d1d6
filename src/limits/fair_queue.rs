//! A queue that many share: each owner has a lane, lanes take turns, and no lane may hold all that may wait.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// Items that wait, in the lanes of their owners.
#[derive(Debug)]
pub struct FairQueue<K, T> {
    lanes: HashMap<K, VecDeque<T>>,
    /// Owners of lanes that are not empty, in the order of their turns.
    turns: VecDeque<K>,
    len: usize,
    most: usize,
}

impl<K: Copy + Eq + Hash, T> FairQueue<K, T> {
    /// For `most` items.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { lanes: HashMap::new(), turns: VecDeque::new(), len: 0, most }
    }

    /// Adds an item behind the others of its owner, of which `share` may wait.
    ///
    /// # Errors
    /// The item, when the queue is full or its owner has its share in it.
    pub fn push(&mut self, owner: K, share: usize, item: T) -> Result<(), T> {
        if self.len >= self.most {
            return Err(item);
        }
        let lane = self.lanes.entry(owner).or_default();
        if lane.len() >= share {
            return Err(item);
        }
        if lane.is_empty() {
            self.turns.push_back(owner);
        }
        lane.push_back(item);
        self.len += 1;
        Ok(())
    }

    /// Takes the next item: the oldest of the owner whose turn it is.
    pub fn pop(&mut self) -> Option<T> {
        let owner = self.turns.pop_front()?;
        let lane = self.lanes.get_mut(&owner)?;
        let item = lane.pop_front()?;
        self.len -= 1;
        if lane.is_empty() {
            self.lanes.remove(&owner);
        } else {
            self.turns.push_back(owner);
        }
        Some(item)
    }

    /// Number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_take_turns_and_none_holds_the_whole() {
        let mut queue = FairQueue::new(6);
        let taken: Vec<_> = (0..6).map(|n| queue.push('a', 4, n).is_ok()).collect();
        assert_eq!(taken, [true, true, true, true, false, false]);
        queue.push('b', 4, 10).unwrap();
        queue.push('b', 4, 11).unwrap();
        assert_eq!(queue.push('c', 4, 20), Err(20), "the whole is full");
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [0, 10, 1, 11, 2, 3]);
        assert!(queue.is_empty() && queue.lanes.is_empty() && queue.turns.is_empty());
    }
}
