//! What all suites share: the programs under measurement, and how long and how often to measure.

use std::path::{Path, PathBuf};

use crate::{Result, process, stop::Stop};

/// A build of shopbell.
#[derive(Clone, Debug)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Flags that lift its limits for one account and one address: all sessions of a measurement are one shopper's,
    /// and come from one address.
    pub raised_limits: Vec<String>,
}

impl Program {
    /// A build, with the flags that it has: an older one may not have all of them.
    ///
    /// # Errors
    /// It does not run.
    pub fn new(path: PathBuf) -> Result<Self> {
        let help = process::output(&path, &["serve", "--help"])?;
        // All load comes from one address, and much of it from one account.
        let flags = [
            "--max-connections-per-address",
            "--max-sessions-per-account",
            "--max-sessions-per-address",
            "--handshake-rate",
            "--order-rate",
            "--registration-rate",
        ];
        let has = |flag: &&&str| help.split_whitespace().any(|word| word == **flag);
        let raised_limits =
            flags.iter().filter(has).flat_map(|flag| [(*flag).to_owned(), "1000000".to_owned()]).collect();
        Ok(Self { path, raised_limits })
    }
}

/// What all suites share.
pub struct Context {
    /// The program that is measured.
    pub shopbell: Program,
    /// Another build of it that is measured beside it.
    pub baseline: Option<Program>,
    /// The payload of an alert, which peers send too.
    pub alert: String,
    /// A short run: it shows that everything works, its numbers mean little.
    pub quick: bool,
    /// How many rounds, if not as many as each suite finds right.
    pub rounds: Option<usize>,
    /// How long each attack lasts, if not as long as the suite finds right.
    pub seconds: Option<u64>,
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

    /// How many rounds to run.
    #[must_use]
    pub fn rounds(&self, proper: usize) -> usize {
        self.rounds.unwrap_or(self.pick(proper, 1))
    }

    /// Reports progress on standard error.
    pub fn step(&self, text: &str) {
        eprintln!("  {text}");
    }
}
