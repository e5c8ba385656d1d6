//! What is said to many: encoded at most once per wire protocol, its bytes shared by all who hear it.

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};

use crate::{
    domain::{GoodsEvent, NicknameDisplay, Offset, Publication},
    protocol::native,
};

/// One event for many sessions.
#[derive(Debug)]
pub struct Announcement {
    event: &'static str,
    payload: String,
    native: OnceLock<Bytes>,
}

impl Announcement {
    /// An event with its payload as JSON.
    #[must_use]
    pub fn new(event: &'static str, payload: String) -> Self {
        Self { event, payload, native: OnceLock::new() }
    }

    /// The event `goods`.
    #[must_use]
    pub fn goods(event: &GoodsEvent) -> Self {
        Self::new("goods", serde_json::to_string(event).expect("goods are always JSON"))
    }

    /// The event `SAME_PAGE_VIEWER_COUNT`.
    #[must_use]
    pub fn viewers(count: usize) -> Self {
        Self::new("SAME_PAGE_VIEWER_COUNT", count.to_string())
    }

    /// As a frame of `/ws`.
    #[must_use]
    pub fn native(&self) -> Bytes {
        self.native.get_or_init(|| native::event(self.event, &self.payload)).clone()
    }
}

/// Notifications that follow one another in the log and leave together.
#[derive(Debug)]
pub struct Batch {
    publications: Vec<Arc<Publication>>,
    display: NicknameDisplay,
    native: OnceLock<Bytes>,
}

impl Batch {
    /// Over consecutive notifications; `None` when there are none.
    #[must_use]
    pub fn new(publications: Vec<Arc<Publication>>, display: NicknameDisplay) -> Option<Self> {
        (!publications.is_empty()).then_some(Self { publications, display, native: OnceLock::new() })
    }

    /// The offset of the first.
    #[must_use]
    pub fn first(&self) -> Offset {
        self.publications.first().map(|publication| publication.id).unwrap_or_default()
    }

    /// The offset of the last.
    #[must_use]
    pub fn last(&self) -> Offset {
        self.publications.last().map(|publication| publication.id).unwrap_or_default()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.publications.len()
    }

    /// Whether there are none; never, see [`Batch::new`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.publications.is_empty()
    }

    /// All of it as frames of `/ws`, to leave in one write.
    #[must_use]
    pub fn native(&self) -> Bytes {
        self.native.get_or_init(|| self.encode_after(Offset::START)).clone()
    }

    /// The frames of `/ws` for a session that has seen everything up to `after`.
    #[must_use]
    pub fn native_after(&self, after: Offset) -> Bytes {
        if after < self.first() { self.native() } else { self.encode_after(after) }
    }

    fn encode_after(&self, after: Offset) -> Bytes {
        let mut frames = BytesMut::new();
        for publication in self.publications.iter().filter(|publication| publication.id > after) {
            native::put_event(&mut frames, publication.event(), &publication.payload(self.display));
        }
        frames.freeze()
    }
}
