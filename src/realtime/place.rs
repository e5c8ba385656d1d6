//! Where a session of Socket.IO is in the shop: what it is put back into when it comes back.

use super::{
    rooms::Room,
    viewers::{Page, Person},
};

/// What an entry costs beside its texts, about, in bytes.
pub(super) const ENTRY: usize = 256;

/// What a session that is away was in.
#[derive(Clone, Debug)]
pub struct Place {
    /// Whose it is: nobody else gets it back.
    pub person: Person,
    /// The rooms that it was in.
    pub rooms: Vec<Room>,
    /// The page that it looked at.
    pub page: Option<Page>,
    /// The name that a guest had chosen.
    pub guest_name: Option<Box<str>>,
}

impl Place {
    /// About what it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        let rooms: usize = self.rooms.iter().map(|room| room.as_str().len() + 64).sum();
        ENTRY + rooms + self.page.as_ref().map_or(0, |page| page.as_str().len())
    }
}
