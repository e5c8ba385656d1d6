//! The whole program, seen from outside: every test starts a server of its own on a free port with a database of
//! its own, and looks at what a client would notice. Tests wait with a deadline, see
//! `support/wait.rs`; none sleeps and hopes.
#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test that cannot go on fails, and nobody but the test runner calls in here"
)]

mod admin;
mod attacks;
mod auth;
mod authority;
mod bursts;
mod bus;
mod catalogue;
mod contract_http;
mod copying;
mod crash;
mod drain;
mod endpoints;
mod epochs;
mod events;
mod faults;
mod figures;
mod hooks;
mod hostile;
mod ingest;
mod ingest_crash;
mod layering;
mod leases;
mod limits;
mod listening;
mod lives;
mod nodes;
mod observability;
mod orders;
mod outage;
mod packaging;
mod parsers;
mod polls;
mod program;
mod realtime;
mod restore;
mod routes_http;
mod secrets;
mod serving;
mod socketio;
mod support;
#[cfg(feature = "otlp")]
mod traces;
mod upgrades;
mod watch;
