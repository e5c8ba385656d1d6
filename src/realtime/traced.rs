//! A batch whose publications are traced, on its way from the relay to the sockets.

use std::{sync::Arc, time::Instant};

use crate::{
    domain::Offset,
    store::Feed,
    telemetry::{Kind, Span, Traces},
};

/// The steps that the relay's telling is, one in the trace of each publication that has one.
#[derive(Debug)]
pub(super) struct Traced {
    traces: Traces,
    relaying: Vec<Span>,
}

impl Traced {
    /// Begins when the relay takes what is committed; `None` when nothing of it is traced.
    pub(super) fn begin(feed: &Feed, first: Offset, last: Offset, now: Instant) -> Option<Arc<Self>> {
        let traces = feed.tracer()?;
        let taken = feed.take_traces(first, last);
        let step = |(id, parent): (Offset, _)| {
            let span = Span::after(parent, "relay", Kind::Internal, now);
            span.with("shopbell.offset", usize::try_from(id.0).unwrap_or_default())
        };
        let relaying: Vec<Span> = taken.into_iter().map(step).collect();
        (!relaying.is_empty()).then(|| Arc::new(Self { traces: traces.clone(), relaying }))
    }

    /// A thread has written it to the last of its sessions that take it; `alerts` is what it wrote to them. A session
    /// without room reads on from the log, which is no part of the trace.
    pub(super) fn written(&self, began: Instant, alerts: usize) {
        for relay in &self.relaying {
            let span = Span::after(relay.context, "write", Kind::Internal, began);
            self.traces.record(span.with("shopbell.alerts", alerts));
        }
    }

    /// All threads have.
    pub(super) fn relayed(&self) {
        for relay in &self.relaying {
            self.traces.record(relay.clone());
        }
    }
}
