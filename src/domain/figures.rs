//! What the figures of a shop count that is no thing of its own: days, and what visitors did with the widget.

use std::{fmt, ops::AddAssign};

use chrono::NaiveDate;

use super::{
    fields::{Fields, Invalid},
    number::whole,
};

/// A day of the calendar where the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub NaiveDate);

impl fmt::Display for Day {
    /// `2026-11-26`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How often the widget showed an alert, how often one was clicked, and how often one was closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct WidgetCounts {
    /// Alerts that were shown.
    pub shown: u64,
    /// Alerts that were clicked.
    pub clicked: u64,
    /// Alerts that were closed by hand.
    pub closed: u64,
}

impl WidgetCounts {
    /// The most of each that one report may bring.
    pub const MOST: u64 = 100;

    /// Reads a report of the widget: `{shown?, clicked?, closed?}`.
    ///
    /// # Errors
    /// A field that is no whole number from 0 to [`MOST`](Self::MOST), or has another name.
    pub fn read(fields: Fields) -> Result<Self, Vec<super::FieldError>> {
        let known = fields.only(&["shown", "clicked", "closed"]);
        let count = |field| fields.optional(field, parse_count).map(Option::unwrap_or_default);
        let (shown, clicked, closed) = (count("shown"), count("clicked"), count("closed"));
        let (shown, clicked, closed, ()) = fields.finish((shown, clicked, closed, known))?;
        Ok(Self { shown, clicked, closed })
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for WidgetCounts {
    fn add_assign(&mut self, more: Self) {
        self.shown = self.shown.saturating_add(more.shown);
        self.clicked = self.clicked.saturating_add(more.clicked);
        self.closed = self.closed.saturating_add(more.closed);
    }
}

fn parse_count(text: &str) -> Result<u64, Invalid> {
    let number = whole(text).and_then(|number| u64::try_from(number).ok());
    number
        .filter(|number| *number <= WidgetCounts::MOST)
        .ok_or(Invalid::new("out_of_range", "a count is a whole number from 0 to 100"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_holds_small_numbers_and_nothing_else() {
        let read = |json| WidgetCounts::read(Fields::new(serde_json::from_str(json).unwrap()));
        assert_eq!(
            read(r#"{"shown": 3, "closed": "1"}"#),
            Ok(WidgetCounts { shown: 3, clicked: 0, closed: 1 })
        );
        assert!(read("{}").is_ok_and(|counts| counts.is_empty()));
        for bad in [r#"{"shown": -1}"#, r#"{"clicked": 101}"#, r#"{"closed": 1.5}"#, r#"{"user": 7}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
