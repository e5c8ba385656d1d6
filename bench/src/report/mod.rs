//! What came out: tables on the terminal, `RESULTS.md` and charts.

mod book;
mod suite;
mod svg;
mod table;

pub use book::Book;
pub use suite::{Section, Suite, Target};
pub use svg::Chart;
pub use table::Table;
