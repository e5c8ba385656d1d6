//! How far long work is, on a terminal; anywhere else nothing is shown. It stands on standard error, which can be closed: the
//! work goes on.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Between two pictures of work whose end nobody knows.
const TICK: Duration = Duration::from_millis(120);

/// Work on so many bytes.
pub(super) fn bytes(total: u64) -> ProgressBar {
    styled(ProgressBar::new(total), "{wide_bar} {percent:>3} % of {total_bytes}, {eta} left")
}

/// Work on rows, whose number and tables it is told.
pub(super) fn rows() -> ProgressBar {
    styled(ProgressBar::new(0), "{wide_bar} {percent:>3} % of {len}, {msg}, {eta} left")
}

/// Work whose end nobody knows.
pub(super) fn unknown(what: &'static str) -> ProgressBar {
    let bar = styled(ProgressBar::new_spinner(), "{spinner} {msg} {elapsed}").with_message(what);
    bar.enable_steady_tick(TICK);
    bar
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
