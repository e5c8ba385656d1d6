//! The command line: parse, start telemetry, run the subcommand.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io::{BufRead, IsTerminal as _, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    clock,
    config::{self, CommonLayer, ServeLayer, Settings},
    domain::{Email, Invalid, Nickname, Password, Role},
    server::{self, Application, StartError},
    service::{
        accounts::{self, Registration},
        catalog::CurrencyError,
        demo::{self, Demo},
        passwords::Passwords,
    },
    store::{self, OpenError, Store},
    telemetry,
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
    /// Manage administrators and bans
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Bring the database to this version
    Migrate(CommonArgs),
    /// Prove stock, orders and log against each other; a running shop is not disturbed
    Check(CommonArgs),
    /// Copy the database, also while the shop is open
    Backup(BackupArgs),
    /// Print the settings in force, secrets hidden
    Config(Box<ServeArgs>),
}

#[derive(Args)]
struct BackupArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// File to write; it must not exist
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

#[derive(Args)]
struct ServeArgs {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    serve: ServeLayer,
}

#[derive(Args)]
struct CommonArgs {
    /// TOML file whose keys are the long flags' names
    #[arg(long, env = "SHOPBELL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    layer: CommonLayer,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Create an administrator; the password is asked for
    Create(AdminArgs),
    /// Keep an account from logging in; its sessions end at once
    Ban(BanArgs),
    /// Let a banned account log in again
    Unban(BanArgs),
}

#[derive(Args)]
struct BanArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// E-mail address of the account
    #[arg(long, value_name = "E-MAIL", value_parser = |text: &str| sentence(Email::parse(text)))]
    email: Email,
}

#[derive(Args)]
struct AdminArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// E-mail address to log in with
    #[arg(long, value_name = "E-MAIL", value_parser = |text: &str| sentence(Email::parse(text)))]
    email: Email,
    /// Name to be shown
    #[arg(long, value_name = "NAME", value_parser = |text: &str| sentence(Nickname::parse(text)))]
    nickname: Nickname,
    /// Read the password from standard input instead of asking
    #[arg(long)]
    password_stdin: bool,
}

/// Why a run failed.
enum Failure {
    /// A setting or argument cannot be used: exit code 2.
    Usage(String),
    /// The command failed: exit code 1.
    Run(String),
}

/// Runs the program and returns its exit code: 0 on success, 1 when the command failed, 2 for a bad setting.
#[must_use]
pub fn run() -> ExitCode {
    if let Some(error) = hide_arguments() {
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
        Command::Serve(args) => {
            let config = args.common.config.clone();
            serve(args.settings()?, config).await
        }
        Command::Config(args) => print(&args.settings()?.show()),
        Command::Migrate(common) => {
            open(&common.settings()?).await?.close().await;
            print("the database is up to date\n")
        }
        Command::Check(common) => check(&common.settings()?).await,
        Command::Backup(args) => backup(args).await,
        Command::Admin(AdminCommand::Create(args)) => create_admin(args).await,
        Command::Admin(AdminCommand::Ban(args)) => ban(args, true).await,
        Command::Admin(AdminCommand::Unban(args)) => ban(args, false).await,
    }
}

async fn serve(settings: Settings, config: Option<PathBuf>) -> Result<(), Failure> {
    telemetry::start_logging(settings.log_format);
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

async fn create_admin(args: AdminArgs) -> Result<(), Failure> {
    let store = open(&args.common.settings()?).await?;
    let typed = if args.password_stdin {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(|error| Failure::Run(error.to_string()))?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        rpassword::prompt_password("Password: ")
            .map_err(|error| Failure::Run(format!("cannot ask: {error}")))?
    };
    let password = sentence(Password::parse(&typed)).map_err(Failure::Usage)?;
    let wanted = Registration { email: args.email, nickname: args.nickname, password };
    let created = accounts::create(&*store, &Passwords::default(), wanted, Role::Admin, clock::now()).await;
    store.close().await;
    let user = created.map_err(|error| Failure::Run(error.to_string()))?;
    print(&format!("{} is an administrator\n", user.nickname.as_str()))
}

async fn ban(args: BanArgs, banned: bool) -> Result<(), Failure> {
    let store = open(&args.common.settings()?).await?;
    let found = store.ban(&args.email, banned, clock::now()).await;
    store.close().await;
    match found {
        Ok(true) if banned => print("the account is banned, its sessions have ended\n"),
        Ok(true) => print("the account may log in again\n"),
        Ok(false) => Err(Failure::Run(format!("there is no account {}", args.email.as_str()))),
        Err(error) => Err(Failure::Run(error.to_string())),
    }
}

/// Prints what is wrong, a line each, and fails if anything is.
async fn check(settings: &Settings) -> Result<(), Failure> {
    telemetry::start_logging(settings.log_format);
    let found =
        store::check(&settings.database_url).await.map_err(|error| Failure::Run(error.to_string()))?;
    for line in &found {
        print(&format!("{line}\n"))?;
    }
    match found.len() {
        0 => print("stock, orders and log agree\n"),
        wrong => Err(Failure::Run(format!("{wrong} contradictions were found"))),
    }
}

async fn open(settings: &Settings) -> Result<Arc<dyn Store>, Failure> {
    telemetry::start_logging(settings.log_format);
    store::open(&settings.database_url, settings.currency).await.map_err(|error| cannot_open(&error))
}

fn cannot_open(error: &OpenError) -> Failure {
    if error.is_url() {
        Failure::Usage(format!("--database-url: {error}"))
    } else {
        Failure::Run(error.to_string())
    }
}

async fn backup(args: BackupArgs) -> Result<(), Failure> {
    let settings = args.common.settings()?;
    telemetry::start_logging(settings.log_format);
    let is_terminal = std::io::stderr().is_terminal();
    let mut progress = |written: u64, total: u64| {
        if is_terminal {
            let percent = written.saturating_mul(100).checked_div(total).unwrap_or(100);
            // The terminal may be gone; the copy goes on.
            drop(write!(std::io::stderr(), "\r{percent:3} % of {} KiB", total.div_ceil(1024)));
        }
    };
    let copied = store::backup(&settings.database_url, &args.to, &mut progress).await;
    if is_terminal {
        drop(writeln!(std::io::stderr()));
    }
    copied.map_err(|error| cannot_open(&error))?;
    print(&format!("{} is a copy of the database\n", args.to.display()))
}

/// Says that others can read what holds secrets. (A configuration without secrets may be anyone's to read.)
fn warn_of_open_files(settings: &Settings, config: Option<&Path>) {
    let config = config.filter(|_| settings.jwt_secret_file.is_none() && !settings.jwt_secret.is_empty());
    let secret = settings.jwt_secret_file.as_deref().into_iter().chain(config);
    for file in config::readable_by_others(secret) {
        tracing::warn!(file = %file.display(), "others can read a file with secrets: chmod 600 it");
    }
}

/// The settings whose values everyone on the machine would see in the list of processes, with their variables.
const SECRET_FLAGS: [(&str, &str); 2] =
    [("--jwt-secret", "SHOPBELL_JWT_SECRET"), ("--database-url", "DATABASE_URL")];

/// Starts the program again with the secrets of its arguments in its environment, which its owner alone can read, if
/// there are any. Returns only if there are none, or with why that failed.
fn hide_arguments() -> Option<std::io::Error> {
    use std::os::unix::process::CommandExt as _;
    let (kept, hidden) = take_secrets(std::env::args_os().skip(1));
    if hidden.is_empty() {
        return None;
    }
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return Some(error),
    };
    let mut command = std::process::Command::new(program);
    command.args(kept);
    for (variable, values) in hidden {
        command.env(variable, values.join(OsStr::new(",")));
    }
    Some(command.exec())
}

