//! `shopbell source`: other systems that say when something was bought.

use std::{io::Read as _, path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, Subcommand};

use super::common::{CommonArgs, Failure, open, print, sentence};
use crate::{
    clock,
    config::Settings,
    domain::{BuyerDisplay, GoodsName, Poll, SourceId, SourceName},
    hooks::{Secret, SourceKind},
    service::{
        ServiceError,
        ingest::Ingest,
        sources::{self, Sources, WantedSource},
    },
    store::{Outcome, Receipt, ReceiptQuery, Source, Store},
};

#[derive(Subcommand)]
pub(super) enum SourceCommand {
    /// Make a source; its URL is printed, and its secret where that is made here
    Add(Box<AddArgs>),
    /// List the sources; secrets are not shown again
    List(UrlArgs),
    /// Replace the secret; the one before holds for two more days, or until --drop-old
    Rotate(RotateArgs),
    /// Remove a source; its orders stay
    Remove(IdArgs),
    /// What came last from a source, and what became of it
    Receipts(ReceiptsArgs),
}

#[derive(Args)]
pub(super) struct UrlArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// What the shop is called from outside
    #[arg(long, env = "SHOPBELL_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
}

/// The secret that the other system made.
#[derive(Args)]
pub(super) struct SecretArgs {
    /// Read the secret from standard input
    #[arg(long, conflicts_with = "secret_file")]
    secret_stdin: bool,
    /// Read the secret from a file
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    urls: UrlArgs,
    /// shopify, woocommerce, stripe or standard
    #[arg(long, value_name = "KIND")]
    kind: SourceKind,
    /// What to call it
    #[arg(long, value_name = "NAME", value_parser = |text: &str| sentence(SourceName::parse(text)))]
    name: SourceName,
    #[command(flatten)]
    secret: SecretArgs,
    /// How its buyers are named: none, masked (k**) or first-name
    #[arg(
        long,
        value_name = "none|masked|first-name",
        default_value = "masked",
        value_parser = |text: &str| sentence(BuyerDisplay::parse(text))
    )]
    buyer: BuyerDisplay,
    /// What is bought, where the source does not say
    #[arg(long, value_name = "NAME", value_parser = |text: &str| sentence(GoodsName::parse(text)))]
    goods_name: Option<GoodsName>,
    /// How old an order may be to be news
    #[arg(
        long,
        value_name = "TIME",
        default_value = "1h",
        value_parser = |text: &str| sentence(sources::announce_within(text))
    )]
    announce_within: Duration,
    /// Receipts a second
    #[arg(long, value_name = "N", default_value = "200", value_parser = |text: &str| sentence(sources::rate(text)))]
    rate: u32,
    /// Address of the shop whose orders are read as well (woocommerce)
    #[arg(
        long,
        value_name = "URL",
        requires = "poll_key_file",
        value_parser = |text: &str| sentence(sources::poll_url(text))
    )]
    poll_url: Option<String>,
    /// File with the keys of its REST API, ck_…:cs_…
    #[arg(long, value_name = "FILE", requires = "poll_url")]
    poll_key_file: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct IdArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// The source, src_…
    #[arg(value_name = "SOURCE", value_parser = source_id)]
    source: SourceId,
}

#[derive(Args)]
pub(super) struct RotateArgs {
    #[command(flatten)]
    id: IdArgs,
    #[command(flatten)]
    secret: SecretArgs,
    /// End all secrets but the newest, instead of adding one
    #[arg(long, conflicts_with_all = ["secret_stdin", "secret_file"])]
    drop_old: bool,
}

#[derive(Args)]
pub(super) struct ReceiptsArgs {
    #[command(flatten)]
    id: IdArgs,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Only those of an outcome: told, withdrawn, kept, unchanged, goods, privacy, ignored or malformed
    #[arg(long, value_name = "OUTCOME", value_parser = |text: &str| {
        Outcome::parse(text).ok_or("there is no such outcome of a receipt")
    })]
    outcome: Option<Outcome>,
}

fn source_id(text: &str) -> Result<SourceId, &'static str> {
    SourceId::parse(text).ok_or("a source is src_ and 24 letters and digits")
}

impl SourceCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Add(args) => add(*args).await,
            Self::List(args) => list(args).await,
            Self::Rotate(args) => rotate(args).await,
            Self::Remove(args) => remove(args).await,
            Self::Receipts(args) => receipts(args).await,
        }
    }
}

async fn add(args: AddArgs) -> Result<(), Failure> {
    let kind = args.kind;
    let secret = args.secret.read()?.map(|text| secret(kind, &text)).transpose()?;
    let key = args.poll_key_file.as_deref().map(read_file).transpose()?;
    let key = key.map(|key| sentence(sources::poll_key(&key)).map_err(Failure::Usage)).transpose()?;
    let settings = crate::domain::SourceSettings {
        buyer: args.buyer,
        goods_name: args.goods_name,
        announce_within: args.announce_within,
        rate: args.rate,
        poll: args.poll_url.zip(key).map(|(url, key)| Poll { url, key }),
        ..sources::usual(args.name)
    };
    let wanted = WantedSource { kind, settings, secret };
    wanted.check().map_err(|error| usage(&error))?;
    let settings = args.urls.common.settings()?;
    let base = base(args.urls.public_url, &settings);
    let (store, found) = open_sources(&settings).await?;
    let created = found.create(wanted, None, clock::now()).await;
    store.close().await;
    let (source, made) = created.map_err(|error| failed(&error))?;
    print(&format!("{base}/hooks/{}\n", source.record.id))?;
    made.map_or(Ok(()), |secret| print(&format!("{}\n", secret.expose())))
}

