//! Traces: what happened to an order, step by step, on every node of the shop, under one id. Recorded in memory and sent by a
//! thread of their own; nothing that serves clients ever waits for that.
//!
//! Not for: logs, and numbers (`/metrics`). Which trace something belongs to stands beside it in memory and on the bus, never
//! in the database: after a restart, and for who reads the log, a trace has no more to tell.

#[cfg(feature = "otlp")]
mod otlp;
#[cfg(not(feature = "otlp"))]
#[path = "traces/without_otlp.rs"]
mod otlp;
mod span;

use std::{
    num::NonZeroU128,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::{mpsc, oneshot};

pub use self::span::{Kind, Span};
use self::span::{Outcome, Told, count, random_span};
use crate::{config::CollectorUrl, domain::TraceContext};

/// Spans that wait to be sent. What comes when there is no room is dropped and counted.
const QUEUE: usize = 2048;
/// How many traces a second callers may have recorded by saying so: anyone may send a `traceparent`.
const ASKED_PER_SECOND: u32 = 100;
/// How long the end of the program waits for the last spans.
const LAST: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Recorder {
    /// Of 2^32 traces so many are recorded.
    sample: u64,
    spans: mpsc::Sender<Told>,
    /// The second in which callers asked for traces, and for how many.
    asked: Mutex<Option<(Instant, u32)>>,
}

/// Where traces are recorded, if they are.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<Arc<Recorder>>);

impl Traces {
    /// Recorded for a collector, a share of them; for none without one. `node` is what this node is called in them.
    ///
    /// # Errors
    /// The collector cannot be used; the text is the reason.
    pub fn open(collector: Option<&CollectorUrl>, sample: f64, node: &str) -> Result<Self, String> {
        let Some(collector) = collector else { return Ok(Self::default()) };
        let (spans, told) = mpsc::channel(QUEUE);
        otlp::start(collector, node, told)?;
        for outcome in [Outcome::Exported, Outcome::Dropped, Outcome::Failed] {
            count(outcome, 0);
        }
        Ok(Self::to(spans, sample))
    }

    fn to(spans: mpsc::Sender<Told>, sample: f64) -> Self {
        // It is 0 to 2^32.
        let sample = (sample.clamp(0.0, 1.0) * 4_294_967_296.0) as u64;
        Self(Some(Arc::new(Recorder { sample, spans, asked: Mutex::default() })))
    }

    /// Whether any are.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Something begins that may be traced: by the decision of the caller, if that is a `traceparent`, else by chance.
    pub fn begin<'a>(&self, name: &'static str, traceparent: impl FnOnce() -> Option<&'a str>) -> Begun {
        let Some(recorder) = &self.0 else { return Begun(None) };
        let parent = traceparent().and_then(TraceContext::parse);
        let is_recorded = match parent {
            Some((_, is_recorded)) => is_recorded && recorder.is_asked(Instant::now()),
            None => u64::from(rand::random::<u32>()) < recorder.sample,
        };
        if !is_recorded {
            return Begun(None);
        }
        let parent = parent.map(|(parent, _)| parent);
        let trace_id = parent.map(|parent| parent.trace_id).or_else(|| NonZeroU128::new(rand::random()));
        let context = TraceContext { trace_id: trace_id.unwrap_or(NonZeroU128::MIN), span_id: random_span() };
        let (began, links, numbers) = (SystemTime::now(), Vec::new(), Vec::new());
        let span = Span { name, kind: Kind::Server, context, parent, links, began, ended: began, numbers };
        Begun(Some((Arc::clone(recorder), span)))
    }

    /// A step is over.
    pub fn record(&self, span: Span) {
        if let Some(recorder) = &self.0 {
            recorder.record(span);
        }
    }

    /// Sends what was recorded, as far as a moment is enough for that.
    pub async fn close(&self) {
        let Some(recorder) = &self.0 else { return };
        let (answer, sent) = oneshot::channel();
        let last = async {
            if recorder.spans.send(Told::End(answer)).await.is_ok() {
                // An error is the end, too.
                let _ = sent.await;
            }
        };
        if tokio::time::timeout(LAST, last).await.is_err() {
            tracing::warn!("the last traces were not sent in time");
        }
    }
}

