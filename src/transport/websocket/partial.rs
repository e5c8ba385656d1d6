//! What has come of messages that are not dealt with yet: its bytes are counted, and the time of a message that is not
//! complete runs.

use std::{future::Future, pin::Pin, task::Context, time::Duration};

use tokio::time::{Sleep, sleep};

use crate::limits::{Charge, NoRoom, Purse};

/// Messages that are not complete, or wait.
pub(super) struct Partial {
    charge: Charge,
    /// While one is not complete.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Partial {
    /// Nothing yet, on the account of `purse`.
    pub(super) fn new(purse: &Purse) -> Self {
        Self { charge: purse.charge(), timer: None }
    }

    /// So many bytes are held.
    pub(super) fn hold(&mut self, bytes: usize) -> Result<(), NoRoom> {
        self.charge.set(bytes)
    }

    /// A message has begun and has so much time, unless its time runs already.
    pub(super) fn start(&mut self, time: Duration) {
        self.timer.get_or_insert_with(|| Box::pin(sleep(time)));
    }

    /// The message has come to its end.
    pub(super) fn stop(&mut self) {
        self.timer = None;
    }

    /// Whether the time is over; registers the task to wake then.
    pub(super) fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(context).is_ready())
    }
}
