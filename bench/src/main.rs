//! The command line: which suites to run, and the peers that this program is itself.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use clap::{Parser, Subcommand};
use shopbell_bench::{
    Result,
    context::{Context, Program},
    peers::{self, Builtin, sample_alert},
    process::{CLIENT_CORE, output, pin},
    report::Results,
    stop::Stop,
    suites::{self, Entry},
};

/// Measures shopbell beside its peers.
#[derive(Parser)]
#[command(name = "shopbell-bench", max_term_width = 110)]
struct Cli {
    /// Suites to run, `all` of them, or `list` to name them
    #[arg(value_name = "SUITE", required = true)]
    suites: Vec<String>,
    /// A short run that shows that everything works; its results go to target/bench-quick
    #[arg(long)]
    quick: bool,
    /// Rounds of each measurement, if not as many as each suite finds right
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Seconds that each attack of the suite `attacks` lasts [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: Option<u64>,
    /// The program to measure; otherwise it is built
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Another build of it, measured beside it as `shopbell-before` instead of the peers; the results go to
    /// target/bench-baseline
    #[arg(long, value_name = "PATH")]
    baseline: Option<PathBuf>,
}

/// What the bench is as a child process of its own.
#[derive(Parser)]
struct ChildCli {
    #[command(subcommand)]
    command: ChildCommand,
}

#[derive(Subcommand)]
enum ChildCommand {
    /// A server.
    Peer { name: Builtin },
    /// Clients, see the suite `avalanche`.
    Crowd,
}

fn main() -> ExitCode {
    let is_child = std::env::args().nth(1).is_some_and(|first| first == "peer" || first == "crowd");
    let outcome = match is_child.then(|| ChildCli::parse().command) {
        Some(ChildCommand::Peer { name }) => peers::run(name),
        Some(ChildCommand::Crowd) => suites::avalanche::run_crowd(),
        None => measure(Cli::parse()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shopbell-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(cli: Cli) -> Result<()> {
    if cli.suites == ["list"] {
        for suite in suites::ALL {
            println!("{:<10} {}", suite.name, suite.about);
        }
        return Ok(());
    }
    let wanted = wanted(&cli.suites)?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stop = Stop::on_signals()?;
    let shopbell = match cli.server {
        Some(path) => path.canonicalize()?,
        None => build(root)?,
    };
    let needs_peers = wanted.iter().any(|suite| suite.name != suites::ATTACKS);
    if cli.baseline.is_none() && needs_peers {
        install_peers(root)?;
    }
    pin(CLIENT_CORE)?;
    let baseline = cli.baseline.map(|path| Program::new(path.canonicalize()?)).transpose()?;
    let mut context = Context {
        shopbell: Program::new(shopbell)?,
        baseline,
        alert: String::new(),
        quick: cli.quick,
        rounds: cli.rounds.map(usize::from),
        seconds: cli.seconds,
        stop,
    };
    context.alert = sample_alert(&context)?;
    let folder = match (&context.baseline, cli.quick) {
        (Some(_), _) => target_folder()?.join("bench-baseline"),
        (None, true) => target_folder()?.join("bench-quick"),
        (None, false) => root.to_owned(),
    };
    let kept = Results::new(&folder, machine(&context)?);
    let mut failed = Vec::new();
    for suite in wanted {
        let begin = Instant::now();
        eprintln!("{}: {}", suite.name, suite.about);
        match (suite.run)(&context) {
            Ok(results) => {
                eprintln!("  done in {:.0?}", begin.elapsed());
                println!("{}", results.text());
                kept.save(&results)?;
                kept.write(suites::ALL.iter().map(|suite| suite.name))?;
            }
            // The others may still say something.
            Err(error) => {
                context.stop.check()?;
                eprintln!("  FAILED: {error}");
                failed.push(suite.name);
            }
        }
    }
    println!("written: {}", folder.join("RESULTS.md").display());
    if failed.is_empty() { Ok(()) } else { Err(format!("suites that failed: {}", failed.join(", ")).into()) }
}

fn wanted(names: &[String]) -> Result<Vec<&'static Entry>> {
    if names == ["all"] {
        return Ok(suites::ALL.iter().collect());
    }
    let find = |name: &String| {
        let found = suites::ALL.iter().find(|suite| suite.name == name);
        found.ok_or_else(|| format!("there is no suite {name}; `list` names them").into())
    };
    names.iter().map(find).collect()
}

/// Builds the program with the settings of a release.
fn build(root: &Path) -> Result<PathBuf> {
    eprintln!("building shopbell");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--locked", "--package", "shopbell", "--bin", "shopbell"]);
    if !cargo.current_dir(root).status()?.success() {
        return Err("shopbell could not be built".into());
    }
    Ok(target_folder()?.join("release/shopbell"))
}

/// The folder that cargo builds into: this program lies in one of its profiles' folders.
fn target_folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder =
        program.parent().and_then(Path::parent).ok_or("the bench does not run from a target folder")?;
    Ok(folder.to_owned())
}

/// Installs what the peers in JavaScript need, unless the last run did.
fn install_peers(root: &Path) -> Result<()> {
    let peers = root.join("peers");
    let modified = |file: &str| peers.join(file).metadata().and_then(|metadata| metadata.modified());
    // npm keeps what it installed in a lock file of its own.
    let installed = modified("node_modules/.package-lock.json");
    if installed.is_ok_and(|installed| modified("package-lock.json").is_ok_and(|wanted| installed >= wanted))
    {
        return Ok(());
    }
    eprintln!("installing the peers");
    let status = Command::new("npm").args(["ci"]).current_dir(&peers).stdout(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err("the peers could not be installed: `npm ci` in bench/peers failed".into()),
    }
}

/// What the numbers were measured on, and with.
fn machine(context: &Context) -> Result<String> {
    let version = |program: &Path| output(program, &["--version"]).unwrap_or_default();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let kernel: Vec<&str> = kernel.trim().split('.').take(2).collect();
    let node = version(Path::new("node"));
    let bun = version(&context.peers().join("node_modules/bun/bin/bun.exe"));
    let rust = version(Path::new("rustc"));
    let rust: Vec<&str> = rust.split_whitespace().take(2).collect();
    let warning = if context.quick { " A QUICK RUN: these numbers mean little." } else { "" };
    Ok(format!(
        "Linux {}, {} cores, {}, Node {node}, Bun {bun}.{warning}",
        kernel.join("."),
        // Not the cores that this process may use, of which it has left itself one.
        std::fs::read_to_string("/proc/cpuinfo")?.matches("processor\t").count(),
        rust.join(" "),
    ))
}
