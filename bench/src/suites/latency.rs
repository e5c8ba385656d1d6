//! From an order to its alert at each of thousands of sessions, at a steady rate that no server notices.

use std::time::{Duration, Instant};

use crate::{
    Result,
    client::{Fleet, Wire},
    peers::{Kind, Options, Server},
    report::{Chart, Section, Suite, Table, Target, compare},
    stats::Summary,
    suites::Context,
};

/// Five orders a second.
const GAP: Duration = Duration::from_millis(200);

/// p50, p99 and the longest, ms.
fn round(kind: Kind, context: &Context) -> Result<[f64; 3]> {
    let server = Server::start(kind, context, &Options::default())?;
    let mut fleet = Fleet::new(&context.stop)?;
    fleet.open(&server.target(Wire::Ws), context.pick(5_000, 500))?;
    // The first orders find code and caches cold.
    run(&mut fleet, 5)?;
    run(&mut fleet, context.pick(100, 5))?;
    Ok(fleet.tally.latencies.quantiles([0.5, 0.99, 1.0]))
}

fn run(fleet: &mut Fleet, orders: u32) -> Result<()> {
    fleet.begin();
    let begin = Instant::now();
    for number in 0..orders {
        fleet.order(0)?;
        fleet.run_for((GAP * (number + 1)).saturating_sub(begin.elapsed()))?;
    }
    let all = u64::from(orders) * fleet.len() as u64;
    fleet.until("all sessions have all alerts", |tally| tally.alerts >= all)
}

/// Runs the suite.
///
/// # Errors
/// A server fails.
pub fn run_suite(context: &Context) -> Result<Suite> {
    let kinds = [Kind::Shopbell, Kind::Bun, Kind::Ws, Kind::Floor];
    let sessions = context.pick("5,000", "500");
    let mut suite = Suite::new("latency", "From an order to its alert");
    suite.note = format!(
        "{sessions} sessions on /ws, 5 orders a second; from the moment at which the client sends an order to the \
         moment at which it has read its alert on a session, over all alerts and sessions of a round. shopbell's \
         order is on the disk by then."
    );
    let mut rounds: Vec<(Kind, Vec<[f64; 3]>)> = kinds.iter().map(|&kind| (kind, Vec::new())).collect();
    for number in 1..=context.pick(5, 1) {
        for (kind, rounds) in &mut rounds {
            let [p50, p99, max] = round(*kind, context)?;
            let name = kind.name();
            context.step(&format!("round {number}: {name} p50 {p50:.1}, p99 {p99:.1}, max {max:.1} ms"));
            rounds.push([p50, p99, max]);
        }
    }
    let mut table =
        Table::new(&["server", "p50 ms", "p99 ms", "p99 of rounds", "max ms", "p99: shopbell is"]);
    let median = |rounds: &[[f64; 3]], which: usize| Summary::over(rounds, |round| round[which]);
    let ours = median(&rounds[0].1, 1).median;
    let mut bars = Vec::new();
    for (kind, rounds) in &rounds {
        let [p50, p99, max] = [0, 1, 2].map(|which| median(rounds, which));
        table.row([
            kind.name().to_owned(),
            format!("{:.1}", p50.median),
            format!("{:.1}", p99.median),
            format!("{:.1}–{:.1}", p99.min, p99.max),
            format!("{:.1}", max.max),
            compare(ours, p99.median),
        ]);
        bars.push((kind.name().to_owned(), p99.median));
        if *kind == Kind::Bun {
            let name = "order to toast, 5,000 sessions, 5 orders a second: p99 beside Bun";
            suite.targets.push(Target::at_most(name, ours / p99.median, 1.2, "×"));
        }
    }
    let mut section = Section::new(&format!("/ws, {sessions} sessions"), table);
    section.chart = Some(Chart::bars("p99 from an order to its alert, ms", bars));
    suite.sections.push(section);
    Ok(suite)
}
