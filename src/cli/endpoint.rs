//! `shopbell endpoint`: systems of others that are told news. A running server goes by it within a second.

use clap::{Args, Subcommand};

use super::common::{CommonArgs, Failure, open, print, sentence};
use crate::{
    clock,
    domain::{Delivery, DeliveryStatus, Endpoint, EndpointId, EndpointUrl, Timestamp, Topics},
    service::{ServiceError, endpoints::Endpoints},
};

#[derive(Subcommand)]
pub(super) enum EndpointCommand {
    /// Tell a system of yours what happens from now on; prints the secret of the signatures, once
    Add(AddArgs),
    /// List endpoints
    List(CommonArgs),
    /// Give an endpoint another secret and print it, once; the old one signs too for a day
    Rotate(OneArgs),
    /// Remove an endpoint, with its deliveries
    Remove(OneArgs),
    /// Tell everything again since a moment
    Replay(ReplayArgs),
    /// List what was sent, the newest first
    Deliveries(DeliveriesArgs),
    /// Send a test; a running server does it
    Test(OneArgs),
}

#[derive(Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Where to send: an http or https URL
    #[arg(long, value_name = "URL", value_parser = |text: &str| sentence(EndpointUrl::parse(text)))]
    url: EndpointUrl,
    /// What to send, with commas: order.placed, order.canceled, goods.updated, stock.low
    #[arg(long, value_name = "EVENTS", value_parser = |text: &str| sentence(Topics::parse(text)))]
    events: Topics,
}

#[derive(Args)]
pub(super) struct OneArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Its number
    #[arg(long, value_name = "N", value_parser = number)]
    id: EndpointId,
}

#[derive(Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    one: OneArgs,
    /// Since when, such as 2026-11-21T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = |text: &str| sentence(Timestamp::parse(text)))]
    since: Timestamp,
}

#[derive(Args)]
pub(super) struct DeliveriesArgs {
    #[command(flatten)]
    one: OneArgs,
    /// Only those that are waiting, delivered or failed
    #[arg(long, value_name = "STATUS", value_parser = |text: &str| sentence(DeliveryStatus::parse(text)))]
    status: Option<DeliveryStatus>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

fn number(text: &str) -> Result<EndpointId, String> {
    EndpointId::parse(text).ok_or_else(|| format!("{text:?} is not the number of an endpoint"))
}

impl EndpointCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Add(AddArgs { common, url, events }) => {
                with(&common, async |endpoints| {
                    let endpoint = endpoints.create(None, url, events, clock::now()).await?;
                    Ok(with_secret(&endpoint))
                })
                .await
            }
            Self::List(common) => {
                with(&common, async |endpoints| Ok(endpoints.list().await?.iter().map(line).collect())).await
            }
            Self::Rotate(OneArgs { common, id }) => {
                with(&common, async |endpoints| {
                    Ok(with_secret(&endpoints.rotate(None, id, clock::now()).await?))
                })
                .await
            }
            Self::Remove(OneArgs { common, id }) => {
                with(&common, async |endpoints| {
                    endpoints.remove(None, id, clock::now()).await?;
                    Ok(format!("endpoint {id} is removed\n"))
                })
                .await
            }
            Self::Replay(ReplayArgs { one: OneArgs { common, id }, since }) => {
                with(&common, async |endpoints| {
                    endpoints.replay(None, id, since, clock::now()).await?;
                    Ok(format!("endpoint {id} is told everything again since {since}\n"))
                })
                .await
            }
            Self::Deliveries(DeliveriesArgs { one: OneArgs { common, id }, status, limit }) => {
                with(&common, async |endpoints| {
                    let page = endpoints.deliveries(id, status, None, limit).await?;
                    Ok(page.items.iter().map(delivery_line).collect())
                })
                .await
            }
            Self::Test(OneArgs { common, id }) => {
                with(&common, async |endpoints| {
                    let queued = endpoints.test(None, id, clock::now()).await?;
                    Ok(format!("delivery {} is a test; a running server sends it now\n", queued.delivery_id))
                })
                .await
            }
        }
    }
}

/// Opens the store, does something and prints what came of it.
async fn with(
    common: &CommonArgs,
    act: impl AsyncFnOnce(Endpoints) -> Result<String, ServiceError>,
) -> Result<(), Failure> {
    let store = open(&common.settings()?).await?;
    let done = act(Endpoints::new(store.clone())).await;
    store.close().await;
    print(&done.map_err(|error| match error {
        ServiceError::NotFound => Failure::Run("there is no such endpoint".to_owned()),
        other => Failure::Run(other.to_string()),
    })?)
}

fn with_secret(endpoint: &Endpoint) -> String {
    format!("{}secret: {}\n", line(endpoint), endpoint.secret.reveal())
}

fn line(endpoint: &Endpoint) -> String {
    let mut line = format!("{}  {}  {}", endpoint.endpoint_id, endpoint.url.as_str(), endpoint.topics);
    line += &match (endpoint.disabled, endpoint.failing_since) {
        (Some((at, reason)), _) => format!("  disabled since {at} ({})", reason.name()),
        (None, Some(since)) => format!("  failing since {since}"),
        (None, None) => String::new(),
    };
    line.push('\n');
    line
}

fn delivery_line(delivery: &Delivery) -> String {
    let Delivery { delivery_id, message, kind, status, tries, updated_at, .. } = delivery;
    let next = delivery.next_at.map(|at| format!("  next at {at}")).unwrap_or_default();
    format!("{delivery_id}  {updated_at}  {kind}  {}  tries {tries}  {message}{next}\n", status.name())
}
