//! From an order to its alert at each of thousands of sessions, at a steady rate that no server notices.

use std::time::{Duration, Instant};

use crate::{
    Result,
    client::{Fleet, Wire},
    context::Context,
    peers::{Kind, Options, Server},
    report::{Suite, Target},
    suites::comparison::{Comparison, contestants, in_turn},
};

/// Five orders a second.
const GAP: Duration = Duration::from_millis(200);

/// p50, p99 and the longest, ms.
fn round(kind: Kind, context: &Context) -> Result<[f64; 3]> {
    let server = Server::start(kind, context, &Options::default())?;
    let mut fleet = Fleet::new(&context.stop)?;
    fleet.open(&server.target(Wire::Ws), 1)?;
    fleet.open(&server.listeners(Wire::Ws), context.pick(4_999, 499))?;
    // The first orders find code and caches cold.
    run(&mut fleet, 5)?;
    run(&mut fleet, context.pick(100, 5))?;
    Ok(fleet.counters.latencies.quantiles([0.5, 0.99, 1.0]))
}

fn run(fleet: &mut Fleet, orders: u32) -> Result<()> {
    fleet.begin();
    let begin = Instant::now();
    for number in 0..orders {
        fleet.order(0)?;
        fleet.run_for((GAP * (number + 1)).saturating_sub(begin.elapsed()))?;
    }
    let all = u64::from(orders) * fleet.len() as u64;
    fleet.until("all sessions have all alerts", |counters| counters.alerts >= all)
}

/// Runs the suite.
///
/// # Errors
/// A server fails.
pub fn run_suite(context: &Context) -> Result<Suite> {
    let sessions = context.pick("5,000", "500");
    let mut suite = Suite::new("latency", "From an order to its alert");
    suite.note = format!(
        "{sessions} sessions on /ws, 5 orders a second; from the moment at which the client sends an order to the \
         moment at which it has read its alert on a session, over all alerts and sessions of a round. shopbell's \
         order is on the disk by then."
    );
    let latencies = in_turn(
        context,
        5,
        "/ws",
        &contestants(context, &[Kind::Shopbell, Kind::Bun, Kind::Ws, Kind::Floor]),
        |kind| round(kind, context),
        |[p50, p99, max]| format!("p50 {p50:.1}, p99 {p99:.1}, max {max:.1} ms"),
    )?;
    let comparison = Comparison::of(
        &latencies,
        ("p99 ms", 1, |latencies| latencies[1]),
        &[("p50 ms", 1, |latencies| latencies[0]), ("max ms", 1, |latencies| latencies[2])],
    );
    if let Some(ratio) = comparison.beside(Kind::Bun) {
        let name = "order to toast, 5,000 sessions, 5 orders a second: p99 beside Bun";
        suite.targets.push(Target::at_most(name, ratio, 1.2, "×"));
    }
    let title = format!("/ws, {sessions} sessions");
    suite.sections.push(comparison.section(&title, Some("p99 from an order to its alert, ms")));
    Ok(suite)
}
