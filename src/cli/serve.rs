//! `shopbell serve`: from the settings to the end of the program.

use std::path::{Path, PathBuf};

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{
    common::{CommonArgs, Failure, cannot_open, print, resolve},
    readiness,
};
use crate::{
    clock,
    config::{self, ServeLayer, Settings},
    server::{self, Application, StartError},
    service::{
        catalog::CurrencyError,
        demo::{self, Demo},
    },
    state, telemetry,
};

#[derive(Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    serve: ServeLayer,
}

impl ServeArgs {
    pub(super) fn settings(self) -> Result<Settings, Failure> {
        resolve(self.common, self.serve)
    }
}

/// Serves until a signal ends the program.
pub(super) async fn run(args: ServeArgs) -> Result<(), Failure> {
    let config = args.common.config.clone();
    serve(args.settings()?, config).await
}

async fn serve(settings: Settings, config: Option<PathBuf>) -> Result<(), Failure> {
    telemetry::start_logging(settings.log_format);
    state::mail_way(&settings).map_err(|error| Failure::Usage(error.to_string()))?;
    warn_of_open_files(&settings, config.as_deref());
    if let Err(error) = config::raise_limit() {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    let (addr, demo, currency) = (settings.addr, settings.demo, settings.currency);
    let app = Application::build(settings).await.map_err(|error| match error {
        error @ StartError::Currency(CurrencyError::Differs { .. }) => Failure::Usage(error.to_string()),
        StartError::Open(error) => cannot_open(&error),
        error => Failure::Run(error.to_string()),
    })?;
    let listener = server::listen(addr);
    let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (addr, listener) =
        bound.map_err(|error| Failure::Run(format!("cannot listen on {addr}: {error}")))?;
    // Before the first line: whoever has read it may stop the program.
    let signals = Signals::catch();
    print(&format!("listening on http://{addr}\n"))?;
    readiness::tell(readiness::READY);
    if demo {
        let filled = demo::fill(&*app.store(), &app.state().accounts, currency, clock::now()).await;
        if let Some(Demo { shopper, admin }) = filled.map_err(|error| Failure::Run(error.to_string()))? {
            print(&format!(
                "demo shopper: {} {}\ndemo admin: {} {}\n",
                shopper.email, shopper.password, admin.email, admin.password
            ))?;
        }
    }
    app.run(listener, shutdown(signals)).await.map_err(|error| Failure::Run(format!("cannot serve: {error}")))
}

/// Completes when the first signal comes. Without signals it never does.
async fn shutdown(signals: std::io::Result<Signals>) {
    match signals {
        Ok(signals) => signals.shutdown().await,
        Err(error) => {
            tracing::warn!(%error, "signals cannot be caught: the program ends without draining");
            std::future::pending().await
        }
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The first SIGTERM or SIGINT drains; a second one ends the program at once.
    async fn shutdown(mut self) {
        self.next().await;
        readiness::tell(readiness::STOPPING);
        actix_rt::spawn(async move {
            self.next().await;
            std::process::exit(130);
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Says that others can read what holds secrets. (A configuration without secrets may be anyone's to read.)
fn warn_of_open_files(settings: &Settings, config: Option<&Path>) {
    let has_key = settings.jwt_secret_file.is_none() && !settings.jwt_secret.is_empty();
    let has_relay = settings.smtp_url_file.is_none() && settings.smtp_url.is_some();
    let config = config.filter(|_| has_key || has_relay);
    let files = [&settings.jwt_secret_file, &settings.smtp_url_file];
    let secret = files.into_iter().filter_map(|file| file.as_deref()).chain(config);
    for file in config::readable_by_others(secret) {
        tracing::warn!(file = %file.display(), "others can read a file with secrets: chmod 600 it");
    }
}
