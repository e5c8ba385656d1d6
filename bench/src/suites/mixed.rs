//! REST while sessions are told of orders: how long a request waits behind a fan-out.

use std::time::{Duration, Instant};

use crate::{
    Result,
    client::{Fleet, Load, Wire, http},
    context::Context,
    peers::{Kind, Options, Server},
    report::{Section, Suite, Table, Target},
    stats::Summary,
    suites::comparison::in_turn,
};

/// Five orders a second.
const ORDER_GAP: Duration = Duration::from_millis(200);
/// A hundred requests a second, out of step with the orders.
const REQUEST_GAP: Duration = Duration::from_micros(9_973);

/// p50, p99 and the longest, ms.
fn round(sessions: usize, context: &Context) -> Result<[f64; 3]> {
    let server = Server::start(Kind::Shopbell, context, &Options::default())?;
    let mut fleet = Fleet::new(&context.stop)?;
    fleet.open(&server.target(Wire::Ws), sessions.max(1))?;
    // A tenth of a millisecond of reading between two looks at the requests.
    fleet.set_batch(32);
    let request =
        http::request("GET", &format!("/api/goods/{}", server.goods_id()), server.address, None, None);
    let mut load = Load::open(server.address, 16, request, &context.stop)?;
    for seconds in [1, context.pick(20, 2)] {
        load.begin();
        let begin = Instant::now();
        let mut orders = 0;
        while begin.elapsed() < Duration::from_secs(seconds) {
            if sessions > 0 && begin.elapsed() >= ORDER_GAP * orders {
                fleet.order(0)?;
                orders += 1;
            }
            load.keep_pace(REQUEST_GAP)?;
            // The core is the client's alone: it looks again and again, so that no answer waits for it.
            fleet.pump(Duration::ZERO)?;
        }
    }
    Ok(load.latencies.quantiles([0.5, 0.99, 1.0]))
}

/// Runs the suite.
///
/// # Errors
/// The server fails.
pub fn run(context: &Context) -> Result<Suite> {
    let mut suite = Suite::new("mixed", "REST under fan-out");
    suite.note = "GET /api/goods/{id} a hundred times a second, at a steady rate whether or not the last was answered, \
                  while /ws sessions get 5 alerts a second. The server, all its threads, has one core."
        .into();
    let sizes = context.pick([0, 1_000, 5_000, 10_000], [0, 100, 500, 1_000]);
    let measure = |sessions| round(sessions, context);
    let shown = |[p50, p99, max]: &[f64; 3]| format!("p50 {p50:.2}, p99 {p99:.2}, max {max:.2} ms");
    let outcomes = in_turn(context, 3, "sessions", &sizes, measure, shown)?;
    let mut table = Table::new(&["sessions", "p50 ms", "p99 ms", "p99 of rounds", "max ms"]);
    for (sessions, rounds) in outcomes {
        let [p50, p99, max] = [0, 1, 2].map(|which| Summary::over(&rounds, |round| round[which]));
        table.row([
            sessions.to_string(),
            format!("{:.2}", p50.median),
            format!("{:.2}", p99.median),
            format!("{:.2}–{:.2}", p99.min, p99.max),
            format!("{:.2}", max.max),
        ]);
        if sessions == context.pick(10_000, 1_000) {
            let name = "GET /api/goods/{id} with 10,000 sessions at 5 alerts a second: p99";
            suite.targets.push(Target::at_most(name, p99.median, 25.0, "ms"));
        }
    }
    suite.sections.push(Section::new("GET /api/goods/{id}", table));
    Ok(suite)
}
