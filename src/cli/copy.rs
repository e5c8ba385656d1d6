//! `shopbell copy`: a shop moves into another database.

use clap::Args;

use super::{
    common::{CommonArgs, Failure, print},
    progress,
};
use crate::{
    config::DatabaseUrl,
    store::{self, CopyError},
    telemetry,
};

#[derive(Args)]
pub(super) struct CopyArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// The database of the shop, which must be closed [default: that of --database-url]
    #[arg(long, env = "SHOPBELL_COPY_FROM", value_name = "URL", hide_env_values = true)]
    from: Option<DatabaseUrl>,
    /// An empty database, or one that a copy of the same shop was broken off into; a file of SQLite is made
    #[arg(long, env = "SHOPBELL_COPY_TO", value_name = "URL", hide_env_values = true)]
    to: DatabaseUrl,
}

/// Copies and compares; prints what is not the same, a line each, and fails if anything is.
pub(super) async fn run(args: CopyArgs) -> Result<(), Failure> {
    let settings = args.common.settings()?;
    telemetry::start_logging(settings.log_format);
    let from = args.from.as_ref().unwrap_or(&settings.database_url);
    let bar = progress::rows();
    let mut progress = |what: &str, done: u64, total: u64| {
        bar.set_length(total);
        bar.set_position(done);
        bar.set_message(what.to_owned());
    };
    let copied = store::copy(from, &args.to, &mut progress).await;
    bar.finish_and_clear();
    match copied {
        Ok(rows) => print(&format!("the shop is copied: {rows} rows, each compared with its original\n")),
        Err(CopyError::Differs(lines)) => {
            for line in &lines {
                print(&format!("{line}\n"))?;
            }
            Err(Failure::Run(format!("the copy is not what was copied: {} differences", lines.len())))
        }
        Err(error) if error.is_url() => Err(Failure::Usage(error.to_string())),
        Err(error) => Err(Failure::Run(error.to_string())),
    }
}
