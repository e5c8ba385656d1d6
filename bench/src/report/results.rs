//! The results that are kept: a JSON file for each suite, so that one can be run again alone, and what is written from
//! them, `RESULTS.md` and `charts/`.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use super::{
    suite::{Suite, Target},
    svg::Chart,
    table::Table,
};
use crate::Result;

/// Where results are kept.
#[derive(Clone, Debug)]
pub struct Results {
    folder: PathBuf,
    machine: String,
}

impl Results {
    /// In a folder, measured on a machine that one sentence describes.
    #[must_use]
    pub fn new(folder: &Path, machine: String) -> Self {
        Self { folder: folder.to_owned(), machine }
    }

    /// Saves the results of a suite.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn save(&self, suite: &Suite) -> Result<()> {
        let folder = self.folder.join("results");
        fs::create_dir_all(&folder)?;
        let text = serde_json::to_string_pretty(suite)?;
        fs::write(folder.join(format!("{}.json", suite.name)), text + "\n")?;
        Ok(())
    }

    /// Writes `RESULTS.md` and the charts from what is kept of these suites.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write<'a>(&self, suites: impl Iterator<Item = &'a str>) -> Result<()> {
        let mut kept = Vec::new();
        for name in suites {
            let file = self.folder.join("results").join(format!("{name}.json"));
            if let Ok(text) = fs::read_to_string(file) {
                kept.push(serde_json::from_str::<Suite>(&text)?);
            }
        }
        let charts = self.folder.join("charts");
        if charts.exists() {
            fs::remove_dir_all(&charts)?;
        }
        fs::create_dir_all(&charts)?;
        for (name, chart) in kept.iter().flat_map(charts_of) {
            fs::write(charts.join(name), chart.svg())?;
        }
        fs::write(self.folder.join("RESULTS.md"), self.markdown(&kept)?)?;
        Ok(())
    }

    fn markdown(&self, suites: &[Suite]) -> Result<String> {
        let mut out = String::from("# Results\n\n");
        writeln!(
            out,
            "Written by `cargo run --release -p shopbell-bench -- all`; `README.md` beside it says how it is measured. \
             {}\n\nAbsolute numbers are this machine's; the ratios are what to look at.\n",
            self.machine
        )?;
        let targets: Vec<&Target> = suites.iter().flat_map(|suite| &suite.targets).collect();
        let met = targets.iter().filter(|target| target.is_met()).count();
        writeln!(out, "## Targets\n\n{met} of {} are met.\n", targets.len())?;
        out += &target_table(&targets).to_string();
        for suite in suites {
            writeln!(out, "\n## {}\n\n{}", suite.title, suite.note)?;
            let mut charts = charts_of(suite);
            for section in &suite.sections {
                writeln!(out, "\n### {}\n\n{}", section.title, section.table)?;
                if section.chart.is_some()
                    && let Some((name, chart)) = charts.next()
                {
                    writeln!(out, "![{}](charts/{name})", chart.title())?;
                }
            }
        }
        // Written by hand: no measurement can tell it.
        if let Ok(steps) = fs::read_to_string(self.folder.join("STEPS.md")) {
            writeln!(out, "\n{}", steps.trim_end())?;
        }
        Ok(out)
    }
}

fn charts_of(suite: &Suite) -> impl Iterator<Item = (String, &Chart)> {
    let charts = suite.sections.iter().filter_map(|section| section.chart.as_ref()).enumerate();
    charts.map(|(number, chart)| (format!("{}-{}.svg", suite.name, number + 1), chart))
}

/// What was promised beside what was measured.
#[must_use]
pub(super) fn target_table(targets: &[&Target]) -> Table {
    let mut table = Table::new(&["target", "limit", "measured", ""]);
    for target in targets {
        let sign = if target.at_most { '≤' } else { '≥' };
        table.row([
            target.name.clone(),
            format!("{sign} {} {}", number(target.limit), target.unit),
            format!("{} {}", number(target.value), target.unit),
            if target.is_met() { "pass" } else { "MISS" }.to_owned(),
        ]);
    }
    table
}

fn number(value: f64) -> String {
    if value.abs() < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

impl Suite {
    /// As it is shown in the terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("\n{}\n", self.title);
        for section in &self.sections {
            out += &format!("\n{}\n{}", section.title, section.table);
        }
        if !self.targets.is_empty() {
            let targets: Vec<&Target> = self.targets.iter().collect();
            out += &format!("\nTargets\n{}", target_table(&targets));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Section;

    #[test]
    fn a_suite_that_was_run_is_in_the_results() {
        let folder = tempfile::tempdir().unwrap();
        let results = Results::new(folder.path(), "Two cores.".into());
        let mut suite = Suite::new("fanout", "Fan-out");
        let mut section = Section::new("ten sessions", Table::new(&["server"]));
        section.chart = Some(Chart::bars("bars", vec![("ours".into(), 1.0)]));
        suite.sections.push(section);
        suite.targets.push(Target::at_most("beside the floor", 1.25, 1.1, "×"));
        results.save(&suite).unwrap();
        results.write(["fanout", "never run"].into_iter()).unwrap();
        let text = fs::read_to_string(folder.path().join("RESULTS.md")).unwrap();
        for part in
            ["0 of 1 are met", "≤ 1.10 ×", "1.25 ×", "MISS", "### ten sessions", "charts/fanout-1.svg"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(folder.path().join("charts/fanout-1.svg").exists());
    }
}
