//! The server is told to end, or killed, while thousands listen and orders keep coming, and is started again at once.
//! Every event of every listener is reconciled.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::{
    Result,
    client::{Fleet, Session, Target as Address, Wire, http::Head},
    context::Context,
    peers::{Kind, Options, Server, Shop},
    report::{Section, Suite, Table, Target},
};

/// Between two orders.
const GAP: Duration = Duration::from_millis(20);
/// Before a listener that was not let in tries again.
const RETRY: Duration = Duration::from_millis(500);
/// Handshakes under way.
const OPENING: usize = 200;
/// How long it may take until all are back.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Orders with keys, each again until it is acknowledged. Answers how many were.
fn buy(address: SocketAddr, token: &str, goods_id: u64, over: &AtomicBool) -> u64 {
    let mut acknowledged = 0;
    let mut connection = None;
    while !over.load(Ordering::Relaxed) {
        let body = format!(r#"{{"items":[{{"goodsId":{goods_id},"quantity":1}}]}}"#);
        let text = format!(
            "POST /api/orders HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\nidempotency-key: order-{acknowledged}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        while request(&mut connection, address, &text) != Some(201) {
            connection = None;
            std::thread::sleep(GAP);
        }
        acknowledged += 1;
        std::thread::sleep(GAP);
    }
    acknowledged
}

/// The status of the answer, if there is one.
fn request(connection: &mut Option<TcpStream>, address: SocketAddr, text: &str) -> Option<u16> {
    if connection.is_none() {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        *connection = Some(stream);
    }
    let stream = connection.as_mut()?;
    stream.write_all(text.as_bytes()).ok()?;
    let mut data = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(head) = Head::parse(&data).ok()?
            && data.len() >= head.length + head.body?
        {
            return Some(head.status);
        }
        match stream.read(&mut buffer).ok()? {
            0 => return None,
            length => data.extend_from_slice(&buffer[..length]),
        }
    }
}

/// All listeners: where each of them stands, and who is to come back when.
struct Listeners {
    fleet: Fleet,
    target: Address,
    /// What each has seen on connections that ended.
    seen: Vec<Vec<u64>>,
    /// By the number of the session in the fleet.
    of_session: HashMap<usize, usize>,
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    /// Sessions that were let in and have ended.
    gone: usize,
}

impl Listeners {
    fn open(target: Address, count: usize, context: &Context) -> Result<Self> {
        let mut fleet = Fleet::new(&context.stop)?;
        fleet.open(&target, count)?;
        fleet.tolerant = true;
        Ok(Self {
            fleet,
            target,
            seen: vec![Vec::new(); count],
            of_session: (0..count).map(|number| (number, number)).collect(),
            due: BinaryHeap::new(),
            gone: 0,
        })
    }

    /// Reads for a moment, and lets come back who is due.
    fn turn(&mut self) -> Result<()> {
        self.fleet.pump(Duration::from_millis(5))?;
        let now = Instant::now();
        for (number, session) in self.fleet.take_ended() {
            let Some(listener) = self.of_session.remove(&number) else { continue };
            self.gone += usize::from(session.ready);
            self.seen[listener].extend(&session.ids);
            self.due.push(Reverse((now + pause(&session), listener)));
        }
        while self.opening() < OPENING
            && let Some(&Reverse((at, listener))) = self.due.peek()
            && at <= now
        {
            self.due.pop();
            let after = self.seen[listener].last().copied().unwrap_or_default();
            let target = Rc::new(Address { after: Some(after), ..self.target.clone() });
            match self.fleet.begin_one(&target) {
                Ok(number) => drop(self.of_session.insert(number, listener)),
                Err(_) => self.due.push(Reverse((now + RETRY, listener))),
            }
        }
        Ok(())
    }

    /// Handshakes under way, for those that came back.
    fn opening(&self) -> usize {
        self.of_session.len().saturating_sub(self.ready())
    }

    /// How many are let in now.
    fn ready(&self) -> usize {
        self.fleet.counters.ready - self.gone
    }

    /// What a listener has seen over all its connections.
    fn all_seen(mut self) -> Vec<Vec<u64>> {
        for (number, listener) in self.of_session {
            if let Some(session) = self.fleet.session(number) {
                self.seen[listener].extend(&session.ids);
            }
        }
        self.seen
    }

    fn have_all(&self, latest: u64) -> bool {
        self.of_session.len() == self.seen.len()
            && self.of_session.keys().all(|&number| {
                self.fleet.session(number).is_some_and(|session| {
                    session.ready && (session.ids.last() == Some(&latest) || session.after() == Some(latest))
                })
            })
    }
}

