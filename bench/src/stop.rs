//! Ctrl-C ends a measurement through the ordinary error path, so that every child process is ended with it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::Result;

/// Whether the run was asked to end; clones share the answer.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Becomes true with SIGINT or SIGTERM.
    ///
    /// # Errors
    /// The handlers cannot be set.
    pub fn on_signals() -> Result<Self> {
        let stop = Self::default();
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&stop.0))?;
        }
        Ok(stop)
    }

    /// An error once the run was asked to end.
    ///
    /// # Errors
    /// That.
    pub fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) { Err("stopped by a signal".into()) } else { Ok(()) }
    }
}
