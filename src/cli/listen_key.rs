//! `shopbell listen-key`: keys with which the pages of another shop hear the alerts.

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::common::{CommonArgs, Failure, open, print, sentence};
use crate::{
    clock,
    domain::{
        KeyName, ListenKey, ListenKeyId, NicknameDisplay,
        listen_key::{parse_display, parse_origins},
    },
    service::{
        ServiceError,
        listen_keys::{ListenKeys, WantedKey},
    },
    store::Store,
};

#[derive(Subcommand)]
pub(super) enum ListenKeyCommand {
    /// Make a key; it is public and stands in those pages
    Add(AddArgs),
    /// List the keys that hold, and those that were removed lately
    List(CommonArgs),
    /// Revoke a key; the pages that listen with it are cut off within a second
    Remove(RemoveArgs),
}

#[derive(Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Origin of the pages that may use it, https://their.shop (repeatable)
    #[arg(long, value_name = "ORIGIN", required = true)]
    origin: Vec<String>,
    /// How names are shown: masked (k**), or full, which is as the shop's own audience sees them
    #[arg(
        long,
        value_name = "masked|full",
        default_value = "masked",
        value_parser = |text: &str| sentence(parse_display(text))
    )]
    display: NicknameDisplay,
    /// What to call it in lists
    #[arg(long, value_name = "NAME", value_parser = |text: &str| sentence(KeyName::parse(text)))]
    name: Option<KeyName>,
}

#[derive(Args)]
pub(super) struct RemoveArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// The key, lk_…
    #[arg(value_name = "KEY", value_parser = |text: &str| {
        ListenKeyId::parse(text).ok_or("a listen key is lk_ and 32 hexadecimal digits")
    })]
    key: ListenKeyId,
}

impl ListenKeyCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Add(args) => add(args).await,
            Self::List(common) => list(&common).await,
            Self::Remove(args) => remove(args).await,
        }
    }
}

async fn add(args: AddArgs) -> Result<(), Failure> {
    let typed = Value::from(args.origin);
    let origins = sentence(parse_origins(&typed))
        .map_err(|message| Failure::Usage(format!("--origin {typed}: {message}")))?;
    let wanted = WantedKey { name: args.name, origins, display: args.display };
    let (store, keys) = keys(&args.common).await?;
    let created = keys.create(wanted, None, clock::now()).await;
    store.close().await;
    print(&format!("{}\n", created.map_err(|error| failed(&error))?.id))
}

async fn list(common: &CommonArgs) -> Result<(), Failure> {
    let (store, keys) = keys(common).await?;
    let found = keys.list().await;
    store.close().await;
    found.map_err(|error| failed(&error))?.iter().try_for_each(|key| print(&line(key)))
}

async fn remove(args: RemoveArgs) -> Result<(), Failure> {
    let (store, keys) = keys(&args.common).await?;
    let revoked = keys.revoke(args.key, None, clock::now()).await;
    store.close().await;
    match revoked {
        Ok(()) => print("the key opens nothing any more, its sessions have ended\n"),
        Err(ServiceError::NotFound) => Err(Failure::Run(format!("there is no listen key {}", args.key))),
        Err(error) => Err(failed(&error)),
    }
}

async fn keys(common: &CommonArgs) -> Result<(Arc<dyn Store>, ListenKeys), Failure> {
    let store = open(&common.settings()?).await?;
    let keys = ListenKeys::open(store.clone()).await.map_err(|error| Failure::Run(error.to_string()))?;
    Ok((store, keys))
}

fn failed(error: &ServiceError) -> Failure {
    Failure::Run(error.to_string())
}

/// `lk_…  masked  https://their.shop  since 2026-11-21T00:54:21.123Z  (name)`
fn line(key: &ListenKey) -> String {
    let origins: Vec<&str> = key.origins.iter().map(|origin| origin.as_str()).collect();
    let display = key.display.name();
    let since = match key.revoked_at {
        Some(at) => format!("revoked {at}"),
        None => format!("since {}", key.created_at),
    };
    let name = key.name.as_ref().map(|name| format!("  ({})", name.as_str())).unwrap_or_default();
    format!("{}  {display}  {}  {since}{name}\n", key.id, origins.join(" "))
}
