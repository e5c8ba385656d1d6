//! Which categories are never told, as the writer remembers them between orders.

use std::{collections::HashSet, sync::Arc};

use crate::domain::Category;

/// The categories that are never told, by their keys: how goods spell them is changed by other processes, too.
#[derive(Clone)]
pub(super) struct Silent(Arc<HashSet<String>>);

impl Silent {
    /// Of their keys.
    pub(super) fn of(keys: Vec<String>) -> Self {
        Self(Arc::new(HashSet::from_iter(keys)))
    }

    /// Whether orders of goods of a category are not told.
    pub(super) fn has(&self, category: &Category) -> bool {
        // Most shops tell of all, and a key takes time to compute.
        !self.0.is_empty() && self.0.contains(&category.key())
    }
}
