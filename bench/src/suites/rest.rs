//! REST requests a second on one core.

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    Result,
    client::{
        Load,
        http::{self, Answer},
    },
    context::Context,
    peers::{Kind, Options, Server, Shop},
    report::{Suite, Target},
    suites::comparison::{Comparison, Outcomes, contestants, in_turn},
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

/// The outcomes of calls to shops of one size: for each server, for each round, for each call.
fn measure_all(calls: &[Call], kinds: &[Kind], context: &Context) -> Result<Outcomes<Kind, Vec<Outcome>>> {
    let mut options = Options { shop: Shop::Goods(calls[0].goods), ..Options::default() };
    options.answers = answers(calls, context, &options)?;
    let all = |kind: Kind| -> Result<Vec<Outcome>> {
        let server = Server::start(kind, context, &options)?;
        calls.iter().map(|call| measure(&server, call, context)).collect()
    };
    let shown = |outcomes: &Vec<Outcome>| {
        let rates: Vec<_> = outcomes.iter().map(|outcome| format!("{:.0}", outcome.per_second)).collect();
        format!("{} a second", rates.join(", "))
    };
    let titles: Vec<_> = calls.iter().map(|call| call.title).collect();
    in_turn(context, 5, &titles.join("; "), kinds, all, shown)
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
    let kinds = contestants(context, &[Kind::Shopbell, Kind::Express, Kind::Actix]);
    for calls in CALLS.chunk_by(|one, next| one.goods == next.goods) {
        let outcomes = measure_all(calls, &kinds, context)?;
        for (number, call) in calls.iter().enumerate() {
            let outcomes: Outcomes<Kind, Outcome> = outcomes
                .iter()
                .map(|(kind, rounds)| (*kind, rounds.iter().map(|outcomes| outcomes[number]).collect()))
                .collect();
            section(&mut suite, call, &outcomes);
        }
    }
    Ok(suite)
}

fn section(suite: &mut Suite, call: &Call, outcomes: &Outcomes<Kind, Outcome>) {
    let comparison = Comparison::of(
        outcomes,
        ("requests a second", 0, |outcome| outcome.per_second),
        &[("p99 ms", 1, |outcome| outcome.p99), ("bytes", 0, |outcome| outcome.bytes)],
    );
    for (name, kind, limit) in [("Express", Kind::Express, 5.0), ("bare actix", Kind::Actix, 0.8)] {
        if call.method == "GET"
            && let Some(ratio) = comparison.beside(kind)
        {
            let name = format!("{} beside {name}", call.title);
            suite.targets.push(Target::at_least(&name, ratio, limit, "×"));
        }
    }
    let chart = format!("{}: requests a second on one core", call.title);
    suite.sections.push(comparison.section(call.title, Some(&chart)));
}