/// What a client waits before it comes back: as long as the close frame says, else a while.
fn pause(session: &Session) -> Duration {
    let named = session.closed_with.as_ref().filter(|(code, _)| *code == 1001);
    named.and_then(|(_, reason)| reason.parse().ok()).map_or(RETRY, Duration::from_millis)
}

struct Outcome {
    /// Until the old process was gone, s.
    ended: f64,
    /// Until the last listener was let in again, s.
    back: f64,
    /// Until the last listener had everything up to then, s.
    complete: f64,
    orders: u64,
}

fn start(database: &Path, address: SocketAddr, context: &Context) -> Result<Server> {
    let options =
        Options { shop: Shop::Database(database.to_owned()), address: Some(address), ..Options::default() };
    Server::start(Kind::Shopbell, context, &options)
}

fn round(kill: bool, context: &Context) -> Result<Outcome> {
    let server = Server::start(Kind::Shopbell, context, &Options::default())?;
    let (address, goods_id) = (server.address, server.goods_id());
    let token = server.token().ok_or("nobody is logged in")?.to_owned();
    let Server { mut process, folder, .. } = server;
    let target = Address {
        token: Some(token.clone()),
        goods_id,
        after: Some(0),
        keep_ids: true,
        ..Address::new(address, Wire::Ws)
    };
    let count = context.pick(5_000, 500);
    let mut listeners = Listeners::open(target, count, context)?;
    let over = Arc::new(AtomicBool::new(false));
    let buyer: JoinHandle<u64> = {
        let over = Arc::clone(&over);
        std::thread::spawn(move || buy(address, &token, goods_id, &over))
    };
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        listeners.turn()?;
    }

    let begin = Instant::now();
    if kill {
        process.kill()?;
    } else {
        process.ask_to_end()?;
        while !process.has_ended()? {
            listeners.turn()?;
        }
    }
    let ended = begin.elapsed().as_secs_f64();
    let server = start(&folder.path().join("shop.db"), address, context)?;
    // Also those whose end was not read yet have to come back.
    while listeners.gone < count || listeners.of_session.len() < count || listeners.ready() < count {
        listeners.turn()?;
        if begin.elapsed() > TIMEOUT {
            return Err(format!("{} of {count} are back after {TIMEOUT:?}", listeners.ready()).into());
        }
    }
    let back = begin.elapsed().as_secs_f64();
    over.store(true, Ordering::Relaxed);
    while !buyer.is_finished() {
        listeners.turn()?;
    }
    let orders = buyer.join().map_err(|_| "the buyer panicked")?;
    while !listeners.have_all(orders) {
        listeners.turn()?;
        if begin.elapsed() > TIMEOUT {
            return Err("not every listener has every alert in time".into());
        }
    }
    let complete = begin.elapsed().as_secs_f64();
    for seen in listeners.all_seen() {
        if !seen.iter().copied().eq(1..=orders) {
            return Err(format!("of {orders} alerts a listener got {seen:?}").into());
        }
    }
    drop(server);
    Ok(Outcome { ended, back, complete, orders })
}

/// Runs the suite.
///
/// # Errors
/// The server fails, or a listener does not get each alert once and in order.
pub fn run(context: &Context) -> Result<Suite> {
    let sessions = context.pick(5_000, 500);
    let mut suite = Suite::new("restart", "Restart and kill under load");
    suite.note = format!(
        "{sessions} listeners on /ws, an order every 20 ms with a key and repeated until it is acknowledged. SIGTERM or \
         SIGKILL, then a new process at once on one core. Listeners come back after the delay that the close frame named, \
         or half a second. At the end each listener has every id exactly once and in order, and there are as many \
         alerts as acknowledged orders; else the suite fails. Times are from the signal."
    );
    let mut table =
        Table::new(&["signal", "process ended, s", "last one back, s", "all have all, s", "orders"]);
    let mut slowest = 0.0_f64;
    for (signal, kill) in [("SIGTERM", false), ("SIGKILL", true)] {
        for number in 1..=context.rounds(3) {
            let outcome = round(kill, context)?;
            let text =
                format!("{signal}, round {number}: ended {:.2} s, back {:.2} s", outcome.ended, outcome.back);
            context.step(&text);
            slowest = slowest.max(outcome.complete);
            table.row([
                signal.to_owned(),
                format!("{:.2}", outcome.ended),
                format!("{:.2}", outcome.back),
                format!("{:.2}", outcome.complete),
                outcome.orders.to_string(),
            ]);
        }
    }
    suite.targets.push(Target::at_most(
        "5,000 listeners after a restart under load: the last is back",
        slowest,
        15.0,
        "s",
    ));
    suite.sections.push(Section::new(&format!("{sessions} listeners"), table));
    Ok(suite)
}
