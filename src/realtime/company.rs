//! Who is together: in rooms, on pages, and lately. One for all worker threads.

use std::sync::Arc;

use super::{nodes::ShareChanges, recovery::Recovery, rooms::Rooms, talk::Talk, viewers::Viewers};
use crate::{bus::BusState, domain::Timestamp};

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

    /// What the next start of the shop has to know, when this node ends in order: nothing while others go on, or may without
    /// being heard.
    #[must_use]
    pub fn keep(&self, bus: BusState, clock: Timestamp) -> Option<String> {
        let is_last = match bus {
            BusState::None => true,
            BusState::Up => !self.changes.has_others(),
            BusState::Away => false,
        };
        is_last.then(|| self.recovery.keep(clock)).flatten()
    }
}
