//! The results of a suite: sections of tables and charts, and the targets.

use serde::{Deserialize, Serialize};

use super::{svg::Chart, table::Table};

/// One part of a suite's results.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// Its numbers.
    pub table: Table,
    /// The same as a picture.
    pub chart: Option<Chart>,
}

impl Section {
    /// Without a chart.
    #[must_use]
    pub fn new(title: &str, table: Table) -> Self {
        Self { title: title.to_owned(), table, chart: None }
    }
}

/// What was promised, and what was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Target {
    /// What of.
    pub name: String,
    /// The measured value.
    pub value: f64,
    /// What it may be.
    pub limit: f64,
    /// Whether the limit is the most; the least otherwise.
    pub at_most: bool,
    /// What follows a value.
    pub unit: String,
}

impl Target {
    /// No more than the limit.
    #[must_use]
    pub fn at_most(name: &str, value: f64, limit: f64, unit: &str) -> Self {
        Self { name: name.to_owned(), value, limit, at_most: true, unit: unit.to_owned() }
    }

    /// No less than the limit.
    #[must_use]
    pub fn at_least(name: &str, value: f64, limit: f64, unit: &str) -> Self {
        Self { at_most: false, ..Self::at_most(name, value, limit, unit) }
    }

    /// Whether it was kept.
    #[must_use]
    pub fn is_met(&self) -> bool {
        if self.at_most { self.value <= self.limit } else { self.value >= self.limit }
    }
}

/// The results of a suite.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Suite {
    /// As it is called on the command line.
    pub name: String,
    /// Its heading.
    pub title: String,
    /// How it was measured.
    pub note: String,
    /// What came out.
    pub sections: Vec<Section>,
    /// What of it was promised.
    pub targets: Vec<Target>,
}

impl Suite {
    /// Nothing measured yet.
    #[must_use]
    pub fn new(name: &str, title: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            note: String::new(),
            sections: Vec::new(),
            targets: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_a_direction() {
        assert!(Target::at_most("x", 1.0, 1.0, "×").is_met());
        assert!(!Target::at_most("x", 1.1, 1.0, "×").is_met());
        assert!(Target::at_least("x", 1.1, 1.0, "×").is_met());
        assert!(!Target::at_least("x", 0.9, 1.0, "×").is_met());
    }
}
