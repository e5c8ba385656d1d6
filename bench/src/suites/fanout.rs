//! Fan-out: the processor time that the server spends on one alert to one session, and how long until the last
//! session has it.

use std::time::Duration;

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
    /// Orders that are sent before any of them has reached all: each number in turn.
    pub in_flight: &'static [usize],
    /// Alerts to one session that are to be delivered for each of them.
    pub deliveries: usize,
}

/// What one round of it cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Processor time of the server for one alert to one session, µs: the median of the waves.
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

/// Starts a server, lets sessions in, and has it tell them of orders: what that cost, for each number in flight.
///
/// # Errors
/// Something does not arrive.
pub fn round(kind: Kind, work: Work, context: &Context, options: &Options) -> Result<Vec<Cost>> {
    let server = Server::start(kind, context, options)?;
    let mut fleet = Fleet::new(&context.stop)?;
    // Orders come from a WebSocket of its own, which is not counted among the sessions but hears them like all.
    let buyer = match work.wire {
        Wire::Ws | Wire::Sse => Wire::Ws,
        Wire::SocketIo | Wire::Polling => Wire::SocketIo,
    };
    fleet.open(&server.target(buyer), 1)?;
    fleet.open(&server.target(work.wire), work.sessions)?;
    deliver(&mut fleet, 1, 3, || Ok(()))?;
    work.in_flight
        .iter()
        .map(|&in_flight| {
            let waves = (work.deliveries / work.sessions / in_flight).max(2);
            let (mut used, own_before) = (vec![server.process.cpu()?], own_cpu()?);
            deliver(&mut fleet, in_flight, waves, || {
                used.push(server.process.cpu()?);
                Ok(())
            })?;
            let own_after = own_cpu()?;
            let deliveries = fleet.tally.alerts as f64;
            let of_wave =
                |used: &[Duration]| (used[1] - used[0]).as_secs_f64() * 1e6 * waves as f64 / deliveries;
            // Whatever else the machine does for a moment spoils a wave, not the round.
            let waves: Vec<f64> = used.windows(2).map(of_wave).collect();
            let [p50, p99] = fleet.tally.latencies.quantiles([0.5, 0.99]);
            Ok(Cost {
                cpu: Summary::of(&waves).median,
                client: (own_after - own_before).as_secs_f64() * 1e6 / deliveries,
                p50,
                p99,
                bytes: fleet.tally.bytes as f64 / deliveries,
            })
        })
        .collect()
}

/// So many waves: so many orders at once, and all alerts to all sessions.
fn deliver(
    fleet: &mut Fleet,
    in_flight: usize,
    waves: usize,
    mut after_each: impl FnMut() -> Result<()>,
) -> Result<()> {
    fleet.begin();
    let everyone = fleet.len() as u64;
    let mut orders = 0;
    for _ in 0..waves {
        for _ in 0..in_flight {
            fleet.order(0)?;
            orders += 1;
        }
        fleet.until("all sessions have all alerts", |tally| {
            tally.alerts >= orders * everyone && tally.acks >= orders
        })?;
        if fleet.tally.refused > 0 {
            return Err("an order was refused".into());
        }
        after_each()?;
    }
    Ok(())
}

/// The costs of each server: for each round, for each number in flight.
pub type Costs = Vec<(Kind, Vec<Vec<Cost>>)>;

/// Rounds of several servers in turn: A B A B.
///
/// # Errors
/// A server fails.
pub fn in_turn(kinds: &[Kind], work: Work, context: &Context, options: &Options) -> Result<Costs> {
    let mut costs: Costs = kinds.iter().map(|&kind| (kind, Vec::new())).collect();
    for number in 1..=context.rounds(5) {
        for (kind, costs) in &mut costs {
            let cost = round(*kind, work, context, options)
                .map_err(|error| format!("{} on {}: {error}", kind.name(), work.wire.name()))?;
            let shown: Vec<String> = cost.iter().map(|cost| format!("{:.2} µs", cost.cpu)).collect();
            let (wire, sessions) = (work.wire.name(), work.sessions);
            let text = format!("{wire} × {sessions}, round {number}: {} {}", kind.name(), shown.join(", "));
            context.step(&text);
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
    suite.note = "Processor time of the server's process for one alert to one session: the median of the rounds, \
                  each the median of its waves, and the lowest and highest of them. An order of shopbell is durable before it is told; the others \
                  store nothing. `bytes` is what a session receives for one alert; a Socket.IO session of shopbell \
                  also gets its place in the log. Bursts are four orders sent at once."
        .into();
    for wire in [Wire::Ws, Wire::SocketIo, Wire::Polling, Wire::Sse] {
        for sessions in context.pick([10_000, 2_000], [1_000, 200]) {
            let work = Work { wire, sessions, in_flight: &[1, 4], deliveries: context.pick(120_000, 4_000) };
            let costs = in_turn(Kind::on(wire), work, context, &Options::default())?;
            for (number, &in_flight) in work.in_flight.iter().enumerate() {
                let costs = costs
                    .iter()
                    .map(|(kind, rounds)| (*kind, rounds.iter().map(|costs| costs[number]).collect()));
                let large = sessions == context.pick(10_000, 1_000);
                section(&mut suite, (wire, sessions, in_flight), &costs.collect::<Vec<_>>(), large);
            }
        }
    }
    Ok(suite)
}

fn section(
    suite: &mut Suite,
    (wire, sessions, in_flight): (Wire, usize, usize),
    costs: &[(Kind, Vec<Cost>)],
    large: bool,
) {
    let how = if in_flight == 1 { "one in flight" } else { "bursts of four" };
    let title = format!("{}, {sessions} sessions, {how}", wire.name());
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
    match (wire, large, in_flight) {
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
    if large && in_flight == 1 {
        let bars = cpu.iter().map(|(kind, cpu)| (kind.name().to_owned(), cpu.median)).collect();
        section.chart = Some(Chart::bars(&format!("{title}: µs of processor time a delivery"), bars));
    }
    suite.sections.push(section);
}
