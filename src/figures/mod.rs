//! The figures of a shop at a glance, as the control room and `shopbell watch` show them (docs/contract.md §6).
//!
//! All of them are counted where they happen; here they are put together. What that costs does not depend on how many
//! sessions there are, and for those who watch it is done once a second for all of them, while anybody does.

mod orders;
mod shape;
mod share;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub use self::shape::{Alerts, Figures, Latency, OrderFigures, Refused, Sessions, Transports};
use self::{
    orders::Orders,
    share::{Others, Share},
};
use crate::{
    bus::Bus,
    clock,
    realtime::{Announcement, Hubs, Tally, hub::TellWatchers},
    service::widget::Widget,
    store::{FigureStore, StoreError},
    telemetry::Outage,
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
    others: Others,
}

impl Board {
    /// Over what counts; the server has just started.
    #[must_use]
    pub fn new(store: Arc<dyn FigureStore>, widget: Arc<Widget>) -> Self {
        let orders = Orders::new(store);
        Self { started: Instant::now(), tally: Arc::default(), widget, orders, others: Others::default() }
    }

    /// Where sessions are counted.
    #[must_use]
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// The figures as they are now: of all nodes, as far as they were heard within 5 s.
    ///
    /// # Errors
    /// The store failed.
    pub async fn figures(&self) -> Result<Figures, StoreError> {
        let (time, now) = (clock::now(), Instant::now());
        let orders = self.orders.count(time).await?;
        let widget = self.widget.today(time).await?;
        let mut share = Share::own(&self.tally, now);
        self.others.add_to(&mut share, now);
        Ok(Figures {
            time,
            uptime_seconds: self.started.elapsed().as_secs(),
            sessions: share.sessions(),
            lagging: share.lagging(),
            orders,
            alerts: share.alerts(),
            latency: share.latency(),
            refusals: share.refused(),
            widget,
        })
    }

    /// Tells the other nodes what this one counts, and hears the same of them, until it is dropped.
    pub async fn exchange(self: Arc<Self>, bus: Arc<dyn Bus>) {
        share::exchange(bus, &self.tally, &self.others).await;
    }

    /// Tells those who watch, until it is dropped.
    pub async fn run(self: Arc<Self>, hubs: Hubs) {
        let outage = Outage::new("the figures cannot be read");
        loop {
            self.tally.watched().await;
            let figures = self.figures().await;
            outage.note(&figures);
            if let Ok(figures) = figures {
                let figures = Arc::new(Announcement::new(EVENT, figures.json()));
                hubs.send(TellWatchers(figures)).await;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}
