//! What is measured. A suite starts servers in turn, loads them, and says what came out as sections of the report.

pub mod fanout;
pub mod growth;
pub mod latency;
pub mod memory;
pub mod mixed;
pub mod orders;
pub mod rest;
mod seed;
pub mod start;
pub mod storm;

use std::path::{Path, PathBuf};

use crate::{Result, report::Suite, stop::Stop};

/// What all suites share.
pub struct Context {
    /// The program that is measured.
    pub shopbell: PathBuf,
    /// Flags that lift its limits for one address, as far as it has them.
    pub raised_limits: Vec<String>,
    /// The payload of an alert, which peers send too.
    pub alert: String,
    /// A short run: it shows that everything works, its numbers mean little.
    pub quick: bool,
    /// Whether to end early.
    pub stop: Stop,
}

impl Context {
    /// The folder of the peers in JavaScript.
    #[must_use]
    pub fn peers(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
    }

    /// One number for a proper run, another for a quick one.
    pub fn pick<T>(&self, proper: T, quick: T) -> T {
        if self.quick { quick } else { proper }
    }

    /// Says what is going on.
    pub fn step(&self, text: &str) {
        eprintln!("  {text}");
    }
}

/// A suite by its name.
pub struct Entry {
    /// As it is called on the command line.
    pub name: &'static str,
    /// What it measures, in a few words.
    pub about: &'static str,
    /// Runs it.
    pub run: fn(&Context) -> Result<Suite>,
}

/// All suites, in the order of the report.
pub const ALL: &[Entry] = &[
    Entry { name: "fanout", about: "processor time of one delivery, beside the peers", run: fanout::run },
    Entry { name: "memory", about: "memory of an idle session", run: memory::run },
    Entry {
        name: "latency",
        about: "from an order to its alert, at five orders a second",
        run: latency::run_suite,
    },
    Entry { name: "orders", about: "durable orders a second", run: orders::run_suite },
    Entry { name: "rest", about: "REST requests a second on one core", run: rest::run },
    Entry { name: "mixed", about: "REST while ten thousand sessions are told of orders", run: mixed::run },
    Entry {
        name: "storm",
        about: "all sessions come back at once and get what they missed",
        run: storm::run,
    },
    Entry {
        name: "start",
        about: "from the start to the first answer, and the size of the program",
        run: start::run,
    },
    Entry { name: "growth", about: "a delivery as sessions and the log grow", run: growth::run },
];
