//! Whether a delivery costs more when there are more sessions, or when the log is long.

use crate::{
    Result,
    client::Wire,
    context::Context,
    peers::{Kind, Options, Shop},
    report::{Chart, Section, Suite, Table, Target},
    stats::Summary,
    suites::{
        comparison::contestants,
        fanout::{Work, costs},
        seed,
    },
};

fn work(sessions: usize, context: &Context) -> Work {
    Work { wire: Wire::Ws, sessions, in_flight: &[1], deliveries: context.pick(150_000, 3_000) }
}

/// Runs the suite.
///
/// # Errors
/// A server fails.
pub fn run(context: &Context) -> Result<Suite> {
    let mut suite = Suite::new("growth", "Growth");
    suite.note = "Processor time of one delivery on /ws, one order in flight, as in Fan-out.".into();
    let kinds = contestants(context, &[Kind::Shopbell, Kind::Floor, Kind::Bun]);
    let mut head = vec!["sessions".to_owned(), "rounds of shopbell".to_owned()];
    head.extend(kinds.iter().map(|kind| format!("{kind} µs")));
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    let mut lines: Vec<(String, Vec<(f64, f64)>)> =
        kinds.iter().map(|kind| (kind.name().to_owned(), Vec::new())).collect();
    for sessions in context.pick([1_000, 5_000, 10_000, 15_000], [100, 500, 1_000, 1_500]) {
        let costs = costs(&kinds, work(sessions, context), context, &Options::default())?;
        let cpu: Vec<Summary> =
            costs.iter().map(|(_, rounds)| Summary::over(rounds, |costs| costs[0].cpu)).collect();
        for (line, cpu) in lines.iter_mut().zip(&cpu) {
            line.1.push((sessions as f64, cpu.median));
        }
        let mut row = vec![sessions.to_string(), format!("{:.2}–{:.2}", cpu[0].min, cpu[0].max)];
        row.extend(cpu.iter().map(|cpu| format!("{:.2}", cpu.median)));
        table.row(row);
    }
    let ours = &lines[0].1;
    let growth = ours[ours.len() - 1].1 / ours[0].1;
    let name = "cost of a delivery, 15,000 sessions beside 1,000";
    suite.targets.push(Target::at_most(name, growth, 1.3, "×"));
    let mut section = Section::new("As sessions grow", table);
    section.chart = Some(Chart::lines("µs of processor time a delivery, by sessions", lines));
    suite.sections.push(section);
    suite.sections.push(log_growth(context)?);
    Ok(suite)
}

fn log_growth(context: &Context) -> Result<Section> {
    let mut table = Table::new(&["notifications in the log", "µs a delivery", "rounds"]);
    for notifications in [0, context.pick(1_000_000, 20_000)] {
        let mut options = Options::default();
        let mut folder = None;
        if notifications > 0 {
            let (seed, kept) = seed::database(notifications, context)?;
            options.shop = Shop::Seeded(seed);
            folder = Some(kept);
        }
        let costs = costs(&[Kind::Shopbell], work(context.pick(5_000, 500), context), context, &options)?;
        drop(folder);
        let cpu = Summary::over(&costs[0].1, |costs| costs[0].cpu);
        table.row([
            notifications.to_string(),
            format!("{:.2}", cpu.median),
            format!("{:.2}–{:.2}", cpu.min, cpu.max),
        ]);
    }
    Ok(Section::new("As the log grows", table))
}