/// The arguments that anyone may see, and the values of the others by variable.
fn take_secrets(
    arguments: impl Iterator<Item = OsString>,
) -> (Vec<OsString>, BTreeMap<&'static str, Vec<OsString>>) {
    let (mut kept, mut hidden) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        let (name, joined) = text.split_once('=').map_or((&*text, None), |(name, value)| (name, Some(value)));
        let Some((flag, variable)) = SECRET_FLAGS.into_iter().find(|(flag, _)| *flag == name) else {
            kept.push(argument);
            continue;
        };
        let value = joined.map(OsString::from).or_else(|| arguments.next_if(|next| !is_flag(next)));
        match value {
            // A URL without a password is no secret, and better seen.
            Some(value) if flag != "--database-url" || value.to_string_lossy().contains('@') => {
                hidden.entry(variable).or_default().push(value);
            }
            value => kept.extend(std::iter::once(flag.into()).chain(value)),
        }
    }
    (kept, hidden)
}

fn is_flag(argument: &OsString) -> bool {
    argument.as_encoded_bytes().starts_with(b"--")
}

impl ServeArgs {
    fn settings(self) -> Result<Settings, Failure> {
        resolve(self.common, self.serve)
    }
}

impl CommonArgs {
    fn settings(&self) -> Result<Settings, Failure> {
        resolve(Self { config: self.config.clone(), layer: self.layer.clone() }, ServeLayer::default())
    }
}

fn resolve(common: CommonArgs, serve: ServeLayer) -> Result<Settings, Failure> {
    Settings::resolve(common.layer, serve, common.config.as_deref())
        .map_err(|error| Failure::Usage(error.to_string()))
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure::Run(format!("standard output cannot be written: {error}")))
}

/// The first paragraph of clap's message, on one line, without its own prefix.
fn first_sentence(message: &str) -> String {
    let paragraph = message.split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

fn sentence<T>(parsed: Result<T, Invalid>) -> Result<T, String> {
    parsed.map_err(|invalid| invalid.message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_leave_the_arguments() {
        let take = |line: &str| {
            let (kept, hidden) = take_secrets(line.split(' ').map(OsString::from));
            let kept: Vec<_> = kept.iter().map(|text| text.to_str().unwrap().to_owned()).collect();
            (kept.join(" "), hidden)
        };
        let (kept, hidden) = take("serve --jwt-secret one --demo --jwt-secret=two --addr 127.0.0.1:0");
        assert_eq!(kept, "serve --demo --addr 127.0.0.1:0");
        assert_eq!(hidden["SHOPBELL_JWT_SECRET"], ["one", "two"]);
        let (kept, hidden) = take("migrate --database-url postgres://u:hunter2@x/y");
        assert_eq!(
            (kept.as_str(), hidden["DATABASE_URL"][0].to_str()),
            ("migrate", Some("postgres://u:hunter2@x/y"))
        );
        for line in [
            "serve --database-url sqlite://shop.db",
            "serve --jwt-secret-file key",
            "serve --jwt-secret --demo",
            "serve --jwt-secret",
        ] {
            let (kept, hidden) = take(line);
            assert_eq!((kept.as_str(), hidden.len()), (line, 0));
        }
    }
}
