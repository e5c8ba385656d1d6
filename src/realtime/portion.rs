//! What a session that wants bursts as digests is told of a batch at once. Sessions that have seen the same and want the
//! same get the same bytes.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;

use crate::{domain::Offset, outbox::Wire};

/// A part of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Portion {
    /// It begins after this.
    pub(super) after: Offset,
    /// Up to here each publication is told by itself.
    pub(super) each_to: Offset,
    /// The rest up to here is told as a burst.
    pub(super) to: Offset,
}

/// The encoded portions of a batch. While no session wants any they cost a word.
#[derive(Debug, Default)]
pub(super) struct Portions(OnceLock<Box<Encoded>>);

/// By wire and by whether names are masked.
type Encoded = Mutex<HashMap<(Portion, Wire, bool), Bytes>>;

impl Portions {
    pub(super) fn get(
        &self,
        portion: Portion,
        wire: Wire,
        is_masked: bool,
        encode: impl FnOnce() -> Bytes,
    ) -> Bytes {
        // What is put in is whole, so that a panic elsewhere poisons nothing.
        let mut known = self.0.get_or_init(Box::default).lock().unwrap_or_else(PoisonError::into_inner);
        known.entry((portion, wire, is_masked)).or_insert_with(encode).clone()
    }
}
