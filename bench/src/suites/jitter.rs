//! Networks that blink: each client is cut off for two seconds every fifteen while alerts flow. Who has got everything in
//! the end, and how soon after each return.

use std::time::{Duration, Instant};

use crate::{
    Result,
    client::{Clients, Pause},
    context::Context,
    peers::{Kind, Server},
    process::own_cpu,
    report::{Chart, Section, Suite, Table, Target},
    stats::Summary,
    suites::{
        comparison::{Outcomes, in_turn},
        publisher::Publisher,
        recovery::{Contestant, Tally, contestants, options},
    },
};

/// From one cut to the next of the same client.
const CYCLE: Duration = Duration::from_secs(15);
/// From a cut until the client connects again.
const AWAY: Duration = Duration::from_secs(2);
/// How long a client's epoll waits at most: so exact are cuts and returns.
const TURN: Duration = Duration::from_millis(1);
/// After all are back: who has got nothing for so long gets nothing any more.
const SILENCE: Duration = Duration::from_secs(3);
/// How long it may take until all are back.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How many, how often, for how long.
#[derive(Clone, Copy, Debug)]
struct Shape {
    clients: usize,
    /// Between two alerts.
    gap: Duration,
    lasts: Duration,
}

/// When whom to cut off: one after another, so that each has its turn once in a cycle.
struct Cuts {
    clients: usize,
    done: usize,
}

impl Cuts {
    /// The next client whose turn has come, so long after the begin.
    fn due(&mut self, elapsed: Duration) -> Option<usize> {
        let at = CYCLE.as_secs_f64() * self.done as f64 / self.clients as f64;
        (elapsed.as_secs_f64() >= at).then(|| {
            self.done += 1;
            (self.done - 1) % self.clients
        })
    }
}

struct Outcome {
    tally: Tally,
    /// Alerts a second.
    rate: f64,
    cuts: usize,
    /// Sessions of Socket.IO that were recovered.
    recovered: usize,
    /// Returns after which everything that was missed came in its order.
    replays: usize,
    /// From the first byte of a return to the last alert that was missed, ms.
    p50: f64,
    p99: f64,
    /// Of a core, %.
    server: f64,
    client: f64,
}

fn round(who: Contestant, shape: Shape, context: &Context) -> Result<Outcome> {
    let server = Server::start(who.kind, context, &options())?;
    let publisher = Publisher::start(&server.target(who.wire), shape.gap);
    let target = server.listeners(who.wire);
    let mut clients = Clients::open(target, shape.clients, Pause::BackOff, &publisher.latest, &context.stop)?;
    // Socket.IO recovers only whom it has told something.
    let begin = Instant::now();
    while clients.seen().any(<[u64]>::is_empty) {
        clients.turn(TURN)?;
        if begin.elapsed() > TIMEOUT {
            return Err("not every client has had an alert in time".into());
        }
    }
    let first = publisher.acknowledged() + 1;
    clients.fleet.begin();
    let (server_before, own_before) = (server.process.cpu()?, own_cpu()?);
    let begin = Instant::now();
    let (mut turns, mut cuts) = (Cuts { clients: shape.clients, done: 0 }, 0);
    while begin.elapsed() < shape.lasts {
        clients.turn(TURN)?;
        while let Some(number) = turns.due(begin.elapsed()) {
            cuts += usize::from(clients.drop_for(number, AWAY));
        }
    }
    let last = publisher.end(|| clients.turn(TURN))?;
    let elapsed = begin.elapsed().as_secs_f64();
    let share = |after: Duration, before: Duration| 100.0 * (after - before).as_secs_f64() / elapsed;
    let server_share = share(server.process.cpu()?, server_before);
    let client_share = share(own_cpu()?, own_before);
    settle(&mut clients, last)?;
    let counters = &mut clients.fleet.counters;
    let [p50, p99] = counters.replays.quantiles([0.5, 0.99]);
    let (replays, recovered) = (counters.replays.len(), counters.recovered);
    Ok(Outcome {
        tally: Tally::of(clients.seen(), &(first..=last)),
        rate: (last + 1 - first) as f64 / elapsed,
        cuts,
        recovered,
        replays,
        p50,
        p99,
        server: server_share,
        client: client_share,
    })
}

/// Until all are back and have everything, or get nothing any more.
fn settle(clients: &mut Clients, last: u64) -> Result<()> {
    let begin = Instant::now();
    let (mut heard, mut alerts) = (begin, clients.fleet.counters.alerts);
    while !clients.have_all(last) {
        // Looking at all of them takes a while, too.
        let until = Instant::now() + 50 * TURN;
        while Instant::now() < until {
            clients.turn(TURN)?;
        }
        if clients.fleet.counters.alerts > alerts || clients.ready() < clients.len() {
            (heard, alerts) = (Instant::now(), clients.fleet.counters.alerts);
        }
        if begin.elapsed() > TIMEOUT {
            let ready = clients.ready();
            return Err(format!("{ready} of {} are back after {TIMEOUT:?}", clients.len()).into());
        }
        if heard.elapsed() > SILENCE {
            break;
        }
    }
    Ok(())
}

