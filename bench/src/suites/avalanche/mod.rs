//! A restart with twenty thousand clients in several processes, while alerts flow: when all are back, and whether they
//! have everything that was told before, meanwhile and after.

mod crowd;

pub use crowd::run as run_crowd;

use std::time::Duration;

use crate::{
    Result,
    context::Context,
    peers::{Options, Server, Shop},
    report::{Chart, Section, Suite, Table, Target},
    stats::Summary,
    suites::{
        comparison::{Outcomes, in_turn},
        publisher::Publisher,
        recovery::{Contestant, Tally, contestants, options},
    },
};
use crowd::Crowd;

/// Between two alerts.
const GAP: Duration = Duration::from_millis(500);
/// Before the restart.
const BEFORE: Duration = Duration::from_secs(3);
/// Processes of clients.
const PROCESSES: usize = 4;
/// Connections that are no clients: the publisher's, and those that are about to close.
const SPARE: usize = 125;

/// As many clients as are wanted, or as the limit of open files lets every server have. shopbell takes the fewest: it
/// leaves an eighth of the descriptors alone, and keeps a quarter of the others for connections that are a member's from
/// their first request on, which one of Socket.IO is not.
fn fitting(wanted: usize, limit: Option<u64>) -> usize {
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let connections = limit - limit / 8;
    let places = (connections - connections / 4).saturating_sub(SPARE);
    wanted.min(places) / PROCESSES * PROCESSES
}

struct Outcome {
    clients: usize,
    /// How many came back.
    back: usize,
    /// From SIGTERM until half of them, 99 in a hundred, and the last were let in, s.
    times: [f64; 3],
    /// From SIGTERM until the last had everything, s; nothing if one never had.
    complete: Option<f64>,
    recovered: usize,
    tally: Tally,
    /// Processor time of the new server by then, s.
    cpu: f64,
}

fn round(who: Contestant, clients: usize, context: &Context) -> Result<Outcome> {
    let server = Server::start(who.kind, context, &options())?;
    let target = server.listeners(who.wire);
    let crowd = Crowd::open(&target, PROCESSES, clients / PROCESSES)?;
    let publisher = Publisher::start(&server.target(who.wire), GAP);
    pause(BEFORE, context)?;
    let Server { process, folder, address, .. } = server;
    let begin = crowd::now();
    process.terminate()?;
    let again =
        Options { shop: Shop::Database(folder.path().join("shop.db")), address: Some(address), ..options() };
    let server = Server::start(who.kind, context, &again)?;
    crowd.until_back()?;
    let last = publisher.end(|| pause(Duration::from_millis(10), context))?;
    let crowd::Outcome { mut back, complete, recovered, tally } = crowd.end(last)?;
    let since = |at: u64| at.saturating_sub(begin) as f64 / 1000.0;
    back.sort_unstable();
    let rank = |share: f64| ((share * back.len() as f64).ceil() as usize).clamp(1, back.len().max(1)) - 1;
    let times = [0.5, 0.99, 1.0].map(|share| back.get(rank(share)).map_or(f64::NAN, |&at| since(at)));
    let cpu = server.process.cpu()?.as_secs_f64();
    let complete = complete.map(since);
    Ok(Outcome { clients, back: back.len(), times, complete, recovered, tally, cpu })
}

fn pause(time: Duration, context: &Context) -> Result<()> {
    std::thread::sleep(time);
    context.stop.check()
}

/// Runs the suite.
///
/// # Errors
/// A server fails, or does not come up again.
pub fn run(context: &Context) -> Result<Suite> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let clients = fitting(context.pick(20_000, 400), limit);
    if clients == 0 {
        return Err("the limit of open files leaves no room for clients: raise it (ulimit -n)".into());
    }
    let mut suite = Suite::new("avalanche", "A restart with all clients of a large shop");
    suite.note = format!(
        "{clients} clients in {PROCESSES} processes, two alerts a second. SIGTERM, and a new process at the same address as \
         soon as the old one has ended. Clients come back as socket.io-client does by itself, whatever a close frame says: \
         after a second, twice as long after each failure, at most five, each half as long again or shorter by chance. \
         Times are from the signal. All are complete when each has every alert that was told until the last was back. \
         Each client's ids are compared with what was told, from the first alert to the last. Socket.IO keeps what \
         recovery needs in its process, Bun keeps nothing."
    );
    let title = format!("{clients} clients");
    let outcomes = in_turn(
        context,
        1,
        &title,
        &contestants(context),
        |who| round(who, clients, context),
        |outcome| format!("{} back, the last after {:.2} s", outcome.back, outcome.times[2]),
    )?;
    report(&mut suite, &title, &outcomes);
    Ok(suite)
}

fn report(suite: &mut Suite, title: &str, outcomes: &Outcomes<Contestant, Outcome>) {
    let mut table = Table::new(&[
        "server",
        "back",
        "half back, s",
        "99 % back, s",
        "last back, s",
        "all complete, s",
        "delivered",
        "lost",
        "repeated",
        "disordered",
        "recovered",
        "server, s of a core",
    ]);
    let mut bars = Vec::new();
    for (who, rounds) in outcomes {
        let mut tally = Tally::default();
        rounds.iter().for_each(|outcome| tally += outcome.tally);
        let sum = |number: fn(&Outcome) -> usize| rounds.iter().map(number).sum::<usize>();
        let median = |number: &dyn Fn(&Outcome) -> f64| Summary::over(rounds, number).median;
        let times = [0, 1, 2].map(|which| median(&|outcome| outcome.times[which]));
        let complete: Option<Vec<f64>> = rounds.iter().map(|outcome| outcome.complete).collect();
        let complete = complete.map(|times| Summary::of(&times).median);
        let (back, clients) = (sum(|outcome| outcome.back), sum(|outcome| outcome.clients));
        let mut row = vec![who.to_string(), format!("{:.2} %", 100.0 * back as f64 / clients as f64)];
        row.extend(times.map(|time| format!("{time:.2}")));
        row.push(complete.map_or_else(|| "never".to_owned(), |time| format!("{time:.2}")));
        row.push(tally.shown());
        row.extend([tally.lost, tally.repeated, tally.disordered].map(|number| number.to_string()));
        row.push(sum(|outcome| outcome.recovered).to_string());
        row.push(format!("{:.2}", median(&|outcome| outcome.cpu)));
        table.row(row);
        bars.push((who.to_string(), times[2]));
        if who.kind.is_shopbell() {
            let faults = tally.lost + tally.repeated + tally.disordered + (clients - back) as u64;
            let name = format!("{title} after a restart, {who}: away, lost, repeated, disordered");
            suite.targets.push(Target::at_most(&name, faults as f64, 0.0, ""));
        }
    }
    let chart = format!("{title}: until the last is back after a restart, s");
    suite.sections.push(Section { chart: Some(Chart::bars(&chart, bars)), ..Section::new(title, table) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_take_part_as_one_server_may_have() {
        assert_eq!(fitting(20_000, None), 20_000);
        assert_eq!(fitting(20_000, Some(1_000_000)), 20_000);
        assert_eq!(fitting(20_000, Some(20_000)), 13_000);
        assert_eq!(fitting(400, Some(20_000)), 400);
        assert_eq!(fitting(20_000, Some(100)), 0);
    }
}
