//! What the commands share: the settings that all take, how they end, and what they print.

use std::{
    io::{BufRead as _, Write as _},
    path::PathBuf,
    sync::Arc,
};

use clap::Args;

use crate::{
    config::{CommonLayer, ServeLayer, Settings},
    domain::Invalid,
    store::{self, OpenError, Store},
    telemetry,
};

#[derive(Args)]
pub(super) struct CommonArgs {
    /// TOML file whose keys are the long flags' names
    #[arg(long, env = "SHOPBELL_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(flatten)]
    layer: CommonLayer,
}

/// Why a run failed.
pub(super) enum Failure {
    /// A setting or argument cannot be used: exit code 2.
    Usage(String),
    /// The command failed: exit code 1.
    Run(String),
}

pub(super) async fn open(settings: &Settings) -> Result<Arc<dyn Store>, Failure> {
    telemetry::start_logging(settings.log_format);
    let store = store::open(&settings.database_url, settings.currency).await;
    let store = store.map_err(|error| cannot_open(&error))?;
    store.watch_stock(settings.low_stock);
    Ok(store)
}

pub(super) fn cannot_open(error: &OpenError) -> Failure {
    if error.is_url() {
        Failure::Usage(format!("--database-url: {error}"))
    } else {
        Failure::Run(error.to_string())
    }
}

impl CommonArgs {
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        resolve(Self { config: self.config.clone(), layer: self.layer.clone() }, ServeLayer::default())
    }
}

pub(super) fn resolve(common: CommonArgs, serve: ServeLayer) -> Result<Settings, Failure> {
    Settings::resolve(common.layer, serve, common.config.as_deref())
        .map_err(|error| Failure::Usage(error.to_string()))
}

/// The password that is typed, or the first line of standard input.
pub(super) fn ask_password(from_stdin: bool) -> Result<String, Failure> {
    if !from_stdin {
        return rpassword::prompt_password("Password: ")
            .map_err(|error| Failure::Run(format!("cannot ask: {error}")));
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| Failure::Run(error.to_string()))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure::Run(format!("standard output cannot be written: {error}")))
}

pub(super) fn sentence<T>(parsed: Result<T, Invalid>) -> Result<T, String> {
    parsed.map_err(|invalid| invalid.message.to_owned())
}
