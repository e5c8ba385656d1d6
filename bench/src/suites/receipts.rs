//! Orders of other shops: signed receipts a second, and how long one takes while the alerts of them reach many sessions.

use std::{
    process::Command,
    time::{Duration, Instant, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::{
    Result,
    client::{Fleet, Load, Wire},
    context::Context,
    peers::{Kind, Options, Server},
    report::{Section, Suite, Table, Target},
    stats::Summary,
    suites::comparison::in_turn,
};

/// As in the suite `orders`.
const CONNECTIONS: usize = 64;
/// Five hundred receipts a second.
const GAP: Duration = Duration::from_millis(2);

/// Another shop, which signs what it says as Standard Webhooks 1.0 has it.
struct Source {
    path: String,
    key: Vec<u8>,
    host: String,
    orders: u64,
}

impl Source {
    fn add(server: &Server, context: &Context) -> Result<Self> {
        let database = &server.seed.as_ref().ok_or("a database")?.database;
        let mut command = Command::new(&context.shopbell.path);
        command.args(["source", "add", "--kind", "standard", "--name", "bench", "--rate", "100000"]);
        command.arg("--database-url").arg(format!("sqlite://{}", database.display()));
        let output = command.env("RUST_LOG", "error").output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        let said = String::from_utf8(output.stdout)?;
        let (url, secret) = said.trim().split_once('\n').ok_or("a source has a URL and a secret")?;
        let path = url.find("/hooks/").map(|at| url[at..].to_owned()).ok_or("a URL of a source")?;
        let key = STANDARD.decode(secret.trim().trim_start_matches("whsec_"))?;
        // Until the server has seen it.
        std::thread::sleep(Duration::from_secs(2));
        Ok(Self { path, key, host: server.address.to_string(), orders: 0 })
    }

    /// Signs the next order, of two lines.
    fn put_next(&mut self, request: &mut Vec<u8>) {
        self.orders += 1;
        let (id, order) = (format!("msg_{}", self.orders), self.orders.to_string());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let lines = [
            json!({"sku": "mug-1", "name": "Mug", "quantity": 1, "price": "4.50"}),
            json!({"sku": "tea-1", "name": "Tea", "quantity": 2, "price": "2.00"}),
        ];
        let data = json!({"orderId": order, "buyer": "Kim", "currency": "USD", "items": lines});
        let body = json!({"type": "order.paid", "data": data}).to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any key will do");
        mac.update(format!("{id}.{now}.{body}").as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let (path, host, length) = (&self.path, &self.host, body.len());
        *request = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\nwebhook-id: {id}\r\n\
             webhook-timestamp: {now}\r\nwebhook-signature: v1,{signature}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes();
    }

    fn load(mut self, server: &Server, connections: usize, context: &Context) -> Result<Load> {
        let load = Load::open(server.address, connections, Vec::new(), &context.stop)?;
        Ok(load.renewed_by(move |request| self.put_next(request)))
    }
}

/// Receipts a second, and processor time of each, µs.
fn per_second(context: &Context) -> Result<(f64, f64)> {
    let server = Server::start(Kind::Shopbell, context, &Options::default())?;
    let mut load = Source::add(&server, context)?.load(&server, CONNECTIONS, context)?;
    load.saturate(Duration::from_millis(500))?;
    load.begin();
    let (begin, before) = (Instant::now(), server.process.cpu()?);
    load.saturate(context.pick(Duration::from_secs(8), Duration::from_secs(1)))?;
    let (took, cpu) = (begin.elapsed().as_secs_f64(), server.process.cpu()? - before);
    let answers = load.answers as f64;
    Ok((answers / took, cpu.as_secs_f64() * 1e6 / answers))
}

/// Answers to receipts at a steady rate beside sessions that hear the alerts: p50 and p99, ms.
fn latency(context: &Context) -> Result<[f64; 2]> {
    let server = Server::start(Kind::Shopbell, context, &Options::default())?;
    let mut fleet = Fleet::new(&context.stop)?;
    fleet.open(&server.listeners(Wire::Ws), context.pick(5_000, 200))?;
    let mut load = Source::add(&server, context)?.load(&server, CONNECTIONS, context)?;
    let mut pace = |time: Duration, load: &mut Load| -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            load.keep_pace(GAP)?;
            fleet.pump(Duration::from_millis(1))?;
        }
        Ok(())
    };
    pace(Duration::from_secs(1), &mut load)?;
    load.begin();
    pace(context.pick(Duration::from_secs(10), Duration::from_secs(1)), &mut load)?;
    Ok(load.latencies.quantiles([0.5, 0.99]))
}

/// Runs the suite.
///
/// # Errors
/// The server fails.
pub fn run_suite(context: &Context) -> Result<Suite> {
    let mut suite = Suite::new("receipts", "Orders of other shops");
    suite.note =
        "Signed receipts (Standard Webhooks), each of an order of two lines that is on the disk when it is \
                  answered. The server has one core."
            .into();
    let rates = in_turn(
        context,
        3,
        "receipts",
        &["64 connections"],
        |_| per_second(context),
        |(rate, cpu)| format!("{rate:.0} a second, {cpu:.0} µs each"),
    )?;
    let rate = Summary::over(&rates[0].1, |(rate, _)| *rate);
    let mut table = Table::new(&["receipts a second", "of rounds", "processor time of each, µs"]);
    table.row([
        format!("{:.0}", rate.median),
        format!("{:.0}–{:.0}", rate.min, rate.max),
        format!("{:.0}", Summary::over(&rates[0].1, |(_, cpu)| *cpu).median),
    ]);
    suite.targets.push(Target::at_least("signed receipts a second", rate.median, 4_000.0, ""));
    suite.sections.push(Section::new("From 64 connections at once", table));

    let shown = |[p50, p99]: &[f64; 2]| format!("p50 {p50:.2}, p99 {p99:.2} ms");
    let outcomes = in_turn(context, 2, "answers", &["5,000 sessions"], |_| latency(context), shown)?;
    let [p50, p99] = [0, 1].map(|which| Summary::over(&outcomes[0].1, |round| round[which]));
    let mut table = Table::new(&["p50 ms", "p99 ms", "p99 of rounds"]);
    table.row([
        format!("{:.2}", p50.median),
        format!("{:.2}", p99.median),
        format!("{:.2}–{:.2}", p99.min, p99.max),
    ]);
    suite.targets.push(Target::at_most("answer to a receipt: p99", p99.median, 50.0, "ms"));
    suite.sections.push(Section::new("500 a second, beside 5,000 sessions that hear the alerts", table));
    Ok(suite)
}
