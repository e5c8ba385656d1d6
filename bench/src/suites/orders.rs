//! Durable orders a second: one after another, and from many buyers at once.

use std::time::{Duration, Instant};

use crate::{
    Result,
    client::{Fleet, Wire},
    peers::{Kind, Options, Server},
    report::{Chart, Section, Suite, Table, Target, compare},
    stats::Summary,
    suites::Context,
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
    let (begin, before) = (Instant::now(), fleet.tally.acks);
    run(&mut fleet, time)?;
    let (elapsed, answered) = (begin.elapsed(), fleet.tally.acks - before);
    // What was promised is kept: every answered order is told to every session.
    let all = (fleet.tally.sent.len() * SESSIONS) as u64;
    fleet.until("all sessions have all alerts", |tally| tally.alerts >= all)?;
    if fleet.tally.refused > 0 {
        return Err(format!("{} orders were refused", fleet.tally.refused).into());
    }
    Ok(answered as f64 / elapsed.as_secs_f64())
}

fn run(fleet: &mut Fleet, time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        fleet.pump(Duration::from_millis(100))?;
        let answered = std::mem::take(&mut fleet.tally.answered);
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
        let mut rates: Vec<(Kind, Vec<f64>)> =
            [Kind::Shopbell, Kind::Express].iter().map(|&kind| (kind, Vec::new())).collect();
        for round in 1..=context.pick(5, 1) {
            for (kind, rates) in &mut rates {
                let rate = per_second(*kind, buyers, context)?;
                context.step(&format!("{buyers} at once, round {round}: {} {rate:.0} a second", kind.name()));
                rates.push(rate);
            }
        }
        let title = if buyers == 1 { "One after another" } else { "From 64 sockets at once" };
        let mut table = Table::new(&["server", "orders a second", "rounds", "shopbell is"]);
        let ours = Summary::of(&rates[0].1).median;
        let mut bars = Vec::new();
        for (kind, rates) in &rates {
            let rate = Summary::of(rates);
            table.row([
                kind.name().to_owned(),
                format!("{:.0}", rate.median),
                format!("{:.0}–{:.0}", rate.min, rate.max),
                compare(ours, rate.median),
            ]);
            bars.push((kind.name().to_owned(), rate.median));
        }
        if buyers == 64 {
            let name = "durable orders from 64 sockets";
            let ratio = ours / bars[1].1;
            suite.targets.push(Target::at_least(&format!("{name} beside Express"), ratio, 3.0, "×"));
            suite.targets.push(Target::at_least(&format!("{name} a second"), ours, 5_000.0, ""));
        }
        let mut section = Section::new(title, table);
        section.chart = Some(Chart::bars(&format!("{title}: durable orders a second"), bars));
        suite.sections.push(section);
    }
    Ok(suite)
}
