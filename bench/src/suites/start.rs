//! How soon the program serves after its start, and how large it is.

use std::fs;

use crate::{
    Result,
    context::Context,
    peers::{Kind, Options, Server, Shop},
    report::{Section, Suite, Table, Target},
    stats::Summary,
    suites::seed,
};

fn ready_after(shop: Shop, context: &Context) -> Result<f64> {
    let server = Server::start(Kind::Shopbell, context, &Options { shop, ..Options::default() })?;
    Ok(server.ready_after.as_secs_f64() * 1000.0)
}

/// Runs the suite.
///
/// # Errors
/// The server fails.
pub fn run(context: &Context) -> Result<Suite> {
    let mut suite = Suite::new("start", "Start");
    suite.note = "From the start of the process on one core to the first 200 of `/readyz`.".into();
    let rounds = context.pick(10, 2);
    let notifications = context.pick(1_000_000, 20_000);
    let mut table = Table::new(&["database", "ms until ready", "rounds"]);
    let mut row = |name: &str, times: &[f64], limit: f64| {
        let times = Summary::of(times);
        context.step(&format!("{name}: {:.0} ms", times.median));
        table.row([
            name.to_owned(),
            format!("{:.0}", times.median),
            format!("{:.0}–{:.0}", times.min, times.max),
        ]);
        suite.targets.push(Target::at_most(&format!("ready with {name}"), times.median, limit, "ms"));
    };
    let folder = tempfile::tempdir()?;
    let empty = |round| ready_after(Shop::Database(folder.path().join(format!("{round}.db"))), context);
    let new: Vec<f64> = (0..rounds).map(empty).collect::<Result<_>>()?;
    row("a new database", &new, 100.0);
    let again: Vec<f64> = (0..rounds).map(empty).collect::<Result<_>>()?;
    row("an empty database", &again, 100.0);
    let (seed, _folder) = seed::database(notifications, context)?;
    let full = |_| ready_after(Shop::Database(seed.database.clone()), context);
    let full: Vec<f64> = (0..rounds).map(full).collect::<Result<_>>()?;
    row(&format!("{notifications} notifications"), &full, 300.0);
    let mut size = Table::new(&["", "MB"]);
    let megabytes = fs::metadata(&context.shopbell.path)?.len() as f64 / 1024.0 / 1024.0;
    size.row(["the program, pages included".into(), format!("{megabytes:.1}")]);
    suite.sections = vec![Section::new("Until ready", table), Section::new("Size", size)];
    Ok(suite)
}
