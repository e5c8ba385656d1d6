//! Fan-out: the processor time that the server spends on one alert to one session, and how long until the last
//! session has it.

use crate::{
    Result,
    client::{Fleet, Wire},
    peers::{Kind, Options, Server},
    process::own_cpu,
    report::{Chart, Section, Suite, Table, Target, compare},
    stats::Summary,
    suites::Context,
};

/// What is asked of a server.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// How alerts travel.
    pub wire: Wire,
    /// Sessions that get them.
    pub sessions: usize,
    /// Orders that are sent before any of them has reached all.
    pub in_flight: usize,
    /// Times that so many are sent.
    pub waves: usize,
}

/// What one round of it cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Processor time of the server for one alert to one session, µs.
    pub cpu: f64,
    /// That of the client.
    pub client: f64,
    /// From the order to each session, ms.
    pub p50: f64,
    /// Likewise.
    pub p99: f64,
    /// Bytes that the client got for each alert.
    pub bytes: f64,
}

/// Starts a server, lets sessions in, and has it tell them of orders.
///
/// # Errors
/// Something does not arrive.
pub fn round(kind: Kind, work: Work, context: &Context, options: &Options) -> Result<Cost> {
    let server = Server::start(kind, context, options)?;
    let mut fleet = Fleet::new(&context.stop)?;
    // Orders come from a WebSocket of its own, which is not counted among the sessions but hears them like all.
    let buyer = match work.wire {
        Wire::Ws | Wire::Sse => Wire::Ws,
        Wire::SocketIo | Wire::Polling => Wire::SocketIo,
    };
    fleet.open(&server.target(buyer), 1)?;
    fleet.open(&server.target(work.wire), work.sessions)?;
    let warm_up = Work { waves: 3, ..work };
    deliver(&mut fleet, warm_up)?;
    let (before, own_before) = (server.process.cpu()?, own_cpu()?);
    deliver(&mut fleet, work)?;
    let (after, own_after) = (server.process.cpu()?, own_cpu()?);
    let deliveries = fleet.tally.alerts as f64;
    let [p50, p99] = fleet.tally.latencies.quantiles([0.5, 0.99]);
    Ok(Cost {
        cpu: (after - before).as_secs_f64() * 1e6 / deliveries,
        client: (own_after - own_before).as_secs_f64() * 1e6 / deliveries,
        p50,
        p99,
        bytes: fleet.tally.bytes as f64 / deliveries,
    })
}

fn deliver(fleet: &mut Fleet, work: Work) -> Result<()> {
    fleet.begin();
    let everyone = fleet.len() as u64;
    let mut orders = 0;
    for _ in 0..work.waves {
        for _ in 0..work.in_flight {
            fleet.order(0)?;
            orders += 1;
        }
        fleet.until("all sessions have all alerts", |tally| {
            tally.alerts >= orders * everyone && tally.acks >= orders
        })?;
        if fleet.tally.refused > 0 {
            return Err("an order was refused".into());
        }
    }
    Ok(())
}

/// Rounds of several servers in turn: A B A B.
///
/// # Errors
/// A server fails.
pub fn in_turn(kinds: &[Kind], work: Work, context: &Context) -> Result<Vec<(Kind, Vec<Cost>)>> {
    let mut costs: Vec<(Kind, Vec<Cost>)> = kinds.iter().map(|&kind| (kind, Vec::new())).collect();
    for number in 1..=context.pick(5, 1) {
        for (kind, costs) in &mut costs {
            let cost = round(*kind, work, context, &Options::default())
                .map_err(|error| format!("{} on {}: {error}", kind.name(), work.wire.name()))?;
            context.step(&format!(
                "{} {} × {}, round {number}: {} {:.2} µs",
                work.wire.name(),
                work.sessions,
                work.in_flight,
                kind.name(),
                cost.cpu
            ));
            costs.push(cost);
        }
    }
    Ok(costs)
}

/// Runs the suite.
///
/// # Errors
/// A server fails.
pub fn run(context: &Context) -> Result<Suite> {
    let mut suite = Suite::new("fanout", "Fan-out");
    suite.note = "Processor time of the server's process for one alert to one session: the median of the rounds, and \
                  the lowest and highest of them. An order of shopbell is durable before it is told; the others \
                  store nothing. `bytes` is what each session receives for one alert; a Socket.IO session of \
                  shopbell also gets its place in the log."
        .into();
    for wire in [Wire::Ws, Wire::SocketIo, Wire::Polling, Wire::Sse] {
        for sessions in context.pick([10_000, 2_000], [1_000, 200]) {
            for in_flight in [1, 4] {
                let waves = context.pick(240_000, 4_000) / sessions / in_flight;
                let work = Work { wire, sessions, in_flight, waves };
                let costs = in_turn(Kind::on(wire), work, context)?;
                section(&mut suite, work, &costs, sessions == context.pick(10_000, 1_000));
            }
        }
    }
    Ok(suite)
}

fn section(suite: &mut Suite, work: Work, costs: &[(Kind, Vec<Cost>)], large: bool) {
    let how = if work.in_flight == 1 { "one in flight" } else { "bursts of four" };
    let title = format!("{}, {} sessions, {how}", work.wire.name(), work.sessions);
    let mut table = Table::new(&[
        "server",
        "µs a delivery",
        "rounds",
        "shopbell is",
        "p50 ms",
        "p99 ms",
        "bytes",
        "client µs",
    ]);
    let cpu: Vec<(Kind, Summary)> =
        costs.iter().map(|(kind, costs)| (*kind, Summary::over(costs, |cost| cost.cpu))).collect();
    let ours = cpu[0].1.median;
    for ((kind, costs), (_, cpu)) in costs.iter().zip(&cpu) {
        let median = |number: fn(&Cost) -> f64| Summary::over(costs, number).median;
        table.row([
            kind.name().to_owned(),
            format!("{:.2}", cpu.median),
            format!("{:.2}–{:.2}", cpu.min, cpu.max),
            compare(ours, cpu.median),
            format!("{:.1}", median(|cost| cost.p50)),
            format!("{:.1}", median(|cost| cost.p99)),
            format!("{:.0}", median(|cost| cost.bytes)),
            format!("{:.2}", median(|cost| cost.client)),
        ]);
    }
    let against = |other: Kind| {
        let other = cpu.iter().find(|(kind, _)| *kind == other)?;
        Some(ours / other.1.median)
    };
    let mut target = |name: &str, other: Kind, limit: f64| {
        if let Some(ratio) = against(other) {
            suite.targets.push(Target::at_most(&format!("{title}: {name}"), ratio, limit, "×"));
        }
    };
    match (work.wire, large, work.in_flight) {
        (Wire::Ws, true, 1) => {
            target("processor time beside the floor", Kind::Floor, 1.10);
            target("processor time beside Bun", Kind::Bun, 1.0);
        }
        (Wire::Ws, false, 4) => target("processor time beside Bun", Kind::Bun, 1.0),
        (Wire::SocketIo, true, 1) => {
            target("processor time beside the floor", Kind::Floor, 1.15);
            target("processor time beside socket.io on Node", Kind::SocketIo, 0.45);
            target("processor time beside socketioxide", Kind::Socketioxide, 0.65);
        }
        _ => {}
    }
    let mut section = Section::new(&title, table);
    if large && work.in_flight == 1 {
        let bars = cpu.iter().map(|(kind, cpu)| (kind.name().to_owned(), cpu.median)).collect();
        section.chart = Some(Chart::bars(&format!("{title}: µs of processor time a delivery"), bars));
    }
    suite.sections.push(section);
}
