//! `shopbell goods`: the catalog as a file, in and out.

use std::{
    io::{IsTerminal as _, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand, ValueEnum};

use super::{
    common::{CommonArgs, Failure, open, print},
    progress,
};
use crate::{
    api, clock,
    config::Settings,
    domain::{FieldError, Goods, GoodsId, GoodsKey},
    protocol::shapes::GoodsResponse,
    service::{
        catalog::check_currency,
        import::{
            Import, Line, Outcome, Report, Task,
            table::{self, Format},
        },
    },
    store::Store,
};

/// Goods that are read at a time.
const PAGE: u32 = 500;

#[derive(Subcommand)]
pub(super) enum GoodsCommand {
    /// Make and change goods as a file says: CSV with a header row, or a JSON object a line; keyed by sku, or goodsId without one
    Import(ImportArgs),
    /// Print all goods, also those that are not listed, as a file that `goods import` reads
    Export(ExportArgs),
}

#[derive(Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// File to read; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Change nothing, and say line by line what would change
    #[arg(long)]
    dry_run: bool,
    /// How the file is written [default: by its content]
    #[arg(long, value_name = "FORMAT")]
    format: Option<FormatArg>,
}

#[derive(Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// How the file is written
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    format: FormatArg,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatArg {
    Csv,
    Ndjson,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Csv => Self::Csv,
            FormatArg::Ndjson => Self::Ndjson,
        }
    }
}

impl GoodsCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Import(args) => import(args).await,
            Self::Export(args) => export(args).await,
        }
    }
}

async fn import(args: ImportArgs) -> Result<(), Failure> {
    let settings = args.common.settings()?;
    let table = read(&args.file)?;
    let store = open(&settings).await?;
    let format = args.format.map_or_else(|| Format::guess(&table), Format::from);
    let task = Task { format, dry_run: args.dry_run, by: None, at: clock::now() };
    let imported = run(&settings, store.clone(), &table, task).await;
    store.close().await;
    let report = imported?;
    for line in &report.lines {
        print(&format!("{}\n", describe(line)))?;
    }
    if !args.dry_run {
        for (line, errors) in &report.refused {
            print(&format!("line {line}: refused: {}\n", wrong(errors)))?;
        }
    }
    let Report { created, updated, unchanged, refusals, .. } = report;
    let would = if args.dry_run { "would be " } else { "" };
    print(&format!(
        "{would}{created} made, {updated} changed, {unchanged} as they were, {refusals} refused\n"
    ))?;
    match refusals {
        0 => Ok(()),
        lines => Err(Failure::Run(format!("refused lines: {lines}"))),
    }
}

async fn run(settings: &Settings, store: Arc<dyn Store>, table: &str, task: Task) -> Result<Report, Failure> {
    check_currency(&*store, settings.currency).await.map_err(|error| Failure::Usage(error.to_string()))?;
    let bar = progress::bytes(u64::try_from(table.len()).unwrap_or(u64::MAX));
    let import = Import::new(store, settings.currency);
    let done =
        import.run(table, task, |bytes| bar.set_position(u64::try_from(bytes).unwrap_or(u64::MAX))).await;
    bar.finish_and_clear();
    done.map_err(|error| Failure::Run(error.to_string()))
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = if file.as_os_str() == "-" {
        if std::io::stdin().is_terminal() {
            return Err(Failure::Usage("standard input is a terminal: name a file".to_owned()));
        }
        std::io::stdin().lock().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(file).map(|read| bytes = read)
    };
    let name = file.display();
    read.map_err(|error| Failure::Run(format!("{name} cannot be read: {error}")))?;
    String::from_utf8(bytes)
        .map_err(|_| Failure::Run(format!("{name} is not UTF-8: save it as \"CSV UTF-8\"")))
}

/// `line 3: updated TEA-100 (Green tea): price 6.2 -> 7`
fn describe(line: &Line) -> String {
    let key = match &line.key {
        Some(GoodsKey::Sku(sku)) => format!(" {}", sku.as_str()),
        Some(GoodsKey::Id(id)) => format!(" {id}"),
        None => String::new(),
    };
    let name = line.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    let more = match &line.outcome {
        Outcome::Created | Outcome::Unchanged => String::new(),
        Outcome::Updated(change) => format!(": {}", changed(&change.0, &change.1)),
        Outcome::Refused(errors) => format!(": {}", wrong(errors)),
    };
    format!("line {}: {}{key}{name}{more}", line.number, line.outcome.name())
}

fn changed(before: &Goods, after: &Goods) -> String {
    let changes = api::changes(before, after);
    let change =
        |(field, values): (String, serde_json::Value)| format!("{field} {} -> {}", values[0], values[1]);
    changes.into_iter().map(change).collect::<Vec<_>>().join(", ")
}

fn wrong(errors: &[FieldError]) -> String {
    let wrong = |error: &FieldError| format!("{}: {}", error.field, error.message);
    errors.iter().map(wrong).collect::<Vec<_>>().join("; ")
}

async fn export(args: ExportArgs) -> Result<(), Failure> {
    let store = open(&args.common.settings()?).await?;
    let written = write(&*store, args.format).await;
    store.close().await;
    written
}

/// A page at a time, so that a catalog of any size fits.
async fn write(store: &dyn Store, format: FormatArg) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Run(error.to_string());
    let bar = progress::unknown("reading goods");
    if matches!(format, FormatArg::Csv) {
        print(&table::header())?;
    }
    let mut after = GoodsId(0);
    loop {
        let page = store.goods_after(after, PAGE).await.map_err(|error| failed(&error))?;
        let Some(last) = page.last() else { break };
        after = last.goods_id;
        for goods in &page {
            let line = match format {
                FormatArg::Csv => table::csv_line(goods).map_err(|error| failed(&error))?,
                FormatArg::Ndjson => json_line(goods).map_err(|error| failed(&error))?,
            };
            print(&String::from_utf8_lossy(&line))?;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn json_line(goods: &Goods) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&GoodsResponse::from(goods))?;
    line.push(b'\n');
    Ok(line)
}
