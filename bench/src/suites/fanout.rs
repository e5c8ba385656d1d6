//! Fan-out: the processor time that the server spends on one alert to one session, and how long until the last
//! session has it.

use std::time::Duration;

use crate::{
    Result,
    client::{Fleet, Wire},
    context::Context,
    peers::{Kind, Options, Server},
    process::own_cpu,
    report::{Suite, Target},
    stats::Summary,
    suites::comparison::{Comparison, Outcomes, contestants, in_turn},
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
    fleet.open(&server.listeners(work.wire), work.sessions)?;
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
            let deliveries = fleet.counters.alerts as f64;
            let of_wave =
                |used: &[Duration]| (used[1] - used[0]).as_secs_f64() * 1e6 * waves as f64 / deliveries;
            // Whatever else the machine does for a moment spoils a wave, not the round.
            let waves: Vec<f64> = used.windows(2).map(of_wave).collect();
            let [p50, p99] = fleet.counters.latencies.quantiles([0.5, 0.99]);
            Ok(Cost {
                cpu: Summary::of(&waves).median,
                client: (own_after - own_before).as_secs_f64() * 1e6 / deliveries,
                p50,
                p99,
                bytes: fleet.counters.bytes as f64 / deliveries,
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
        fleet.until("all sessions have all alerts", |counters| {
            counters.alerts >= orders * everyone && counters.acks >= orders
        })?;
        if fleet.counters.refused > 0 {
            return Err("an order was refused".into());
        }
        after_each()?;
    }
    Ok(())
}

/// The costs of servers in turn: for each round, for each number in flight.
///
/// # Errors
/// A server fails.
pub fn costs(
    kinds: &[Kind],
    work: Work,
    context: &Context,
    options: &Options,
) -> Result<Outcomes<Kind, Vec<Cost>>> {
    let what = format!("{} × {}", work.wire.name(), work.sessions);
    let shown = |costs: &Vec<Cost>| {
        costs.iter().map(|cost| format!("{:.2} µs", cost.cpu)).collect::<Vec<_>>().join(", ")
    };
    in_turn(context, 5, &what, kinds, |kind| round(kind, work, context, options), shown)
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
            let kinds = contestants(context, Kind::on(wire));
            let costs = costs(&kinds, work, context, &Options::default())?;
            let large = sessions == context.pick(10_000, 1_000);
            for (number, &in_flight) in work.in_flight.iter().enumerate() {
                let costs: Outcomes<Kind, Cost> = costs
                    .iter()
                    .map(|(kind, rounds)| (*kind, rounds.iter().map(|costs| costs[number]).collect()))
                    .collect();
                section(&mut suite, (wire, sessions, in_flight), &costs, large);
            }
        }
    }
    Ok(suite)
}

fn section(
    suite: &mut Suite,
    (wire, sessions, in_flight): (Wire, usize, usize),
    costs: &Outcomes<Kind, Cost>,
    large: bool,
) {
    let how = if in_flight == 1 { "one in flight" } else { "bursts of four" };
    let title = format!("{}, {sessions} sessions, {how}", wire.name());
    let comparison = Comparison::of(
        costs,
        ("µs a delivery", 2, |cost| cost.cpu),
        &[
            ("p50 ms", 1, |cost| cost.p50),
            ("p99 ms", 1, |cost| cost.p99),
            ("bytes", 0, |cost| cost.bytes),
            ("client µs", 2, |cost| cost.client),
        ],
    );
    let limits: &[(&str, Kind, f64)] = match (wire, large, in_flight) {
        (Wire::Ws, true, 1) => &[("the floor", Kind::Floor, 1.10), ("Bun", Kind::Bun, 1.0)],
        (Wire::Ws, false, 4) => &[("Bun", Kind::Bun, 1.0)],
        (Wire::SocketIo, true, 1) => &[
            ("the floor", Kind::Floor, 1.15),
            ("socket.io on Node", Kind::SocketIo, 0.45),
            ("socketioxide", Kind::Socketioxide, 0.65),
        ],
        _ => &[],
    };
    for (name, kind, limit) in limits.iter().chain(&[("the build before", Kind::Before, 1.03)]) {
        if let Some(ratio) = comparison.beside(*kind) {
            let name = format!("{title}: processor time beside {name}");
            suite.targets.push(Target::at_most(&name, ratio, *limit, "×"));
        }
    }
    let chart = format!("{title}: µs of processor time a delivery");
    let chart = (large && in_flight == 1).then_some(chart.as_str());
    suite.sections.push(comparison.section(&title, chart));
}
