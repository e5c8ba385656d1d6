//! Into the body of an answer that has no end.

use std::task::{Context, Poll};

use bytes::Bytes;

use super::Outbox;

impl Outbox {
    /// The next part of a body: all that waits. `None` after good-bye.
    pub fn poll_body(&self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        self.remember(context);
        if self.is_aborted() {
            return Poll::Ready(None);
        }
        let Some(waiting) = self.queue.take() else {
            return if self.is_closing() { Poll::Ready(None) } else { Poll::Pending };
        };
        self.tell_drained();
        Poll::Ready(Some(waiting.pieces.into_iter().flatten().collect()))
    }
}
