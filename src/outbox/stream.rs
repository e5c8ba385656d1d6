//! Into the body of a response that has no end.

use std::task::{Context, Poll};

use bytes::Bytes;

use super::Outbox;

impl Outbox {
    /// The next part of a body: all that waits. `None` at the end.
    pub fn poll_body(&self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        self.register_driver(context);
        if self.is_gone() {
            return Poll::Ready(None);
        }
        let Some(queue) = self.queue.take() else {
            return if self.is_closing() { Poll::Ready(None) } else { Poll::Pending };
        };
        Poll::Ready(Some(queue.join(b"")))
    }
}
