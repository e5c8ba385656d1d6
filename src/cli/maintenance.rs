//! What is done to a database from outside: `migrate`, `check` and `backup`.

use std::path::PathBuf;

use clap::Args;

use super::{
    common::{CommonArgs, Failure, cannot_open, open, print},
    progress,
};
use crate::{config::Settings, store, telemetry};

#[derive(Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// File to write; it must not exist
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

pub(super) async fn migrate(settings: &Settings) -> Result<(), Failure> {
    open(settings).await?.close().await;
    print("the database is up to date\n")
}

/// Prints what is wrong, a line each, and fails if anything is.
pub(super) async fn check(settings: &Settings) -> Result<(), Failure> {
    telemetry::start_logging(settings.log_format);
    let bar = progress::unknown("checking");
    let found = store::check(&settings.database_url).await;
    bar.finish_and_clear();
    let found = found.map_err(|error| cannot_open(&error))?;
    for line in &found {
        print(&format!("{line}\n"))?;
    }
    match found.len() {
        0 => print("stock, orders and log agree\n"),
        wrong => Err(Failure::Run(format!("{wrong} contradictions were found"))),
    }
}

pub(super) async fn backup(args: BackupArgs) -> Result<(), Failure> {
    let settings = args.common.settings()?;
    telemetry::start_logging(settings.log_format);
    let bar = progress::bytes(0);
    let mut progress = |written: u64, total: u64| {
        bar.set_length(total);
        bar.set_position(written);
    };
    let copied = store::backup(&settings.database_url, &args.to, &mut progress).await;
    bar.finish_and_clear();
    copied.map_err(|error| cannot_open(&error))?;
    print(&format!("{} is a copy of the database\n", args.to.display()))
}
