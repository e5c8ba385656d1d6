//! The figures of a shop at a glance, as the control room and `shopbell watch` show them (docs/contract.md §6).
//!
//! All of them are counted where they happen; here they are put together. What that costs does not depend on how many
//! sessions there are, and for those who watch it is done once a second for all of them, while anybody does.

mod orders;
mod shape;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use self::orders::Orders;
pub use self::shape::{Alerts, Figures, Latency, OrderFigures, Refused, Sessions, Transports};
use crate::{
    clock,
    outbox::Wire,
    realtime::{Announcement, BOUNDS_MS, Hubs, SessionCount, Tally, hub::TellWatchers},
    service::widget::Widget,
    store::{FigureStore, StoreError},
    telemetry,
};

/// How often those who watch are told.
const INTERVAL: Duration = Duration::from_secs(1);
/// The event.
const EVENT: &str = "FIGURES";

/// Where the figures come from.
pub struct Board {
    started: Instant,
    tally: Arc<Tally>,
    widget: Arc<Widget>,
    orders: Orders,
}

impl Board {
    /// Over what counts; the server has just started.
    #[must_use]
    pub fn new(store: Arc<dyn FigureStore>, widget: Arc<Widget>) -> Self {
        Self { started: Instant::now(), tally: Arc::default(), widget, orders: Orders::new(store) }
    }

    /// Where sessions are counted.
    #[must_use]
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// The figures as they are now.
    ///
    /// # Errors
    /// The store failed.
    pub async fn figures(&self) -> Result<Figures, StoreError> {
        let (time, now) = (clock::now(), Instant::now());
        let orders = self.orders.count(time).await?;
        let widget = self.widget.today(time).await?;
        let delivered = self.tally.deliveries(now);
        let refused = telemetry::refusals(now);
        Ok(Figures {
            time,
            uptime_seconds: self.started.elapsed().as_secs(),
            sessions: self.sessions(),
            lagging: self.tally.lagging(),
            orders,
            alerts: Alerts { delivered: delivered.total, per_second: delivered.per_second },
            latency: Latency { bounds_ms: BOUNDS_MS.into(), counts: delivered.counts.into() },
            refusals: Refused {
                total: refused.total,
                per_second: refused.per_second,
                by_code: refused.by_code,
            },
            widget,
        })
    }

    fn sessions(&self) -> Sessions {
        let counts = Wire::ALL.map(|wire| (wire, self.tally.sessions(wire)));
        let sum = |part: fn(&SessionCount) -> u64| counts.iter().map(|(_, count)| part(count)).sum();
        let (members, guests) = (sum(|count| count.members), sum(|count| count.guests));
        let of = |wire| {
            let found = counts.iter().find(|(other, _)| *other == wire);
            found.map_or(0, |(_, count)| count.members + count.guests)
        };
        Sessions {
            total: members + guests,
            members,
            guests,
            by_transport: Transports {
                websocket: of(Wire::Native),
                socketio: of(Wire::SocketIo),
                polling: of(Wire::Polling),
                sse: of(Wire::Sse),
            },
        }
    }

    /// Tells those who watch, until it is dropped.
    pub async fn run(self: Arc<Self>, hubs: Hubs) {
        loop {
            self.tally.watched().await;
            match self.figures().await {
                Ok(figures) => {
                    let figures = Arc::new(Announcement::new(EVENT, figures.json()));
                    hubs.send(TellWatchers(figures)).await;
                }
                Err(error) => tracing::warn!(%error, "the figures cannot be read; it is tried again"),
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}
