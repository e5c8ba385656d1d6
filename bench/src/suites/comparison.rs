//! Several servers measured in turn, and their numbers beside one another.

use std::fmt;

use crate::{
    Result,
    context::Context,
    peers::Kind,
    report::{Chart, Section, Table},
    stats::Summary,
};

/// What came out for each contestant, round by round.
pub type Outcomes<C, T> = Vec<(C, Vec<T>)>;

/// Measures contestants in turn, A B A B: whatever else the machine does for a while touches all of them.
///
/// # Errors
/// A measurement fails.
pub fn in_turn<C: Copy + fmt::Display, T>(
    context: &Context,
    rounds: usize,
    what: &str,
    contestants: &[C],
    mut measure: impl FnMut(C) -> Result<T>,
    shown: impl Fn(&T) -> String,
) -> Result<Outcomes<C, T>> {
    let mut outcomes: Outcomes<C, T> = contestants.iter().map(|&who| (who, Vec::new())).collect();
    for round in 1..=context.rounds(rounds) {
        for (who, outcomes) in &mut outcomes {
            let outcome = measure(*who).map_err(|error| format!("{what}, {who}: {error}"))?;
            context.step(&format!("{what}, round {round}: {who} {}", shown(&outcome)));
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

/// The servers to measure: those of the suite, or with `--baseline` the two builds of shopbell alone, so that they run
/// as close to each other as they can.
pub fn contestants(context: &Context, kinds: &[Kind]) -> Vec<Kind> {
    if context.baseline.is_some() { vec![Kind::Shopbell, Kind::Before] } else { kinds.to_vec() }
}

/// A column of a table: its head, digits after the point, and the number of an outcome.
pub type Column<T> = (&'static str, usize, fn(&T) -> f64);

/// Servers beside one another by the medians of one number. The first of them is shopbell.
pub struct Comparison {
    table: Table,
    medians: Vec<(Kind, f64)>,
}

impl Comparison {
    /// By the number of the first column, with its lowest and highest rounds; further columns have medians alone.
    pub fn of<T>(outcomes: &Outcomes<Kind, T>, by: Column<T>, further: &[Column<T>]) -> Self {
        let (name, digits, number) = by;
        let mut head = vec!["server", name, "rounds", "shopbell is"];
        head.extend(further.iter().map(|(name, ..)| *name));
        let summaries: Vec<Summary> =
            outcomes.iter().map(|(_, outcomes)| Summary::over(outcomes, number)).collect();
        let ours = summaries.first().map_or(f64::NAN, |summary| summary.median);
        let mut table = Table::new(&head);
        for ((kind, outcomes), summary) in outcomes.iter().zip(&summaries) {
            let mut row = vec![
                kind.name().to_owned(),
                format!("{:.digits$}", summary.median),
                format!("{:.digits$}–{:.digits$}", summary.min, summary.max),
                multiple(ours, summary.median),
            ];
            row.extend(
                further.iter().map(|&(_, digits, number)| {
                    format!("{:.digits$}", Summary::over(outcomes, number).median)
                }),
            );
            table.row(row);
        }
        let medians =
            outcomes.iter().zip(&summaries).map(|((kind, _), summary)| (*kind, summary.median)).collect();
        Self { table, medians }
    }

    /// The median of shopbell.
    pub fn ours(&self) -> f64 {
        self.medians.first().map_or(f64::NAN, |(_, median)| *median)
    }

    /// The median of a server that took part.
    pub fn median(&self, kind: Kind) -> Option<f64> {
        self.medians.iter().find(|(of, _)| *of == kind).map(|(_, median)| *median)
    }

    /// The median of shopbell as a multiple of that of a server that took part.
    pub fn beside(&self, kind: Kind) -> Option<f64> {
        Some(self.ours() / self.median(kind)?)
    }

    /// As a part of the report, with a chart when it has a title.
    pub fn section(self, title: &str, chart: Option<&str>) -> Section {
        let bars = self.medians.iter().map(|(kind, median)| (kind.name().to_owned(), *median));
        let chart = chart.filter(|_| self.medians.len() > 1).map(|title| Chart::bars(title, bars.collect()));
        Section { chart, ..Section::new(title, self.table) }
    }
}

/// Our value as a multiple of another.
fn multiple(ours: f64, other: f64) -> String {
    if other > 0.0 { format!("{:.2} ×", ours / other) } else { "–".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_stand_beside_one_another_by_their_medians() {
        let outcomes = vec![(Kind::Shopbell, vec![3.0, 1.0, 2.0]), (Kind::Bun, vec![4.0, 4.0, 5.0])];
        let comparison = Comparison::of(&outcomes, ("µs", 1, |value| *value), &[]);
        assert_eq!(comparison.beside(Kind::Bun), Some(0.5));
        assert_eq!(comparison.beside(Kind::Floor), None);
        let section = comparison.section("ten sessions", Some("bars"));
        assert!(section.chart.is_some());
        let text = section.table.to_string();
        assert!(text.contains("| shopbell | 2.0 | 1.0–3.0 |      1.00 × |"), "{text}");
        assert!(text.contains("| Bun      | 4.0 | 4.0–5.0 |      0.50 × |"), "{text}");
    }
}
