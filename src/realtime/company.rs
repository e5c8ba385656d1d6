//! Who is together: in rooms, on pages, and lately. One for all worker threads.

use std::sync::Arc;

use super::{nodes::ShareChanges, recovery::Recovery, rooms::Rooms, talk::Talk, viewers::Viewers};

/// What all threads share of the sessions.
#[derive(Clone)]
pub struct Company {
    /// Who looks at which page.
    pub viewers: Arc<Viewers>,
    /// Who is in which room.
    pub rooms: Arc<Rooms>,
    /// What was said in the rooms lately, for who comes in later.
    pub talk: Arc<Talk>,
    /// What sessions get back whose connection was lost.
    pub recovery: Arc<Recovery>,
    /// What other nodes are to be told of rooms and pages.
    pub(super) changes: Arc<ShareChanges>,
}

impl Company {
    /// Nobody, but who may come back; with `has_others` other nodes are told of who comes and goes.
    #[must_use]
    pub fn new(recovery: Recovery, has_others: bool) -> Self {
        let changes = Arc::new(ShareChanges::default());
        let (rooms, viewers) = if has_others {
            (Rooms::telling(Arc::clone(&changes.rooms)), Viewers::telling(Arc::clone(&changes.pages)))
        } else {
            // Nobody takes the changes.
            (Rooms::default(), Viewers::default())
        };
        Self {
            viewers: Arc::new(viewers),
            rooms: Arc::new(rooms),
            talk: Arc::default(),
            recovery: Arc::new(if has_others { recovery.shared() } else { recovery }),
            changes,
        }
    }
}
