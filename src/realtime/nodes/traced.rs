//! Traces across nodes: what is published belongs to the trace of what was committed, and so does its arrival.

use std::time::{Duration, Instant};

use crate::{
    domain::{Offset, TraceContext},
    store::{Feed, feed::News},
    telemetry::{Kind, Span, Traces},
};

/// Publishes news of which something is traced: `publish` is handed what other nodes are told of their traces.
pub(super) fn publish(traces: &Traces, news: &News, publish: impl FnOnce(&[(Offset, TraceContext)])) {
    let now = Instant::now();
    let step =
        |(id, parent): &(Offset, TraceContext)| (*id, Span::after(*parent, "publish", Kind::Producer, now));
    let steps: Vec<(Offset, Span)> = news.traces.iter().map(step).collect();
    let told: Vec<_> = steps.iter().map(|(id, span)| (*id, span.context)).collect();
    publish(&told);
    for (_, span) in steps {
        traces.record(span);
    }
}

/// News of another node are here; `lag` after they left, as far as the clocks of both agree.
pub(super) fn arrived(feed: &Feed, news: &mut News, began: Instant, lag: Duration) {
    if news.traces.is_empty() {
        return;
    }
    let Some(traces) = feed.tracer() else { return news.traces.clear() };
    let micros = usize::try_from(lag.as_micros()).unwrap_or(usize::MAX);
    for (_, there) in &mut news.traces {
        let span = Span::after(*there, "receive", Kind::Consumer, began);
        *there = span.context;
        traces.record(span.with("shopbell.bus.lag_us", micros));
    }
}
