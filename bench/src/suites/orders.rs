//! Durable orders a second: one after another, and from many buyers at once.

use std::time::{Duration, Instant};

use crate::{
    Result,
    client::{Fleet, Wire},
    context::Context,
    peers::{Kind, Options, Server},
    report::{Suite, Target},
    suites::comparison::{Comparison, contestants, in_turn},
};

/// Sessions that hear of them, buyers included.
const SESSIONS: usize = 100;

/// Answered orders a second of so many buyers, each of whom orders again as soon as the last order was answered.
fn per_second(kind: Kind, buyers: usize, context: &Context) -> Result<f64> {
    let server = Server::start(kind, context, &Options::default())?;
    let mut fleet = Fleet::new(&context.stop)?;
    fleet.open(&server.target(Wire::Ws), SESSIONS)?;
    (0..buyers).try_for_each(|buyer| fleet.order(buyer))?;
    run(&mut fleet, Duration::from_millis(500))?;
    let time = context.pick(Duration::from_secs(8), Duration::from_secs(1));
    let (begin, before) = (Instant::now(), fleet.counters.acks);
    run(&mut fleet, time)?;
    let (elapsed, answered) = (begin.elapsed(), fleet.counters.acks - before);
    // What was promised is kept: every answered order is told to every session.
    let all = (fleet.counters.sent.len() * SESSIONS) as u64;
    fleet.until("all sessions have all alerts", |counters| counters.alerts >= all)?;
    if fleet.counters.refused > 0 {
        return Err(format!("{} orders were refused", fleet.counters.refused).into());
    }
    Ok(answered as f64 / elapsed.as_secs_f64())
}

fn run(fleet: &mut Fleet, time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        fleet.pump(Duration::from_millis(100))?;
        let answered = std::mem::take(&mut fleet.counters.answered);
        answered.into_iter().try_for_each(|buyer| fleet.order(buyer))?;
    }
    Ok(())
}

/// Runs the suite.
///
/// # Errors
/// A server fails.
pub fn run_suite(context: &Context) -> Result<Suite> {
    let mut suite = Suite::new("orders", "Durable orders");
    suite.note = "Orders over /ws that are on the disk (SQLite, WAL, `synchronous=FULL`) when they are answered, with \
                  alerts to 100 sessions. The peer is Express with better-sqlite3 and ws, which is not asked for a \
                  log-in, and does not know idempotency keys or counted stocks."
        .into();
    for buyers in [1, 64] {
        let rates = in_turn(
            context,
            5,
            &format!("{buyers} at once"),
            &contestants(context, &[Kind::Shopbell, Kind::Express]),
            |kind| per_second(kind, buyers, context),
            |rate| format!("{rate:.0} a second"),
        )?;
        let comparison = Comparison::of(&rates, ("orders a second", 0, |rate| *rate), &[]);
        targets(buyers, &comparison, &mut suite.targets);
        let title = if buyers == 1 { "One after another" } else { "From 64 sockets at once" };
        let chart = format!("{title}: durable orders a second");
        suite.sections.push(comparison.section(title, Some(&chart)));
    }
    Ok(suite)
}

fn targets(buyers: usize, comparison: &Comparison, targets: &mut Vec<Target>) {
    let name =
        if buyers == 1 { "durable orders one after another" } else { "durable orders from 64 sockets" };
    if buyers == 64 {
        targets.push(Target::at_least(&format!("{name} a second"), comparison.ours(), 5_000.0, ""));
        if let Some(ratio) = comparison.beside(Kind::Express) {
            targets.push(Target::at_least(&format!("{name} beside Express"), ratio, 3.0, "×"));
        }
    }
    if let Some(ratio) = comparison.beside(Kind::Before) {
        targets.push(Target::at_least(&format!("{name} beside the build before"), ratio, 0.97, "×"));
    }
}