async fn list(args: UrlArgs) -> Result<(), Failure> {
    let settings = args.common.settings()?;
    let base = base(args.public_url, &settings);
    let (store, found) = open_sources(&settings).await?;
    let listed = found.list().await;
    store.close().await;
    listed.map_err(|error| failed(&error))?.iter().try_for_each(|source| print(&line(source, &base)))
}

async fn rotate(args: RotateArgs) -> Result<(), Failure> {
    let given = args.secret.read()?;
    let (store, found) = open_sources(&args.id.common.settings()?).await?;
    let (id, now) = (&args.id.source, clock::now());
    let rotated = if args.drop_old {
        found.drop_old(id, None, now).await.map(|source| (source, None))
    } else {
        found.rotate(id, given.as_deref(), None, now).await
    };
    store.close().await;
    let (_, made) = rotated.map_err(|error| of(&error, id))?;
    match made {
        Some(secret) => print(&format!("{}\n", secret.expose())),
        None if args.drop_old => print("the older secrets no longer hold\n"),
        None => print("the secret holds, the ones before it for two more days\n"),
    }
}

async fn remove(args: IdArgs) -> Result<(), Failure> {
    let (store, found) = open_sources(&args.common.settings()?).await?;
    let removed = found.remove(&args.source, None, clock::now()).await;
    store.close().await;
    removed.map_err(|error| of(&error, &args.source))?;
    print("the source is removed, its orders stay\n")
}

async fn receipts(args: ReceiptsArgs) -> Result<(), Failure> {
    let settings = args.id.common.settings()?;
    let (store, found) = open_sources(&settings).await?;
    let ingest = Ingest::new(store.clone(), found, settings.currency);
    let query = ReceiptQuery { outcome: args.outcome, before: None, limit: args.limit };
    let page = ingest.receipts(&args.id.source, query).await;
    store.close().await;
    let page = page.map_err(|error| of(&error, &args.id.source))?;
    page.items.iter().try_for_each(|receipt| print(&receipt_line(receipt)))
}

/// `src_…  shopify  "My shop"  https://…/hooks/src_…  since 2026-11-21T00:54:21.123Z`
fn line(source: &Source, base: &str) -> String {
    let record = &source.record;
    let name = record.settings.name.as_str();
    let (id, since) = (&record.id, record.created_at);
    format!("{id}  {}  {name:?}  {base}/hooks/{id}  since {since}\n", source.kind)
}

/// `2026-11-21T00:54:21.123Z  17  orders/paid  1001  told: the order was paid`
fn receipt_line(receipt: &Receipt) -> String {
    let (topic, number) = (receipt.topic.as_deref(), receipt.number.as_deref());
    format!(
        "{}  {}  {}  {}  {}: {}\n",
        receipt.received_at,
        receipt.id.0,
        topic.unwrap_or("-"),
        number.unwrap_or("-"),
        receipt.outcome,
        receipt.why
    )
}

/// What the shop is called from outside, as far as is known.
fn base(public_url: Option<String>, settings: &Settings) -> String {
    let url = public_url.or_else(|| settings.public_url.clone());
    url.map_or_else(|| format!("http://{}", settings.addr), |url| url.trim_end_matches('/').to_owned())
}

impl SecretArgs {
    fn read(&self) -> Result<Option<String>, Failure> {
        if self.secret_stdin {
            let mut text = String::new();
            let read = std::io::stdin().lock().take(4096).read_to_string(&mut text);
            read.map_err(|error| Failure::Run(format!("standard input cannot be read: {error}")))?;
            return Ok(Some(text.trim().to_owned()));
        }
        self.secret_file.as_deref().map(read_file).transpose()
    }
}

fn read_file(path: &std::path::Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", path.display())))?;
    Ok(text.trim().to_owned())
}

fn secret(kind: SourceKind, text: &str) -> Result<Secret, Failure> {
    sentence(Secret::parse(kind, text)).map_err(Failure::Usage)
}

async fn open_sources(settings: &Settings) -> Result<(Arc<dyn Store>, Arc<Sources>), Failure> {
    let store = open(settings).await?;
    let found = Sources::open(store.clone()).await.map_err(|error| Failure::Run(error.to_string()))?;
    Ok((store, Arc::new(found)))
}

/// The sentence of what is wrong with an argument.
fn usage(error: &ServiceError) -> Failure {
    match error {
        ServiceError::Validation(errors) => {
            Failure::Usage(errors.first().map_or("", |error| error.message).to_owned())
        }
        other => Failure::Run(other.to_string()),
    }
}

fn failed(error: &ServiceError) -> Failure {
    match error {
        ServiceError::Validation(_) => usage(error),
        other => Failure::Run(other.to_string()),
    }
}

fn of(error: &ServiceError, id: &SourceId) -> Failure {
    match error {
        ServiceError::NotFound => Failure::Run(format!("there is no source {id}")),
        other => failed(other),
    }
}
