//! REST requests a second on one core.

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    Result,
    client::{
        Load,
        http::{self, Answer},
    },
    peers::{Kind, Options, Server, Shop},
    report::{Chart, Section, Suite, Table, Target, compare},
    stats::Summary,
    suites::Context,
};

const CONNECTIONS: usize = 64;
/// What servers set by themselves.
const OWN_HEADERS: [&str; 3] = ["content-length", "date", "connection"];

/// What is asked for.
struct Call {
    /// Goods in the shop.
    goods: usize,
    title: &'static str,
    method: &'static str,
    path: fn(u64) -> String,
    quantity: Option<u8>,
}

impl Call {
    /// Everyone may read.
    fn token<'a>(&self, server: &'a Server) -> Option<&'a str> {
        server.token().filter(|_| self.quantity.is_some())
    }

    fn body(&self) -> Option<Value> {
        self.quantity.map(|quantity| json!({ "quantity": quantity }))
    }
}

/// What came of it.
#[derive(Clone, Copy)]
struct Outcome {
    per_second: f64,
    p99: f64,
    bytes: f64,
}

const CALLS: [Call; 4] = [
    Call {
        goods: 50,
        title: "GET /api/goods, 50 goods",
        method: "GET",
        path: |_| "/api/goods".into(),
        quantity: None,
    },
    Call {
        goods: 50,
        title: "GET /api/goods/{id}",
        method: "GET",
        path: |id| format!("/api/goods/{id}"),
        quantity: None,
    },
    Call {
        goods: 50,
        title: "PUT /api/goods/{id}/cart",
        method: "PUT",
        path: |id| format!("/api/goods/{id}/cart"),
        quantity: Some(2),
    },
    Call {
        goods: 1_000,
        title: "GET /api/goods, 1,000 goods",
        method: "GET",
        path: |_| "/api/goods".into(),
        quantity: None,
    },
];

fn measure(server: &Server, call: &Call, context: &Context) -> Result<Outcome> {
    let token = call.token(server);
    let path = (call.path)(server.goods_id());
    let request = http::request(call.method, &path, server.address, token, call.body().as_ref());
    let mut load = Load::open(server.address, CONNECTIONS, request, &context.stop)?;
    load.saturate(Duration::from_millis(context.pick(1_000, 100)))?;
    load.begin();
    let time = Duration::from_millis(context.pick(4_000, 500));
    let begin = std::time::Instant::now();
    load.saturate(time)?;
    let answers = load.answers as f64;
    let [p99] = load.latencies.quantiles([0.99]);
    Ok(Outcome {
        per_second: answers / begin.elapsed().as_secs_f64(),
        p99,
        bytes: load.bytes as f64 / answers,
    })
}

/// What shopbell answers, for bare actix to answer too.
fn answers(calls: &[Call], context: &Context, options: &Options) -> Result<HashMap<String, Answer>> {
    let server = Server::start(Kind::Shopbell, context, options)?;
    let mut connection = server.connection()?;
    let mut answers = HashMap::new();
    for call in calls {
        let path = (call.path)(server.goods_id());
        let mut answer = connection.call(call.method, &path, call.token(&server), call.body().as_ref())?;
        answer.headers.retain(|(name, _)| !OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)));
        // The peers sell goods number 1.
        answers.insert((call.path)(1), answer);
    }
    Ok(answers)
}

/// The outcomes of calls to shops of one size: for each call, for each server, for each round.
fn measure_all(calls: &[Call], kinds: &[Kind], context: &Context) -> Result<Vec<Vec<Vec<Outcome>>>> {
    let mut options = Options { shop: Shop::Goods(calls[0].goods), ..Options::default() };
    options.answers = answers(calls, context, &options)?;
    let mut outcomes = vec![vec![Vec::new(); kinds.len()]; calls.len()];
    for round in 1..=context.rounds(5) {
        for (at, &kind) in kinds.iter().enumerate() {
            let server = Server::start(kind, context, &options)?;
            for (call, outcomes) in calls.iter().zip(&mut outcomes) {
                let outcome = measure(&server, call, context)
                    .map_err(|error| format!("{} from {}: {error}", call.title, kind.name()))?;
                let (name, rate) = (kind.name(), outcome.per_second);
                context.step(&format!("{}, round {round}: {name} {rate:.0} a second", call.title));
                outcomes[at].push(outcome);
            }
        }
    }
    Ok(outcomes)
}

/// Runs the suite.
///
/// # Errors
/// A server fails.
pub fn run(context: &Context) -> Result<Suite> {
    let mut suite = Suite::new("rest", "REST");
    suite.note = "Requests a second with 64 connections that ask again as soon as they are answered; the server has \
                  one core. Bare actix is actix-web without anything behind it that answers with the bytes and \
                  headers that shopbell answered with. Express is with better-sqlite3; it is not asked for a log-in."
        .into();
    let kinds = [Kind::Shopbell, Kind::Express, Kind::Actix];
    let mut outcomes = Vec::new();
    for calls in CALLS.chunk_by(|one, next| one.goods == next.goods) {
        outcomes.extend(measure_all(calls, &kinds, context)?);
    }
    for (call, outcomes) in CALLS.iter().zip(&outcomes) {
        let mut table =
            Table::new(&["server", "requests a second", "rounds", "shopbell is", "p99 ms", "bytes"]);
        let rates: Vec<Summary> =
            outcomes.iter().map(|outcomes| Summary::over(outcomes, |outcome| outcome.per_second)).collect();
        let mut bars = Vec::new();
        for ((kind, outcomes), rate) in kinds.iter().zip(outcomes).zip(&rates) {
            table.row([
                kind.name().to_owned(),
                format!("{:.0}", rate.median),
                format!("{:.0}–{:.0}", rate.min, rate.max),
                compare(rates[0].median, rate.median),
                format!("{:.1}", Summary::over(outcomes, |outcome| outcome.p99).median),
                format!("{:.0}", Summary::over(outcomes, |outcome| outcome.bytes).median),
            ]);
            bars.push((kind.name().to_owned(), rate.median));
        }
        if call.method == "GET" {
            let ratio = |other: usize| rates[0].median / rates[other].median;
            let name = |other: &str| format!("{} beside {other}", call.title);
            suite.targets.push(Target::at_least(&name("Express"), ratio(1), 5.0, "×"));
            suite.targets.push(Target::at_least(&name("bare actix"), ratio(2), 0.8, "×"));
        }
        let mut section = Section::new(call.title, table);
        section.chart = Some(Chart::bars(&format!("{}: requests a second on one core", call.title), bars));
        suite.sections.push(section);
    }
    Ok(suite)
}
