//! What is traced of the news: beside the notifications, from COMMIT until they are told. Nothing of it is stored.

use std::time::Instant;

use super::{Feed, News};
use crate::{
    domain::{Offset, TraceContext},
    telemetry::{Kind, Span, Traces},
};

impl News {
    /// What a traced job announces belongs to its trace.
    pub fn trace(&mut self, trace: Option<TraceContext>) {
        if let Some(trace) = trace {
            self.traces.extend(self.publications.iter().map(|publication| (publication.id, trace)));
        }
    }
}

impl Feed {
    /// From now on what is traced of the news is recorded there. Counts once; a later call changes nothing.
    pub fn trace_to(&self, traces: Traces) {
        if traces.is_on() {
            // An error is the second call.
            let _ = self.traces.set(traces);
        }
    }

    /// Where it is recorded; `None` where nothing is.
    #[must_use]
    pub fn tracer(&self) -> Option<&Traces> {
        self.traces.get()
    }

    /// Records that a batch of so many jobs is committed, in the trace of each of its orders that has one.
    pub fn trace_commit(&self, news: &mut News, began: Instant, jobs: usize) {
        if news.traces.is_empty() {
            return;
        }
        let Some(traces) = self.tracer() else { return news.traces.clear() };
        let orders: Vec<TraceContext> = news.traces.iter().map(|(_, order)| *order).collect();
        for (_, order) in &mut news.traces {
            let span = Span::after(*order, "commit", Kind::Internal, began).with("shopbell.jobs", jobs);
            *order = span.context;
            traces.record(span.beside(&orders));
        }
    }

    /// Takes the traces of notifications that are about to be told. Those of earlier ones are forgotten: they were told
    /// before their traces came.
    #[must_use]
    pub fn take_traces(&self, first: Offset, last: Offset) -> Vec<(Offset, TraceContext)> {
        let mut state = self.state();
        let later = state.traces.split_off(&Offset(last.0.saturating_add(1)));
        let taken = std::mem::replace(&mut state.traces, later);
        drop(state);
        taken.into_iter().filter(|(id, _)| *id >= first).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_taken_with_their_notifications_and_never_later() {
        let feed = Feed::keeping(3);
        let trace =
            |n: u64| TraceContext { trace_id: 7_u128.try_into().unwrap(), span_id: n.try_into().unwrap() };
        let add = |id: i64| {
            let traces = vec![(Offset(id), trace(id.unsigned_abs()))];
            feed.add(News { catalog: true, traces, ..News::default() });
        };
        (1..=5).for_each(add);
        // The oldest two had to go.
        assert_eq!(feed.take_traces(Offset(1), Offset(4)), [(Offset(3), trace(3)), (Offset(4), trace(4))]);
        add(2);
        assert_eq!(feed.take_traces(Offset(5), Offset(6)), [(Offset(5), trace(5))]);
        assert!(feed.take_traces(Offset(1), Offset(9)).is_empty());
    }
}
