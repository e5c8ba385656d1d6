//! The command line: the table of commands. Each family of commands has a file.

mod admin;
mod arguments;
mod common;
mod copy;
mod endpoint;
mod goods;
mod listen_key;
mod maintenance;
mod progress;
mod readiness;
mod serve;
mod source;
mod watch;

use std::{io::Write as _, process::ExitCode};

use clap::{Parser, Subcommand};

use self::{
    admin::AdminCommand,
    common::{CommonArgs, Failure, print},
    copy::CopyArgs,
    endpoint::EndpointCommand,
    goods::GoodsCommand,
    listen_key::ListenKeyCommand,
    maintenance::BackupArgs,
    serve::ServeArgs,
    source::SourceCommand,
    watch::WatchArgs,
};

/// Live purchase alerts for web shops: one binary, one database file.
#[derive(Parser)]
#[command(name = "shopbell", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the shop
    Serve(Box<ServeArgs>),
    /// Manage administrators, passwords and bans
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Make and change goods as a file says, or print them as one
    #[command(subcommand)]
    Goods(GoodsCommand),
    /// Let the pages of another shop hear the alerts
    #[command(subcommand)]
    ListenKey(ListenKeyCommand),
    /// Let other systems say when something was bought
    #[command(subcommand)]
    Source(SourceCommand),
    /// Manage endpoints: systems of yours that are told news
    #[command(subcommand)]
    Endpoint(EndpointCommand),
    /// Bring the database to this version
    Migrate(CommonArgs),
    /// Prove stock, orders and log against each other; a running shop is not disturbed
    Check(CommonArgs),
    /// Copy the database, also while the shop is open
    Backup(BackupArgs),
    /// Bring a closed shop into another database: SQLite, PostgreSQL, and back
    Copy(Box<CopyArgs>),
    /// Watch a running shop: figures, and orders as they come
    Watch(Box<WatchArgs>),
    /// Print the settings in force, secrets hidden
    Config(Box<ServeArgs>),
}

/// Runs the program and returns its exit code: 0 on success, 1 when the command failed, 2 for a bad setting.
#[must_use]
pub fn run() -> ExitCode {
    if let Some(error) = arguments::hide() {
        return fail(Failure::Run(format!("cannot hide the secrets among the arguments: {error}")));
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            // `--help` and `--version`.
            drop(error.print());
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(Failure::Usage(first_sentence(&error.render().to_string()))),
    };
    let system = actix_rt::System::new();
    match system.block_on(dispatch(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(failure),
    }
}

fn fail(failure: Failure) -> ExitCode {
    let (text, code) = match failure {
        Failure::Usage(text) => (text, 2),
        Failure::Run(text) => (text, 1),
    };
    // Standard error may be closed; the code still tells.
    drop(writeln!(std::io::stderr(), "shopbell: {text}"));
    ExitCode::from(code)
}

async fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(*args).await,
        Command::Watch(args) => watch::run(*args).await,
        Command::Config(args) => print(&args.settings()?.show()),
        Command::Migrate(common) => maintenance::migrate(&common.settings()?).await,
        Command::Check(common) => maintenance::check(&common.settings()?).await,
        Command::Backup(args) => maintenance::backup(args).await,
        Command::Copy(args) => copy::run(*args).await,
        Command::Admin(command) => command.run().await,
        Command::ListenKey(command) => command.run().await,
        Command::Source(command) => command.run().await,
        Command::Endpoint(command) => command.run().await,
        Command::Goods(command) => command.run().await,
    }
}

/// The first paragraph of clap's message, on one line, without its own prefix.
fn first_sentence(message: &str) -> String {
    let paragraph = message.split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}
