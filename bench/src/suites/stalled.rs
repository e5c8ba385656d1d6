//! Sessions that shake hands and never read again: what they cost the server, and those who do read.

use std::time::{Duration, Instant};

use crate::{
    Result,
    client::{Fleet, Target as Address, Wire},
    context::Context,
    peers::{Kind, Options, Server},
    report::{Section, Suite, Table, Target},
    stats::Summary,
    suites::comparison::in_turn,
};

/// Fifty orders a second.
const GAP: Duration = Duration::from_millis(20);
/// What the kernel keeps for a session that does not read: the less, the sooner the server has to.
const RECEIVE_BUFFER: usize = 4096;

struct Outcome {
    p50: f64,
    p99: f64,
    /// Resident memory at its highest over that before the first order, MB.
    growth: f64,
    closed: usize,
}

fn round(stalled: usize, context: &Context) -> Result<Outcome> {
    let server = Server::start(Kind::Shopbell, context, &Options::default())?;
    let mut readers = Fleet::new(&context.stop)?;
    readers.open(&server.target(Wire::Ws), 1)?;
    readers.open(&server.listeners(Wire::Ws), context.pick(4_999, 499))?;
    let mut stalled_sessions = Fleet::new(&context.stop)?;
    stalled_sessions.tolerant = true;
    stalled_sessions
        .open(&Address { receive_buffer: Some(RECEIVE_BUFFER), ..server.listeners(Wire::Ws) }, stalled)?;
    // The first orders find code and caches cold.
    run(&mut readers, 50, &mut || Ok(()))?;
    let before = server.process.rss()?;
    let mut highest = before;
    let orders = context.pick(3_000, 250);
    run(&mut readers, orders, &mut || {
        highest = highest.max(server.process.rss()?);
        Ok(())
    })?;
    let [p50, p99] = readers.counters.latencies.quantiles([0.5, 0.99]);
    // Whoever was closed meanwhile finds that out now.
    stalled_sessions.run_for(Duration::from_millis(500))?;
    let growth = (highest - before) as f64 / 1024.0 / 1024.0;
    Ok(Outcome { p50, p99, growth, closed: stalled_sessions.counters.lost })
}

/// So many orders at the rate, whether or not the last was told to all by then; `each_second` is called once a second.
fn run(readers: &mut Fleet, orders: u32, each_second: &mut dyn FnMut() -> Result<()>) -> Result<()> {
    readers.begin();
    let begin = Instant::now();
    for number in 0..orders {
        readers.order(0)?;
        readers.run_for((GAP * (number + 1)).saturating_sub(begin.elapsed()))?;
        if number % 50 == 49 {
            each_second()?;
        }
    }
    let all = u64::from(orders) * readers.len() as u64;
    readers.until("all readers have all alerts", |counters| counters.alerts >= all)?;
    each_second()
}

/// Runs the suite.
///
/// # Errors
/// The server fails.
pub fn run_suite(context: &Context) -> Result<Suite> {
    let (readers, stalled) = (context.pick(5_000, 500), context.pick(200, 20));
    let mut suite = Suite::new("stalled", "Sessions that do not read");
    suite.note = format!(
        "{readers} sessions on /ws read, 50 alerts a second for a minute; beside them none, or {stalled} that never \
         read after their handshake, with receive buffers of {RECEIVE_BUFFER} bytes. The server runs on one core."
    );
    let measure = |stalled| round(stalled, context);
    let shown = |outcome: &Outcome| {
        format!("p99 {:.1} ms, {:+.1} MB, {} closed", outcome.p99, outcome.growth, outcome.closed)
    };
    let outcomes = in_turn(context, 2, "stalled sessions", &[0, stalled], measure, shown)?;
    let mut table = Table::new(&[
        "stalled",
        "p50 ms",
        "p99 ms",
        "p99 of rounds",
        "memory grows by, MB",
        "closed with 4008",
    ]);
    for (stalled, outcomes) in &outcomes {
        let p99 = Summary::over(outcomes, |outcome| outcome.p99);
        table.row([
            stalled.to_string(),
            format!("{:.1}", Summary::over(outcomes, |outcome| outcome.p50).median),
            format!("{:.1}", p99.median),
            format!("{:.1}–{:.1}", p99.min, p99.max),
            format!("{:.1}", Summary::over(outcomes, |outcome| outcome.growth).max),
            format!("{:.0}", Summary::over(outcomes, |outcome| outcome.closed as f64).median),
        ]);
    }
    let p99 = |outcomes: &[Outcome]| Summary::over(outcomes, |outcome| outcome.p99).median;
    let ratio = p99(&outcomes[1].1) / p99(&outcomes[0].1);
    let growth = Summary::over(&outcomes[1].1, |outcome| outcome.growth).max;
    suite.targets.push(Target::at_most("readers beside stalled sessions: p99", ratio, 1.3, "×"));
    suite.targets.push(Target::at_most("memory that stalled sessions add in a minute", growth, 20.0, "MB"));
    suite.sections.push(Section::new(&format!("{readers} readers, 50 alerts a second"), table));
    Ok(suite)
}
