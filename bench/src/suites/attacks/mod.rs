//! Attacks at the highest rate that one address manages here, against a server as it is delivered, while members from
//! another address order and log in. `--seconds 20` attacks for longer.

mod list;
mod members;
mod scene;
mod wire;

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use self::{
    list::{ATTACKS, Attack},
    members::{Honest, Member},
    scene::Scene,
};
use crate::{
    Result,
    context::Context,
    peers::{Kind, Options, Server},
    report::{Section, Suite, Table, Target},
};

/// What an attack may do to others, milliseconds.
const P99: f64 = 500.0;
/// What the server may grow to, beside what honest sessions cost, MB.
const RESIDENT: f64 = 256.0;
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(50);

struct Outcome {
    a_second: f64,
    orders: [f64; 2],
    log_ins: [f64; 2],
    served: usize,
    failed: usize,
    resident: f64,
    log_lines: usize,
}

fn attack(attack: &Attack, seconds: u64, context: &Context) -> Result<Outcome> {
    let options = Options { as_delivered: true, ..Options::default() };
    let server = Server::start(Kind::Shopbell, context, &options)?;
    let honest = Honest::register(server.address, 6)?;
    let scene = Scene {
        address: server.address,
        goods_id: server.goods_id(),
        attacker: Member::register(server.address, "mallory")?,
        over: AtomicBool::new(false),
        done: AtomicU64::new(0),
    };
    let begin = Instant::now();
    let (watched, mut orders, mut log_ins) = thread::scope(|scope| {
        for number in 0..attack.threads {
            let scene = &scene;
            scope.spawn(move || (attack.run)(scene, number));
        }
        let orders = scope.spawn(|| honest.order(scene.goods_id, &scene.over));
        let log_ins = scope.spawn(|| honest.log_in(&scene.over));
        let watched = watch(&server, begin + Duration::from_secs(seconds), context);
        scene.over.store(true, Ordering::Relaxed);
        (watched, orders.join().unwrap_or_default(), log_ins.join().unwrap_or_default())
    });
    let highest = watched?;
    let log_lines =
        fs::read_to_string(server.folder.path().join("stderr")).map_or(0, |log| log.lines().count());
    Ok(Outcome {
        a_second: scene.done.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64(),
        orders: orders.latencies.quantiles([0.5, 0.99]),
        log_ins: log_ins.latencies.quantiles([0.5, 0.99]),
        served: orders.latencies.len() + log_ins.latencies.len(),
        failed: orders.failed + log_ins.failed,
        resident: highest as f64 / 1024.0 / 1024.0,
        log_lines,
    })
}

/// The server's memory at its highest until then.
fn watch(server: &Server, until: Instant, context: &Context) -> Result<u64> {
    let mut highest = 0;
    while Instant::now() < until {
        highest = highest.max(server.process.rss()?);
        context.stop.check()?;
        thread::sleep(LOOK);
    }
    Ok(highest)
}

/// Runs the suite.
///
/// # Errors
/// The server fails.
pub fn run_suite(context: &Context) -> Result<Suite> {
    let seconds = context.seconds.unwrap_or(context.pick(2, 1));
    let mut suite = Suite::new("attacks", "Attacks");
    suite.note = format!(
        "Each attack comes from one address, as fast as it can, for {seconds} s against a server with its default limits \
         on one core. Meanwhile members from another address order and log in; everything that they do and that is \
         not served within five seconds, or refused, has failed."
    );
    let mut table = Table::new(&[
        "attack",
        "a second",
        "orders p50 ms",
        "p99 ms",
        "log-ins p50 ms",
        "p99 ms",
        "served",
        "failed",
        "resident MB",
        "log lines",
    ]);
    let (mut slowest, mut largest, mut failed) = (0.0_f64, 0.0_f64, 0);
    for one in ATTACKS {
        let outcome = attack(one, seconds, context)?;
        context.step(&format!(
            "{}: orders p99 {:.0} ms, log-ins p99 {:.0} ms, {} failed, {:.0} MB",
            one.name, outcome.orders[1], outcome.log_ins[1], outcome.failed, outcome.resident
        ));
        slowest = slowest.max(outcome.orders[1]).max(outcome.log_ins[1]);
        largest = largest.max(outcome.resident);
        failed += outcome.failed;
        table.row([
            one.name.to_owned(),
            format!("{:.0}", outcome.a_second),
            format!("{:.1}", outcome.orders[0]),
            format!("{:.1}", outcome.orders[1]),
            format!("{:.1}", outcome.log_ins[0]),
            format!("{:.1}", outcome.log_ins[1]),
            outcome.served.to_string(),
            outcome.failed.to_string(),
            format!("{:.0}", outcome.resident),
            outcome.log_lines.to_string(),
        ]);
    }
    suite.targets.push(Target::at_most("the slowest p99 of members' orders and log-ins", slowest, P99, "ms"));
    suite.targets.push(Target::at_most("members' orders and log-ins that failed", failed as f64, 0.0, ""));
    suite.targets.push(Target::at_most("resident memory at its highest", largest, RESIDENT, "MB"));
    suite.sections.push(Section::new(&format!("{seconds} s each"), table));
    Ok(suite)
}
