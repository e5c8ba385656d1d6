//! What carries messages between the nodes of one shop: quickly, by topic, and without a promise. Messages may be lost, come
//! twice or in another order, and the bus may be away; who subscribes is told when something may have been missed
//! ([`Heard::Missed`]) and goes on from the log.
//!
//! Two nodes can have channels between them, which do promise something, or end: [`peers`].
//!
//! Not for: what the messages say, which is `realtime::nodes`.

mod carrier;
mod frame;
mod local;
mod nats;
mod node;
pub mod peers;
mod status;
mod window;

use std::sync::Arc;

pub use self::{
    carrier::{Bus, Direct, Heard, Incoming, Message, Topic, tell},
    local::Local,
    nats::{BusError, Nats},
    node::NodeId,
    peers::Peers,
    status::BusState,
};
use crate::{config::BusUrl, domain::Epoch};

/// The bus that a URL names; without one there is one node. Returns at once, whether or not the bus is there, and must be
/// called within a Tokio runtime.
///
/// # Errors
/// The URL cannot be used.
pub async fn open(url: Option<&BusUrl>, epoch: Epoch) -> Result<Arc<dyn Bus>, BusError> {
    let node = NodeId::from_random(rand::random());
    Ok(match url {
        None => Arc::new(Local::new(node)),
        Some(url) => Arc::new(Nats::connect(url, epoch, node).await?),
    })
}
