//! A step of a trace, and what becomes of it.

use std::{
    num::NonZeroU64,
    time::{Instant, SystemTime},
};

use tokio::sync::oneshot;

use crate::{domain::TraceContext, telemetry::names};

/// Orders of the same COMMIT that are named with each of them.
pub(super) const LINKS: usize = 16;

/// What a step is for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It answers a client.
    Server,
    /// It tells other nodes.
    Producer,
    /// It hears another node.
    Consumer,
    /// It is nobody else's business.
    Internal,
}

/// A step of a trace.
#[derive(Clone, Debug)]
pub struct Span {
    /// What is done.
    pub name: &'static str,
    /// What it is for others.
    pub kind: Kind,
    /// Itself.
    pub context: TraceContext,
    /// What it follows from.
    pub parent: Option<TraceContext>,
    /// What has to do with it beside that, of other traces.
    pub links: Vec<TraceContext>,
    /// When it began.
    pub began: SystemTime,
    /// When it was over.
    pub ended: SystemTime,
    /// What is to be said of it.
    pub numbers: Vec<(&'static str, i64)>,
}

impl Span {
    /// A step that follows from another, and began then.
    #[must_use]
    pub fn after(parent: TraceContext, name: &'static str, kind: Kind, since: Instant) -> Self {
        let now = SystemTime::now();
        let began = now.checked_sub(since.elapsed()).unwrap_or(now);
        let context = parent.step(random_span());
        let (parent, links, numbers) = (Some(parent), Vec::new(), Vec::new());
        Self { name, kind, context, parent, links, began, ended: now, numbers }
    }

    /// With a number to be said of it.
    #[must_use]
    pub fn with(mut self, name: &'static str, number: usize) -> Self {
        self.numbers.push((name, i64::try_from(number).unwrap_or(i64::MAX)));
        self
    }

    /// With others that have to do with it, as far as there is room for them.
    #[must_use]
    pub fn beside(mut self, others: &[TraceContext]) -> Self {
        let others = others.iter().filter(|other| Some(**other) != self.parent);
        self.links.extend(others.take(LINKS));
        self
    }
}

/// The number of another step.
pub(super) fn random_span() -> NonZeroU64 {
    NonZeroU64::new(rand::random()).unwrap_or(NonZeroU64::MIN)
}

/// What is told to the thread that sends.
#[derive(Debug)]
pub(super) enum Told {
    Span(Span),
    /// Send what there is, answer, and end.
    End(oneshot::Sender<()>),
}

/// What became of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The collector has them.
    Exported,
    /// There was no room for them.
    Dropped,
    /// The collector did not take them.
    Failed,
}

/// Counts spans by what became of them.
pub(super) fn count(outcome: Outcome, spans: usize) {
    let outcome = match outcome {
        Outcome::Exported => "exported",
        Outcome::Dropped => "dropped",
        Outcome::Failed => "failed",
    };
    metrics::counter!(names::TRACE_SPANS, "outcome" => outcome).increment(spans as u64);
}
