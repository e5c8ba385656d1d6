//! The server is told to end, or killed, while thousands listen and orders keep coming, and is started again at once.
//! Every event of every listener is reconciled.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    Result,
    client::{Clients, Pause, Target as Address, Wire},
    context::Context,
    peers::{Kind, Options, Server, Shop},
    report::{Section, Suite, Table, Target},
    suites::publisher::Publisher,
};

/// Between two orders.
const GAP: Duration = Duration::from_millis(20);
/// How long the listeners' epoll waits at most.
const TURN: Duration = Duration::from_millis(5);
/// Handshakes under way.
const OPENING: usize = 200;
/// How long it may take until all are back.
const TIMEOUT: Duration = Duration::from_secs(60);

struct Outcome {
    /// Until the old process was gone, s.
    ended: f64,
    /// Until the last listener was let in again, s.
    back: f64,
    /// Until the last listener had everything up to then, s.
    complete: f64,
    orders: u64,
}

fn start(database: &Path, address: SocketAddr, context: &Context) -> Result<Server> {
    let options =
        Options { shop: Shop::Database(database.to_owned()), address: Some(address), ..Options::default() };
    Server::start(Kind::Shopbell, context, &options)
}

fn round(kill: bool, context: &Context) -> Result<Outcome> {
    let server = Server::start(Kind::Shopbell, context, &Options::default())?;
    let target = Address { after: Some(0), ..server.target(Wire::Ws) };
    let Server { mut process, folder, address, .. } = server;
    let publisher = Publisher::start(&target, GAP);
    let count = context.pick(5_000, 500);
    let mut listeners = Clients::open(target, count, Pause::AsNamed, &publisher.latest, &context.stop)?;
    listeners.at_once = OPENING;
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        listeners.turn(TURN)?;
    }

    let begin = Instant::now();
    if kill {
        process.kill()?;
    } else {
        process.ask_to_end()?;
        while !process.has_ended()? {
            listeners.turn(TURN)?;
        }
    }
    let ended = begin.elapsed().as_secs_f64();
    let server = start(&folder.path().join("shop.db"), address, context)?;
    // Also those whose end was not read yet have to come back.
    while listeners.gone() < count || listeners.ready() < count {
        listeners.turn(TURN)?;
        if begin.elapsed() > TIMEOUT {
            return Err(format!("{} of {count} are back after {TIMEOUT:?}", listeners.ready()).into());
        }
    }
    let back = begin.elapsed().as_secs_f64();
    let orders = publisher.end(|| listeners.turn(TURN))?;
    while !listeners.have_all(orders) {
        listeners.turn(TURN)?;
        if begin.elapsed() > TIMEOUT {
            return Err("not every listener has every alert in time".into());
        }
    }
    let complete = begin.elapsed().as_secs_f64();
    for seen in listeners.seen() {
        if !seen.iter().copied().eq(1..=orders) {
            return Err(format!("of {orders} alerts a listener got {seen:?}").into());
        }
    }
    drop(server);
    Ok(Outcome { ended, back, complete, orders })
}

/// Runs the suite.
///
/// # Errors
/// The server fails, or a listener does not get each alert once and in order.
pub fn run(context: &Context) -> Result<Suite> {
    let sessions = context.pick(5_000, 500);
    let mut suite = Suite::new("restart", "Restart and kill under load");
    suite.note = format!(
        "{sessions} listeners on /ws, an order every 20 ms with a key and repeated until it is acknowledged. SIGTERM or \
         SIGKILL, then a new process at once on one core. Listeners come back after the delay that the close frame named, \
         or half a second. At the end each listener has every id exactly once and in order, and there are as many \
         alerts as acknowledged orders; else the suite fails. Times are from the signal."
    );
    let mut table =
        Table::new(&["signal", "process ended, s", "last one back, s", "all have all, s", "orders"]);
    let mut slowest = 0.0_f64;
    for (signal, kill) in [("SIGTERM", false), ("SIGKILL", true)] {
        for number in 1..=context.rounds(3) {
            let outcome = round(kill, context)?;
            let text =
                format!("{signal}, round {number}: ended {:.2} s, back {:.2} s", outcome.ended, outcome.back);
            context.step(&text);
            slowest = slowest.max(outcome.complete);
            table.row([
                signal.to_owned(),
                format!("{:.2}", outcome.ended),
                format!("{:.2}", outcome.back),
                format!("{:.2}", outcome.complete),
                outcome.orders.to_string(),
            ]);
        }
    }
    suite.targets.push(Target::at_most(
        "5,000 listeners after a restart under load: the last is back",
        slowest,
        15.0,
        "s",
    ));
    suite.sections.push(Section::new(&format!("{sessions} listeners"), table));
    Ok(suite)
}
