//! Sends spans to a collector by OTLP over HTTP, from a thread of its own: however long the collector takes, only this waits.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use opentelemetry::{
    InstrumentationScope, KeyValue,
    trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks},
};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use tokio::{
    sync::{mpsc::Receiver, oneshot},
    time::{Instant, timeout, timeout_at},
};

use super::span::{Kind, Outcome, Span, Told, count};
use crate::{
    config::{CollectorUrl, TracesTarget},
    domain::TraceContext,
};

/// Spans that are sent together.
const BATCH: usize = 512;
/// How long a span waits for others.
const GATHER: Duration = Duration::from_millis(500);
/// How long the collector may take for an answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a batch may take, tries after "come back later" included.
const BATCH_TIME: Duration = Duration::from_secs(10);

/// Starts to send what is told, until nobody can tell anything any more.
pub(super) fn start(collector: &CollectorUrl, node: &str, told: Receiver<Told>) -> Result<(), String> {
    let exporter = exporter(collector.traces()?, node).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let sending = std::thread::Builder::new().name("otlp".into());
    let sending = sending.spawn(move || runtime.block_on(run(exporter, told)));
    sending.map(drop).map_err(|error| error.to_string())
}

fn exporter(target: TracesTarget, node: &str) -> Result<SpanExporter, Box<dyn std::error::Error>> {
    let mut headers = HeaderMap::new();
    if let Some((user, password)) = target.login {
        let login = BASE64_STANDARD.encode(format!("{user}:{}", password.0));
        let mut login = HeaderValue::from_str(&format!("Basic {login}"))?;
        login.set_sensitive(true);
        headers.insert(AUTHORIZATION, login);
    }
    let client = reqwest::Client::builder()
        .default_headers(headers)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER)
        .build()?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(target.url)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(ANSWER);
    let mut exporter = exporter.build()?;
    let resource = Resource::builder()
        .with_service_name("shopbell")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", node.to_owned()));
    exporter.set_resource(&resource.build());
    Ok(exporter)
}

async fn run(exporter: SpanExporter, mut told: Receiver<Told>) {
    let mut is_away = false;
    loop {
        let (batch, end) = gather(&mut told).await;
        if !batch.is_empty() {
            send(&exporter, batch, &mut is_away).await;
        }
        if let Some(end) = end {
            // Who asked for it may not wait any more.
            let _ = end.map(|asked| asked.send(()));
            return;
        }
    }
}

/// The next batch, and who is to be told that it was the last; `Some(None)` when nobody is.
async fn gather(told: &mut Receiver<Told>) -> (Vec<Span>, Option<Option<oneshot::Sender<()>>>) {
    let (mut batch, mut due) = (Vec::new(), None);
    while batch.len() < BATCH {
        let next = match due {
            None => told.recv().await,
            Some(due) => match timeout_at(due, told.recv()).await {
                Ok(next) => next,
                Err(_) => break,
            },
        };
        match next {
            Some(Told::Span(span)) => {
                batch.push(span);
                due.get_or_insert_with(|| Instant::now() + GATHER);
            }
            Some(Told::End(asked)) => return (batch, Some(Some(asked))),
            None => return (batch, Some(None)),
        }
    }
    (batch, None)
}

async fn send(exporter: &SpanExporter, batch: Vec<Span>, is_away: &mut bool) {
    let spans = batch.len();
    let sent = timeout(BATCH_TIME, exporter.export(batch.into_iter().map(data).collect())).await;
    let failure = match sent {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("it takes too long".to_owned()),
    };
    count(if failure.is_none() { Outcome::Exported } else { Outcome::Failed }, spans);
    match &failure {
        Some(error) if !*is_away => {
            tracing::warn!(error, "the collector takes no traces; they are dropped and counted");
        }
        None if *is_away => tracing::info!("the collector takes traces again"),
        _ => {}
    }
    *is_away = failure.is_some();
}

fn context(context: TraceContext, is_remote: bool) -> SpanContext {
    SpanContext::new(
        TraceId::from_bytes(context.trace_id.get().to_be_bytes()),
        SpanId::from_bytes(context.span_id.get().to_be_bytes()),
        TraceFlags::SAMPLED,
        is_remote,
        TraceState::default(),
    )
}

fn data(span: Span) -> SpanData {
    // What a request or another node began is somebody else's.
    let is_remote = matches!(span.kind, Kind::Server | Kind::Consumer);
    let parent = span.parent.map_or(SpanId::INVALID, |parent| context(parent, is_remote).span_id());
    let mut links = SpanLinks::default();
    links.links = span.links.into_iter().map(|link| Link::with_context(context(link, false))).collect();
    SpanData {
        span_context: context(span.context, false),
        parent_span_id: parent,
        parent_span_is_remote: is_remote && span.parent.is_some(),
        span_kind: match span.kind {
            Kind::Server => SpanKind::Server,
            Kind::Producer => SpanKind::Producer,
            Kind::Consumer => SpanKind::Consumer,
            Kind::Internal => SpanKind::Internal,
        },
        name: span.name.into(),
        start_time: span.began,
        end_time: span.ended,
        attributes: span.numbers.into_iter().map(|(name, number)| KeyValue::new(name, number)).collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links,
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("shopbell").build(),
    }
}
