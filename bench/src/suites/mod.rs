//! What is measured. A suite starts servers in turn, loads them, and says what came out as sections of the report.

pub mod fanout;

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
pub const ALL: &[Entry] =
    &[Entry { name: "fanout", about: "processor time of one delivery, beside the peers", run: fanout::run }];
