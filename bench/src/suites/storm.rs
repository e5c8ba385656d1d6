//! Everyone loses the connection, misses alerts, and comes back at the same moment.

use std::time::Instant;

use crate::{
    Result,
    client::{Fleet, Target, Wire},
    context::Context,
    peers::{Kind, Options, Server},
    report::{Section, Suite, Table},
    stats::Summary,
    suites::comparison::in_turn,
};

struct Outcome {
    /// Until the last session was let in, s.
    let_in: f64,
    /// Until the last session had its last missed alert, s.
    complete: f64,
}

fn round(wire: Wire, sessions: usize, missed: u64, context: &Context) -> Result<Outcome> {
    let server = Server::start(Kind::Shopbell, context, &Options::default())?;
    let mut fleet = Fleet::new(&context.stop)?;
    fleet.open(&server.listeners(wire), sessions)?;
    fleet.drop_all();
    let mut buyer = Fleet::new(&context.stop)?;
    buyer.open(&server.target(Wire::Ws), 1)?;
    for order in 1..=missed {
        buyer.order(0)?;
        buyer
            .until("the order is answered", |counters| counters.alerts >= order && counters.acks >= order)?;
    }
    let target = Target { after: Some(0), keep_ids: true, ..server.target(wire) };
    fleet.begin();
    let begin = Instant::now();
    fleet.open(&target, sessions)?;
    let let_in = begin.elapsed().as_secs_f64();
    let all = missed * sessions as u64;
    fleet.until("all sessions have what they missed", |counters| counters.alerts >= all)?;
    let complete = begin.elapsed().as_secs_f64();
    for session in fleet.sessions() {
        if !session.ids.iter().copied().eq(1..=missed) {
            return Err(format!("a session got {:?} and not 1 to {missed}", session.ids).into());
        }
    }
    Ok(Outcome { let_in, complete })
}

/// Runs the suite.
///
/// # Errors
/// The server fails, or a session does not get each alert once and in order.
pub fn run(context: &Context) -> Result<Suite> {
    let sessions = context.pick(5_000, 500);
    let mut suite = Suite::new("storm", "Reconnect storm");
    suite.note = format!(
        "{sessions} sessions drop, miss alerts, and come back with `?after=` as fast as the server lets them in, 100 \
         handshakes at a time, each with its log-in. Each gets every missed alert once and in order, which is checked."
    );
    let mut table =
        Table::new(&["wire", "missed", "all let in, s", "all complete, s", "rounds", "alerts a second"]);
    for (wire, missed) in [(Wire::Ws, 10), (Wire::Ws, 100), (Wire::Sse, 100)] {
        let what = format!("{}, alerts missed", wire.name());
        let measure = |missed| round(wire, sessions, missed, context);
        let shown = |outcome: &Outcome| format!("complete after {:.2} s", outcome.complete);
        let outcomes = in_turn(context, 3, &what, &[missed], measure, shown)?;
        let outcomes = &outcomes[0].1;
        let complete = Summary::over(outcomes, |outcome| outcome.complete);
        table.row([
            wire.name().to_owned(),
            missed.to_string(),
            format!("{:.2}", Summary::over(outcomes, |outcome| outcome.let_in).median),
            format!("{:.2}", complete.median),
            format!("{:.2}–{:.2}", complete.min, complete.max),
            format!("{:.0}", (missed * sessions as u64) as f64 / complete.median),
        ]);
    }
    suite.sections.push(Section::new(&format!("{sessions} sessions come back"), table));
    Ok(suite)
}
