//! Outgoing webhooks: signed deliveries a second to one endpoint, and what an endpoint that hangs costs another.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use crate::{
    Result,
    client::{Fleet, Wire},
    context::Context,
    peers::{Kind, Options, Server},
    report::{Section, Suite, Table, Target},
    stats::{Latencies, Summary},
    suites::comparison::in_turn,
};

/// A hundred orders a second.
const GAP: Duration = Duration::from_millis(10);
/// Who orders at once while the log is filled.
const BUYERS: usize = 16;

/// An endpoint of this process.
struct Receiver {
    url: String,
    arrivals: Arc<Mutex<Vec<Instant>>>,
}

impl Receiver {
    /// One that takes everything, or one that never answers.
    fn start(answers: bool) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/", listener.local_addr()?);
        let arrivals = Arc::<Mutex<Vec<Instant>>>::default();
        let seen = Arc::clone(&arrivals);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || drop(serve(socket, answers, &seen)));
            }
        });
        Ok(Self { url, arrivals })
    }

    fn arrivals(&self) -> Vec<Instant> {
        self.arrivals.lock().map(|arrivals| arrivals.clone()).unwrap_or_default()
    }

    fn count(&self) -> usize {
        self.arrivals.lock().map_or(0, |arrivals| arrivals.len())
    }

    fn wait_for(&self, count: usize, context: &Context) -> Result<()> {
        let (mut last, mut since) = (0, Instant::now());
        while self.count() < count {
            context.stop.check()?;
            if self.count() != last {
                (last, since) = (self.count(), Instant::now());
            }
            if since.elapsed() > Duration::from_secs(30) {
                return Err(format!("{last} of {count} messages came").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

fn serve(mut socket: TcpStream, answers: bool, arrivals: &Mutex<Vec<Instant>>) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let (mut bytes, mut filled) = (vec![0; 64 * 1024], 0);
    loop {
        let read = socket.read(&mut bytes[filled..])?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        if !is_whole(&bytes[..filled]) {
            continue;
        }
        filled = 0;
        if answers {
            if let Ok(mut arrivals) = arrivals.lock() {
                arrivals.push(Instant::now());
            }
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        }
    }
}

/// Whether a request has come with its body. There is one at a time on a connection.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    bytes.len() >= end + 4 + length.unwrap_or(0)
}

/// Runs `shopbell endpoint` on the database of a server.
fn endpoint(server: &Server, context: &Context, args: &[&str]) -> Result<String> {
    let database = &server.seed.as_ref().ok_or("a database")?.database;
    let mut command = Command::new(&context.shopbell.path);
    command.arg("endpoint").args(args).env("RUST_LOG", "error");
    command.arg("--database-url").arg(format!("sqlite://{}", database.display()));
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn server(context: &Context) -> Result<Server> {
    let flags = vec!["--allow-private-endpoints".to_owned()];
    Server::start(Kind::Shopbell, context, &Options { flags, ..Options::default() })
}

/// Deliveries a second of a log that is full, and processor time of each, µs.
fn per_second(context: &Context) -> Result<(f64, f64)> {
    let server = server(context)?;
    let mut fleet = Fleet::new(&context.stop)?;
    fleet.open(&server.target(Wire::Ws), BUYERS)?;
    let wanted = context.pick(20_000, 500);
    (0..BUYERS).try_for_each(|buyer| fleet.order(buyer))?;
    while (fleet.counters.acks as usize) < wanted {
        fleet.pump(Duration::from_millis(100))?;
        let answered = std::mem::take(&mut fleet.counters.answered);
        answered.into_iter().try_for_each(|buyer| fleet.order(buyer))?;
    }
    fleet.run_for(Duration::from_millis(500))?;
    drop(fleet);
    let receiver = Receiver::start(true)?;
    endpoint(&server, context, &["add", "--url", &receiver.url, "--events", "order.placed"])?;
    endpoint(&server, context, &["replay", "--id", "1", "--since", "2000-01-01T00:00:00Z"])?;
    let before = server.process.cpu()?;
    receiver.wait_for(wanted, context)?;
    let cpu = server.process.cpu()? - before;
    let arrivals = receiver.arrivals();
    let took = arrivals[wanted - 1] - arrivals[0];
    // What was sent is recorded.
    std::thread::sleep(Duration::from_millis(500));
    let list = ["deliveries", "--id", "1", "--status", "delivered", "--limit", "1000000"];
    let recorded = endpoint(&server, context, &list)?.lines().count();
    if recorded < wanted {
        return Err(format!("{recorded} of {wanted} deliveries are recorded").into());
    }
    Ok(((wanted - 1) as f64 / took.as_secs_f64(), cpu.as_secs_f64() * 1e6 / wanted as f64))
}

/// From an order to its message, p50 and p99 in ms, beside so many endpoints that hang.
fn latency(hanging: usize, context: &Context) -> Result<[f64; 2]> {
    let server = server(context)?;
    let receiver = Receiver::start(true)?;
    let silent = (0..hanging).map(|_| Receiver::start(false)).collect::<Result<Vec<_>>>()?;
    for one in silent.iter().chain([&receiver]) {
        endpoint(&server, context, &["add", "--url", &one.url, "--events", "order.placed,order.canceled"])?;
    }
    // Until the server has seen them.
    std::thread::sleep(Duration::from_secs(2));
    let mut fleet = Fleet::new(&context.stop)?;
    fleet.open(&server.target(Wire::Ws), 1)?;
    // The first orders find code and caches cold.
    let (cold, orders) = (50, context.pick(3_000, 200));
    let begin = Instant::now();
    let mut sent = Vec::new();
    for number in 0..cold + orders {
        fleet.run_for((GAP * number).saturating_sub(begin.elapsed()))?;
        sent.push(Instant::now());
        fleet.order(0)?;
    }
    fleet.run_for(Duration::from_millis(200))?;
    receiver.wait_for(sent.len(), context)?;
    let mut latencies = Latencies::default();
    let arrivals = receiver.arrivals();
    for (sent, arrived) in sent.iter().zip(&arrivals).skip(cold as usize) {
        latencies.record(*arrived - *sent);
    }
    Ok(latencies.quantiles([0.5, 0.99]))
}

/// Runs the suite.
///
/// # Errors
/// The server fails.
pub fn run_suite(context: &Context) -> Result<Suite> {
    let mut suite = Suite::new("deliveries", "Outgoing webhooks");
    suite.note = "Signed messages to endpoints on this machine over HTTP, one at a time to each, every attempt recorded in \
                  SQLite. The server, all its threads, has one core; the endpoints have the other."
        .into();
    let rates = in_turn(
        context,
        3,
        "deliveries",
        &["one endpoint"],
        |_| per_second(context),
        |(rate, cpu)| format!("{rate:.0} a second, {cpu:.0} µs each"),
    )?;
    let rate = Summary::over(&rates[0].1, |(rate, _)| *rate);
    let mut table = Table::new(&["deliveries a second", "of rounds", "processor time of each, µs"]);
    table.row([
        format!("{:.0}", rate.median),
        format!("{:.0}–{:.0}", rate.min, rate.max),
        format!("{:.0}", Summary::over(&rates[0].1, |(_, cpu)| *cpu).median),
    ]);
    suite.targets.push(Target::at_least(
        "signed deliveries a second to one endpoint",
        rate.median,
        2_000.0,
        "",
    ));
    suite.sections.push(Section::new("A log of 20,000 orders told to one endpoint", table));

    let measure = |hanging| latency(hanging, context);
    let shown = |[p50, p99]: &[f64; 2]| format!("p50 {p50:.2}, p99 {p99:.2} ms");
    let outcomes = in_turn(context, 3, "endpoints that hang", &[0, 1, 8], measure, shown)?;
    let mut table = Table::new(&["endpoints that hang", "p50 ms", "p99 ms", "p99 of rounds"]);
    for (hanging, rounds) in &outcomes {
        let [p50, p99] = [0, 1].map(|which| Summary::over(rounds, |round| round[which]));
        table.row([
            hanging.to_string(),
            format!("{:.2}", p50.median),
            format!("{:.2}", p99.median),
            format!("{:.2}–{:.2}", p99.min, p99.max),
        ]);
    }
    let p99 = |which: usize| Summary::over(&outcomes[which].1, |round| round[1]).median;
    suite.targets.push(Target::at_most(
        "deliveries beside an endpoint that hangs: p99",
        p99(1) / p99(0),
        1.2,
        "×",
    ));
    suite.sections.push(Section::new("From an order to its message, a hundred orders a second", table));
    Ok(suite)
}
