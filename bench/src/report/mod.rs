//! What came out: tables on the terminal, `RESULTS.md` and charts.

mod results;
mod suite;
mod svg;
mod table;

pub use results::Results;
pub use suite::{Section, Suite, Target};
pub use svg::Chart;
pub use table::Table;
