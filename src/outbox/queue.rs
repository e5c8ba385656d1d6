//! What waits to be sent.

use std::{cell::Cell, collections::VecDeque, io::IoSlice, task::Waker, time::Instant};

use bytes::{Buf, Bytes};

use crate::limits::{Charge, NoRoom, Purse};

/// Bytes that a piece takes beside its own.
const OVERHEAD: usize = 64;

/// Pieces in the order in which they leave. Never empty while it is kept.
pub(super) struct Queue {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    stalled_since: Instant,
    /// The task that waits until nothing waits any more. Here and not in the outbox, because an idle session has no
    /// queue.
    waiter: Option<Waker>,
    charge: Charge,
}

impl Queue {
    /// With a first piece.
    pub(super) fn of(piece: Bytes, purse: &Purse) -> Box<Self> {
        let mut queue = Self {
            pieces: VecDeque::new(),
            bytes: 0,
            stalled_since: Instant::now(),
            waiter: None,
            charge: purse.charge(),
        };
        queue.push(piece);
        Box::new(queue)
    }

    pub(super) fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.pieces.push_back(piece);
    }

    /// Counts what waits in the budget. A piece that many sessions share is counted for each: it is kept for as long as
    /// the slowest of them needs it.
    pub(super) fn count(&mut self) -> Result<(), NoRoom> {
        self.charge.set(self.held())
    }

    fn held(&self) -> usize {
        self.bytes + self.pieces.len() * OVERHEAD
    }

    /// Whether the budget has room for so many bytes more.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.charge.fits(self.held() + OVERHEAD + bytes)
    }

    /// Bytes of all pieces.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Since when nothing was taken.
    pub(super) fn stalled_since(&self) -> Instant {
        self.stalled_since
    }

    /// Fills slices for a gathering write; returns how many.
    pub(super) fn gather<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let gathered = self.pieces.len().min(slices.len());
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            *slice = IoSlice::new(piece);
        }
        gathered
    }

    /// Notes that so many bytes were taken; returns whether nothing is left.
    pub(super) fn take(&mut self, mut taken: usize) -> bool {
        self.bytes -= taken;
        self.stalled_since = Instant::now();
        while let Some(first) = self.pieces.front_mut() {
            if first.len() > taken {
                first.advance(taken);
                break;
            }
            taken -= first.len();
            self.pieces.pop_front();
        }
        // Less is never refused.
        let _ = self.count();
        self.pieces.is_empty()
    }

    /// Registers the task to wake when the queue is dropped, or by [`Queue::wake`].
    pub(super) fn register(&mut self, waker: &Waker) {
        self.waiter = Some(waker.clone());
    }

    /// Wakes the task that waits.
    pub(super) fn wake(&mut self) {
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }

    /// All pieces as one, with a separator between them.
    pub(super) fn join(mut self, separator: &[u8]) -> Bytes {
        match <[Bytes; 1]>::try_from(Vec::from(std::mem::take(&mut self.pieces))) {
            Ok([only]) => only,
            Err(pieces) => pieces.join(separator).into(),
        }
    }
}

/// Where a queue is kept while there is one. No larger than a pointer: each session has one of these.
#[derive(Default)]
pub(super) struct QueueCell(Cell<Option<Box<Queue>>>);

impl QueueCell {
    /// Looks at the queue, or changes it. `act` must not come back here.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Option<Box<Queue>>) -> R) -> R {
        let mut queue = self.0.take();
        let result = act(&mut queue);
        self.0.set(queue);
        result
    }

    /// Takes the queue out.
    pub(super) fn take(&self) -> Option<Box<Queue>> {
        self.0.take()
    }

    /// Puts a queue in.
    pub(super) fn set(&self, queue: Option<Box<Queue>>) {
        self.0.set(queue);
    }
}

/// The queue is dropped when all of it was taken.
impl Drop for Queue {
    fn drop(&mut self) {
        self.wake();
    }
}
