//! What is measured. A suite starts servers in turn, loads them, and says what came out as sections of the report.

pub mod attacks;
pub mod avalanche;
pub mod comparison;
pub mod deliveries;
pub mod fanout;
pub mod growth;
pub mod jitter;
pub mod latency;
pub mod memory;
pub mod mixed;
pub mod orders;
mod publisher;
pub mod receipts;
mod recovery;
pub mod rest;
pub mod restart;
mod seed;
pub mod stalled;
pub mod start;
pub mod storm;

use crate::{Result, context::Context, report::Suite};

/// A suite by its name.
pub struct Entry {
    /// As it is called on the command line.
    pub name: &'static str,
    /// What it measures, in a few words.
    pub about: &'static str,
    /// Runs it.
    pub run: fn(&Context) -> Result<Suite>,
}

/// The one that needs no peers.
pub const ATTACKS: &str = "attacks";

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
    Entry {
        name: "deliveries",
        about: "signed webhooks a second, and beside endpoints that hang",
        run: deliveries::run_suite,
    },
    Entry {
        name: "receipts",
        about: "signed receipts of other shops a second, and beside sessions",
        run: receipts::run_suite,
    },
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
    Entry {
        name: "restart",
        about: "a restart and a kill under load: who is back when, and that nothing is lost or repeated",
        run: restart::run,
    },
    Entry {
        name: "avalanche",
        about: "a restart with 20,000 clients, beside the peers: when all are back and have everything",
        run: avalanche::run,
    },
    Entry {
        name: "jitter",
        about: "each client cut off for 2 s in 15 while alerts flow: what arrives, and how soon",
        run: jitter::run,
    },
    Entry {
        name: "stalled",
        about: "sessions that never read, and those beside them",
        run: stalled::run_suite,
    },
    Entry { name: ATTACKS, about: "attacks, and the members beside them", run: attacks::run_suite },
    Entry { name: "growth", about: "a delivery as sessions and the log grow", run: growth::run },
];
