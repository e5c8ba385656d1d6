//! Memory of an idle session: resident size of the server's process with the sessions less without, divided.

use std::time::Duration;

use crate::{
    Result,
    client::{Fleet, Wire},
    context::Context,
    peers::{Kind, Options, Server},
    report::{Suite, Target},
    suites::comparison::{Comparison, contestants, in_turn},
};

/// Bytes of resident memory for each session.
fn per_session(kind: Kind, wire: Wire, context: &Context) -> Result<f64> {
    let sessions = context.pick(10_000, 1_000);
    let server = Server::start(kind, context, &Options::default())?;
    let target = server.listeners(wire);
    let settle = context.pick(Duration::from_secs(3), Duration::from_millis(500));
    let mut warm_up = Fleet::new(&context.stop)?;
    warm_up.open(&target, sessions / 10)?;
    warm_up.run_for(settle / 3)?;
    drop(warm_up);
    let mut fleet = Fleet::new(&context.stop)?;
    fleet.run_for(settle)?;
    let before = server.process.rss()?;
    fleet.open(&target, sessions)?;
    fleet.run_for(settle)?;
    let after = server.process.rss()?;
    Ok((after as f64 - before as f64) / sessions as f64)
}

/// Runs the suite.
///
/// # Errors
/// A server fails.
pub fn run(context: &Context) -> Result<Suite> {
    let mut suite = Suite::new("memory", "Memory of an idle session");
    suite.note = format!(
        "Resident size of the server's process with {} sessions that say and hear nothing, less its size before them, \
         each 3 s after the last came or went. Before the first size is taken, a tenth as many sessions come and leave, \
         so that what a server makes once is not counted; what it keeps of them for the next is at most a tenth. \
         Kernel memory of the sockets is the same for all and not in it. KB are 1,024 bytes.",
        context.pick("10,000", "1,000")
    );
    let mut ours_on_ws = f64::NAN;
    for wire in [Wire::Ws, Wire::SocketIo, Wire::Polling, Wire::Sse] {
        let comparison = compare(wire, context)?;
        targets(wire, &comparison, &mut suite.targets);
        if wire == Wire::Ws {
            ours_on_ws = comparison.ours();
        }
        if let (Wire::SocketIo, Some(node)) = (wire, comparison.median(Kind::SocketIo)) {
            let name = "memory of an idle /ws session beside socket.io on Node";
            suite.targets.push(Target::at_most(name, ours_on_ws / node, 0.2, "×"));
        }
        let chart = format!("KB of memory an idle session, {}", wire.name());
        suite.sections.push(comparison.section(wire.name(), Some(&chart)));
    }
    Ok(suite)
}

fn compare(wire: Wire, context: &Context) -> Result<Comparison> {
    // The floor has no sessions to speak of.
    let has_sessions = |kind: &Kind| !matches!(kind, Kind::Floor | Kind::BusyFloor);
    let kinds: Vec<Kind> = Kind::on(wire).iter().copied().filter(has_sessions).collect();
    let sizes = in_turn(
        context,
        3,
        wire.name(),
        &contestants(context, &kinds),
        |kind| Ok(per_session(kind, wire, context)? / 1024.0),
        |size| format!("{size:.2} KB"),
    )?;
    Ok(Comparison::of(&sizes, ("KB a session", 2, |size| *size), &[]))
}

fn targets(wire: Wire, comparison: &Comparison, targets: &mut Vec<Target>) {
    let limits: &[(&str, Kind, f64)] = match wire {
        Wire::Ws => &[("Bun", Kind::Bun, 1.2)],
        Wire::SocketIo => &[("socket.io on Node", Kind::SocketIo, 0.2)],
        Wire::Polling | Wire::Sse => &[],
    };
    let name = format!("memory of an idle {} session", wire.name());
    if wire == Wire::Ws {
        targets.push(Target::at_most(&name, comparison.ours(), 2.5, "KB"));
    }
    for (other, kind, limit) in limits.iter().chain(&[("the build before", Kind::Before, 1.03)]) {
        if let Some(ratio) = comparison.beside(*kind) {
            targets.push(Target::at_most(&format!("{name} beside {other}"), ratio, *limit, "×"));
        }
    }
}
