//! Memory of an idle session: resident size of the server's process with the sessions less without, divided.

use std::time::Duration;

use crate::{
    Result,
    client::{Fleet, Wire},
    peers::{Kind, Options, Server},
    report::{Chart, Section, Suite, Table, Target, compare},
    stats::Summary,
    suites::Context,
};

/// Bytes of resident memory for each session.
fn per_session(kind: Kind, wire: Wire, context: &Context) -> Result<f64> {
    let sessions = context.pick(10_000, 1_000);
    let server = Server::start(kind, context, &Options::default())?;
    let target = server.target(wire);
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
    let mut medians: Vec<(Wire, Kind, f64)> = Vec::new();
    for wire in [Wire::Ws, Wire::SocketIo, Wire::Polling, Wire::Sse] {
        // The floor has no sessions to speak of.
        let has_sessions = |kind: &Kind| !matches!(kind, Kind::Floor | Kind::BusyFloor);
        let kinds: Vec<Kind> = Kind::on(wire).iter().copied().filter(has_sessions).collect();
        let mut sizes: Vec<(Kind, Vec<f64>)> = kinds.iter().map(|&kind| (kind, Vec::new())).collect();
        for round in 1..=context.rounds(3) {
            for (kind, sizes) in &mut sizes {
                let size = per_session(*kind, wire, context)? / 1024.0;
                context.step(&format!("{}, round {round}: {} {size:.2} KB", wire.name(), kind.name()));
                sizes.push(size);
            }
        }
        let mut table = Table::new(&["server", "KB a session", "rounds", "shopbell is"]);
        let mut bars = Vec::new();
        let ours = Summary::of(&sizes[0].1).median;
        for (kind, sizes) in &sizes {
            let size = Summary::of(sizes);
            table.row([
                kind.name().to_owned(),
                format!("{:.2}", size.median),
                format!("{:.2}–{:.2}", size.min, size.max),
                compare(ours, size.median),
            ]);
            bars.push((kind.name().to_owned(), size.median));
            medians.push((wire, *kind, size.median));
        }
        let mut section = Section::new(wire.name(), table);
        if bars.len() > 1 {
            section.chart =
                Some(Chart::bars(&format!("KB of memory an idle session, {}", wire.name()), bars));
        }
        suite.sections.push(section);
    }
    let median = |wire: Wire, kind: Kind| {
        let found = medians.iter().find(|(of, at, _)| *of == wire && *at == kind);
        found.map_or(f64::NAN, |found| found.2)
    };
    let ours = median(Wire::Ws, Kind::Shopbell);
    let io = median(Wire::SocketIo, Kind::Shopbell);
    let node = median(Wire::SocketIo, Kind::SocketIo);
    suite.targets = vec![
        Target::at_most("memory of an idle /ws session", ours, 2.5, "KB"),
        Target::at_most(
            "memory of an idle /ws session beside Bun",
            ours / median(Wire::Ws, Kind::Bun),
            1.2,
            "×",
        ),
        Target::at_most("memory of an idle /ws session beside socket.io on Node", ours / node, 0.2, "×"),
        Target::at_most("memory of an idle Socket.IO session beside socket.io on Node", io / node, 0.2, "×"),
    ];
    Ok(suite)
}