/// Runs the suite.
///
/// # Errors
/// A server fails, or does not let everyone in again.
pub fn run(context: &Context) -> Result<Suite> {
    let mut suite = Suite::new("jitter", "Networks that blink");
    let lasts = context.pick(Duration::from_secs(60), Duration::from_secs(8));
    suite.note = NOTE.into();
    let published = Shape { clients: context.pick(10_000, 500), gap: Duration::from_millis(500), lasts };
    let dense = Shape { clients: context.pick(DENSE, 50), gap: Duration::from_millis(10), lasts };
    for shape in [published, dense] {
        let title = format!("{} clients, {} alerts a second", shape.clients, 1000 / shape.gap.as_millis());
        let outcomes = in_turn(
            context,
            1,
            &title,
            &contestants(context),
            |who| round(who, shape, context),
            |outcome| {
                let Outcome { tally, replays, p99, server, .. } = outcome;
                format!("{}, {replays} replays, p99 {p99:.1} ms, {server:.0} % of a core", tally.shown())
            },
        )?;
        report(&mut suite, &title, &outcomes);
    }
    Ok(suite)
}

/// Clients that get a hundred alerts a second: a number with which all servers keep up.
const DENSE: usize = 250;

const NOTE: &str = "Each client's socket is closed with a reset once in 15 s, one client after another, and it connects \
    again 2 s later, while alerts go to all: the shape that AnyCable has published for the servers that it compares \
    (10,000 clients, 120 alerts in a minute), and a hundred alerts a second to fewer. Each client's ids are compared with \
    what was told from the moment at which all were there: also what it missed while it was away counts. A replay lasts \
    from the first byte of the new connection to the last of the alerts that were told before it, all of them in order. \
    (Who is cut off last misses nothing.) \
    shopbell's clients come back with `after` on /ws and with recovery on Socket.IO, each with its log-in. Bun has nothing \
    to come back to.";

fn report(suite: &mut Suite, title: &str, outcomes: &Outcomes<Contestant, Outcome>) {
    let mut table = Table::new(&[
        "server",
        "delivered",
        "lost",
        "repeated",
        "disordered",
        "cuts",
        "recovered",
        "replays",
        "replay p50 ms",
        "replay p99 ms",
        "server, % of a core",
        "client, %",
        "alerts/s",
    ]);
    let mut bars = Vec::new();
    for (who, rounds) in outcomes {
        let mut tally = Tally::default();
        rounds.iter().for_each(|outcome| tally += outcome.tally);
        let sum = |number: fn(&Outcome) -> usize| rounds.iter().map(number).sum::<usize>();
        let median = |number: fn(&Outcome) -> f64| Summary::over(rounds, number).median;
        let replays = sum(|outcome| outcome.replays);
        let shown = |text: String| if replays > 0 { text } else { "–".to_owned() };
        table.row([
            who.to_string(),
            tally.shown(),
            tally.lost.to_string(),
            tally.repeated.to_string(),
            tally.disordered.to_string(),
            sum(|outcome| outcome.cuts).to_string(),
            match sum(|outcome| outcome.recovered) {
                0 => "–".to_owned(),
                recovered => recovered.to_string(),
            },
            shown(replays.to_string()),
            shown(format!("{:.1}", median(|outcome| outcome.p50))),
            shown(format!("{:.1}", median(|outcome| outcome.p99))),
            format!("{:.0}", median(|outcome| outcome.server)),
            format!("{:.0}", median(|outcome| outcome.client)),
            format!("{:.1}", median(|outcome| outcome.rate)),
        ]);
        if replays > 0 {
            bars.push((who.to_string(), median(|outcome| outcome.p99)));
        }
        if who.kind.is_shopbell() {
            let faults = tally.lost + tally.repeated + tally.disordered;
            let name = format!("{title}, each cut off for 2 s in 15, {who}: lost, repeated, disordered");
            suite.targets.push(Target::at_most(&name, faults as f64, 0.0, ""));
        }
    }
    targets(suite, title, outcomes);
    let chart = format!("{title}: p99 of a replay, ms");
    suite.sections.push(Section { chart: Some(Chart::bars(&chart, bars)), ..Section::new(title, table) });
}

/// The replays of shopbell beside those of Socket.IO.
fn targets(suite: &mut Suite, title: &str, outcomes: &Outcomes<Contestant, Outcome>) {
    let p99 = |rounds: &[Outcome]| Summary::over(rounds, |outcome| outcome.p99).median;
    let theirs = outcomes.iter().find(|(who, _)| who.kind == Kind::SocketIo);
    let Some(theirs) = theirs.map(|(_, rounds)| p99(rounds)) else { return };
    for (who, rounds) in outcomes.iter().filter(|(who, _)| who.kind.is_shopbell()) {
        let name = format!("{title}, {who}: p99 of a replay beside Socket.IO's");
        suite.targets.push(Target::at_most(&name, p99(rounds) / theirs, 1.0, "×"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_is_cut_off_once_in_a_cycle_and_not_with_the_others() {
        let mut cuts = Cuts { clients: 3, done: 0 };
        let mut at = Vec::new();
        for second in 0..30 {
            while let Some(number) = cuts.due(Duration::from_secs(second)) {
                at.push((second, number));
            }
        }
        assert_eq!(at, [(0, 0), (5, 1), (10, 2), (15, 0), (20, 1), (25, 2)]);
    }
}
