//! Traces of orders, as a collector gets them: one from the request to the socket writes, also across nodes; and a collector
//! that is none holds up nobody.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use futures_util::StreamExt as _;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value as Said, trace::v1::Span,
};
use prost::Message as _;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::support::{As, Call, DEADLINE, Nats, Person, TestApp, Ws, bus_is, until, within};

const ASKED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const NOT_ASKED: &str = "00-1af7651916cd43dd8448eb211c80319d-b7ad6b7169203332-00";

/// A step, and the node that it was done on.
#[derive(Clone, Debug)]
struct Step {
    node: String,
    span: Span,
}

/// Takes traces by OTLP over HTTP and keeps them.
#[derive(Clone)]
struct Collector {
    url: String,
    steps: Arc<Mutex<Vec<Step>>>,
    requests: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
    answers: bool,
}

impl Collector {
    async fn start() -> Self {
        Self::start_as(true).await
    }

    /// One that takes everything and never answers.
    async fn start_silent() -> Self {
        Self::start_as(false).await
    }

    async fn start_as(answers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let collector =
            Self { url, answers, steps: Arc::default(), requests: Arc::default(), heads: Arc::default() };
        let serving = collector.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(socket));
            }
        });
        collector
    }

    async fn serve(self, socket: TcpStream) {
        let mut socket = BufReader::new(socket);
        while let Some((head, body)) = request(&mut socket).await {
            assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
            self.heads.lock().unwrap().push(head);
            self.requests.fetch_add(1, Ordering::Relaxed);
            let told = ExportTraceServiceRequest::decode(&*body).unwrap();
            for resource in told.resource_spans {
                let node = resource
                    .resource
                    .unwrap()
                    .attributes
                    .into_iter()
                    .find(|attribute| attribute.key == "service.instance.id")
                    .and_then(|attribute| attribute.value?.value);
                let Some(Said::StringValue(node)) = node else { panic!("a node has a name") };
                let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
                let steps = spans.map(|span| Step { node: node.clone(), span });
                self.steps.lock().unwrap().extend(steps);
            }
            if self.answers {
                let answer =
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
                socket.write_all(answer).await.unwrap();
            }
        }
    }

    /// The steps of the trace that this one belongs to, once there are so many.
    async fn trace(&self, root: &str, count: usize) -> Vec<Step> {
        until(&format!("{count} steps from {root}"), async || {
            let steps = self.steps.lock().unwrap();
            let trace = &steps.iter().find(|step| step.span.name == root)?.span.trace_id;
            let steps: Vec<_> = steps.iter().filter(|step| step.span.trace_id == *trace).cloned().collect();
            (steps.len() >= count).then_some(steps)
        })
        .await
    }
}

/// One request with its body; `None` when no more come.
async fn request(socket: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if socket.read_line(&mut head).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap()];
    socket.read_exact(&mut body).await.ok()?;
    Some((head, body))
}

/// The only step of that name that follows from another.
fn following<'a>(steps: &'a [Step], name: &str, parent: &Step) -> &'a Step {
    let found: Vec<_> = steps
        .iter()
        .filter(|step| step.span.name == name && step.span.parent_span_id == parent.span.span_id)
        .collect();
    assert_eq!(found.len(), 1, "{name} after {parent:?} in {steps:?}");
    found[0]
}

fn number(step: &Step, name: &str) -> i64 {
    let attribute = step.span.attributes.iter().find(|attribute| attribute.key == name);
    match attribute.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Said::IntValue(number)) => *number,
        other => panic!("{name} is {other:?}"),
    }
}

#[tokio::test]
async fn an_order_is_one_trace_from_the_request_to_the_socket_of_another_node() {
    let (nats, collector) = (Nats::start().await, Collector::start().await);
    let a = TestApp::spawn_with(|serve| {
        serve.bus = Some(nats.url().into());
        serve.otlp_endpoint = Some(collector.url.replace("://", "://shop:secret@").into());
        serve.otlp_sample = Some(1.0);
        serve.workers = Some(1);
    })
    .await;
    let b = a
        .beside(|serve| {
            serve.bus = Some(nats.url().into());
            serve.otlp_endpoint = Some(collector.url.clone().into());
            // Who begins a trace decides for all.
            serve.otlp_sample = Some(0.0);
            serve.workers = Some(1);
        })
        .await;
    bus_is(&a, "up").await;
    bus_is(&b, "up").await;
    let (admin, lee) = (a.admin().await, a.member("lee").await);
    let goods = a.goods(&admin, "Water", 6.2, None).await;
    let mut hears = [Ws::open(&a, As::Cookie(&lee)).await, Ws::open(&b, As::Cookie(&lee)).await];
    a.order(&admin, goods, 1).await;
    for socket in &mut hears {
        socket.expect("BUY_GOODS").await;
    }
    // The request, the commit, to the bus and from it, and at each node the relay and the writes of its thread.
    let steps = collector.trace("POST /api/orders", 8).await;
    assert_eq!(steps.len(), 8, "{steps:?}");
    let ordered = steps.iter().find(|step| step.span.parent_span_id.is_empty()).unwrap();
    assert_eq!(ordered.span.name, "POST /api/orders");
    let committed = following(&steps, "commit", ordered);
    let (published, relayed) =
        (following(&steps, "publish", committed), following(&steps, "relay", committed));
    let here = following(&steps, "write", relayed);
    let received = following(&steps, "receive", published);
    let there = following(&steps, "write", following(&steps, "relay", received));
    for step in [committed, published, relayed, here] {
        assert_eq!(step.node, ordered.node);
    }
    assert!(received.node == there.node && there.node != here.node);
    assert_eq!((number(here, "shopbell.alerts"), number(there, "shopbell.alerts")), (1, 1));
    assert!(steps.iter().all(|step| step.span.start_time_unix_nano <= step.span.end_time_unix_nano));
    let heads = collector.heads.lock().unwrap();
    // "shop:secret" in Base64; B has no login.
    let is_known = |head: &String| head.contains("uthorization: Basic c2hvcDpzZWNyZXQ=");
    assert!(heads.iter().any(is_known) && !heads.iter().all(is_known), "{heads:?}");
}