impl Recorder {
    fn record(&self, mut span: Span) {
        span.ended = SystemTime::now();
        if self.spans.try_send(Told::Span(span)).is_err() {
            count(Outcome::Dropped, 1);
        }
    }

    /// Whether one more trace is recorded because its caller says so.
    fn is_asked(&self, now: Instant) -> bool {
        // Numbers stay usable whatever a panic left them at.
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let second =
            asked.filter(|(began, _)| now.saturating_duration_since(*began) < Duration::from_secs(1));
        let (began, count_before) = second.unwrap_or((now, 0));
        let is_asked = count_before < ASKED_PER_SECOND;
        *asked = Some((began, count_before.saturating_add(1)));
        if !is_asked {
            count(Outcome::Dropped, 1);
        }
        is_asked
    }
}

/// Something under way that is traced, or not; it is over when this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Begun(Option<(Arc<Recorder>, Span)>);

impl Begun {
    /// What follows from it belongs there.
    #[must_use]
    pub fn context(&self) -> Option<TraceContext> {
        self.0.as_ref().map(|(_, span)| span.context)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some((recorder, span)) = self.0.take() {
            recorder.record(span);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::{span::LINKS, *};

    const RECORDED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const NOT_RECORDED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    fn traces(room: usize, sample: f64) -> (Traces, mpsc::Receiver<Told>) {
        let (spans, told) = mpsc::channel(room);
        (Traces::to(spans, sample), told)
    }

    #[test]
    fn chance_decides_where_no_caller_has() {
        let (none, _told) = traces(8, 0.0);
        assert_eq!(none.begin("BUY", || None).context(), None);
        assert_eq!(none.begin("BUY", || Some("rubbish")).context(), None);
        let begun = none.begin("BUY", || Some(RECORDED)).context().unwrap();
        assert!(begun.to_string().starts_with(&RECORDED[..36]) && begun.to_string() != RECORDED);
        let (all, _told) = traces(8, 1.0);
        let (one, other) = (all.begin("BUY", || None), all.begin("BUY", || None));
        assert_ne!(one.context().unwrap().trace_id, other.context().unwrap().trace_id);
        assert_eq!(all.begin("BUY", || Some(NOT_RECORDED)).context(), None);
        assert_eq!(Traces::default().begin("BUY", || panic!("nobody asks")).context(), None);
    }

    #[test]
    fn callers_may_ask_for_so_many_a_second() {
        let (traces, _told) = traces(8, 0.0);
        let recorder = traces.0.unwrap();
        let now = Instant::now();
        let asked = |at| (0..300).filter(|_| recorder.is_asked(at)).count();
        assert_eq!((asked(now), asked(now + Duration::from_secs(1))), (100, 100));
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_nobody_waits() {
        let (traces, mut told) = traces(3, 1.0);
        for _ in 0..100 {
            drop(traces.begin("BUY", || None));
        }
        assert_eq!(std::iter::from_fn(|| told.try_recv().ok()).count(), 3);
        drop(told);
        drop(traces.begin("BUY", || None));
    }

    #[test]
    fn a_step_follows_from_another_and_names_its_companions() {
        let (parent, _) = TraceContext::parse(RECORDED).unwrap();
        let others: Vec<_> = (1..30).filter_map(NonZeroU64::new).map(|id| parent.step(id)).collect();
        let with_parent = [&[parent], others.as_slice()].concat();
        let span = Span::after(parent, "commit", Kind::Internal, Instant::now()).beside(&with_parent);
        assert_eq!((span.parent, span.context.trace_id), (Some(parent), parent.trace_id));
        assert_eq!(span.links, others[..LINKS]);
    }
}
