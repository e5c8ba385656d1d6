//! `shopbell watch`: the figures of a running shop and its orders as they come, on a terminal or as lines of JSON.

mod link;
mod login;
mod screen;
mod terminal;
mod view;

use std::{
    io::{ErrorKind, IsTerminal as _, Write as _},
    path::PathBuf,
};

use clap::Args;
use tokio::sync::mpsc;

use self::{
    link::{Link, News},
    login::Access,
};
use super::common::{CommonArgs, Failure, resolve};
use crate::config::{Secret, ServeLayer};

/// News on their way to the screen; when it is full the socket waits.
const WAITING: usize = 64;

#[derive(Args)]
pub(super) struct WatchArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Where the shop is [default: what --config says of addr, or http://127.0.0.1:3000]
    #[arg(long, env = "SHOPBELL_URL", value_name = "URL")]
    url: Option<String>,
    /// Log in as this administrator; the password is asked for. Without it, and without a token, this machine's database
    /// vouches
    #[arg(long, value_name = "E-MAIL")]
    email: Option<String>,
    /// Read the password from standard input instead of asking
    #[arg(long, requires = "email")]
    password_stdin: bool,
    /// File that holds the token of an administrator
    #[arg(long, value_name = "FILE", conflicts_with = "email")]
    token_file: Option<PathBuf>,
    /// Print each event as a line of JSON, the figures once a second
    #[arg(long)]
    json: bool,
    /// The key that the server signs tokens with, if it was given one
    #[arg(long, env = "SHOPBELL_JWT_SECRET", value_delimiter = ',', hide_env_values = true, hide = true)]
    jwt_secret: Option<Vec<Secret>>,
    /// File that holds it
    #[arg(long, env = "SHOPBELL_JWT_SECRET_FILE", hide = true)]
    jwt_secret_file: Option<PathBuf>,
}

/// Watches until it is ended.
pub(super) async fn run(args: WatchArgs) -> Result<(), Failure> {
    if !args.json && !std::io::stdout().is_terminal() {
        return Err(Failure::Usage("standard output is no terminal: --json prints lines instead".into()));
    }
    let serve = ServeLayer {
        jwt_secret: args.jwt_secret,
        jwt_secret_file: args.jwt_secret_file,
        ..ServeLayer::default()
    };
    let settings = resolve(args.common, serve)?;
    let url = login::shop(args.url.as_deref(), settings.addr)?;
    let access = match (args.token_file, args.email) {
        (Some(file), _) => Access::from_file(&file)?,
        (None, Some(email)) => Access::by_password(&url, &email, args.password_stdin).await?,
        (None, None) => Access::by_database(&settings).await?,
    };
    let is_json = args.json;
    let (told, news) = mpsc::channel(WAITING);
    let mut link = Link::new(url.clone(), told);
    let shown = async { if is_json { print(news).await } else { terminal::run(url.as_str(), news).await } };
    let outcome = tokio::select! {
        failure = link.run(&access) => Err(failure),
        shown = shown => shown,
    };
    access.end().await;
    outcome
}

/// Prints what comes; ends when nobody reads it any more.
async fn print(mut news: mpsc::Receiver<News>) -> Result<(), Failure> {
    while let Some(news) = news.recv().await {
        let line = match news {
            News::Event(event) => event.to_string(),
            News::Connected => continue,
            News::Lost { why, again } => {
                drop(writeln!(std::io::stderr(), "shopbell: {why}; again in {} ms", again.as_millis()));
                continue;
            }
        };
        let mut out = std::io::stdout().lock();
        match writeln!(out, "{line}").and_then(|()| out.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(Failure::Run(format!("standard output cannot be written: {error}"))),
        }
    }
    Ok(())
}