#[tokio::test]
async fn who_sends_a_traceparent_has_decided_and_else_chance_does() {
    let collector = Collector::start().await;
    let app = TestApp::spawn_with(|serve| {
        serve.otlp_endpoint = Some(collector.url.clone().into());
        serve.otlp_sample = Some(0.0);
    })
    .await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "Water", 6.2, None).await;
    for traceparent in [None, Some(NOT_ASKED), Some("rubbish"), Some(ASKED)] {
        order(&app, &admin, goods, traceparent).send().await.expect(201);
    }
    let steps = collector.trace("write", 5).await;
    let traces: BTreeSet<_> =
        collector.steps.lock().unwrap().iter().map(|step| step.span.trace_id.clone()).collect();
    assert_eq!(traces.len(), 1, "{traces:?}");
    let root = steps.iter().find(|step| step.span.name == "POST /api/orders").unwrap();
    assert_eq!(hex(&root.span.trace_id), ASKED[3..35]);
    assert_eq!(hex(&root.span.parent_span_id), ASKED[36..52]);
}

fn order(app: &TestApp, by: &Person, goods: i64, traceparent: Option<&str>) -> Call {
    let call = app.post("/api/orders").by(by).json(&json!({"items": [{"goodsId": goods, "quantity": 1}]}));
    match traceparent {
        Some(traceparent) => call.header("traceparent", traceparent),
        None => call,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_buy_of_a_socket_is_traced_and_orders_of_one_commit_know_each_other() {
    let collector = Collector::start().await;
    let app = TestApp::spawn_with(|serve| {
        serve.otlp_endpoint = Some(collector.url.clone().into());
        serve.otlp_sample = Some(1.0);
        serve.workers = Some(1);
    })
    .await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "Water", 6.2, None).await;
    let mut socket = Ws::open(&app, As::Cookie(&admin)).await;
    let answer = socket.ask("BUY", json!({"goodsId": goods, "quantity": 1})).await;
    assert_eq!(answer["ok"], true, "{answer}");
    let steps = collector.trace("BUY", 4).await;
    let bought = steps.iter().find(|step| step.span.name == "BUY").unwrap();
    let committed = following(&steps, "commit", bought);
    assert!(committed.span.links.is_empty() && number(committed, "shopbell.jobs") >= 1);
    following(&steps, "write", following(&steps, "relay", committed));
    // Of so many that come together some are committed together.
    for _ in 0..200 {
        socket.send("BUY", json!({"goodsId": goods, "quantity": 1})).await;
    }
    until("orders of one commit", async || {
        let steps = collector.steps.lock().unwrap();
        let linked = steps.iter().find(|step| !step.span.links.is_empty())?;
        assert_eq!(linked.span.name, "commit");
        let is_order =
            |id: &[u8]| steps.iter().any(|step| step.span.name == "BUY" && step.span.span_id == id);
        linked.span.links.iter().all(|link| is_order(&link.span_id)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_collector_no_trace_is_made_whoever_asks_for_it() {
    let nats = Nats::start().await;
    let app = TestApp::spawn_with(|serve| serve.bus = Some(nats.url().into())).await;
    bus_is(&app, "up").await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "Water", 6.2, None).await;
    let listener = async_nats::connect(nats.url()).await.unwrap();
    let subject = format!("shopbell.{}.news", app.store.reach().await.unwrap().epoch);
    let mut news = listener.subscribe(subject).await.unwrap();
    listener.flush().await.unwrap();
    order(&app, &admin, goods, Some(ASKED)).send().await.expect(201);
    let heard = within("what nodes tell each other", news.next()).await.unwrap().payload;
    let text = String::from_utf8(heard.to_vec()).unwrap();
    assert!(text.contains("publications") && !text.contains("trace"), "{text}");
}

#[tokio::test]
async fn a_collector_that_does_not_answer_holds_up_nobody() {
    let collector = Collector::start_silent().await;
    let app = TestApp::spawn_with(|serve| {
        serve.otlp_endpoint = Some(collector.url.clone().into());
        serve.otlp_sample = Some(1.0);
    })
    .await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "Water", 6.2, None).await;
    let mut hears = Ws::open(&app, As::Cookie(&admin)).await;
    app.order(&admin, goods, 1).await;
    until("the collector is asked", async || (collector.requests.load(Ordering::Relaxed) > 0).then_some(()))
        .await;
    let begin = Instant::now();
    for _ in 2..=50 {
        app.order(&admin, goods, 1).await;
    }
    for id in 1..=50 {
        assert_eq!(hears.expect("BUY_GOODS").await["id"], id);
    }
    assert!(begin.elapsed() < DEADLINE, "{:?}", begin.elapsed());
    app.shut_down();
    assert_eq!(hears.closed().await.0, 1001);
}
