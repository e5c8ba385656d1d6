//! Clients that come back: each has one session at a time, and keeps over its connections what it has seen.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{Fleet, Session, Target, resume::Recovery};
use crate::{Result, stop::Stop};

/// Before a client that was not let in, or was not told when to come back, tries again.
const RETRY: Duration = Duration::from_millis(500);

/// Handshakes under way while all of them are opened: fewer than any server's backlog.
const OPENING: usize = 100;
/// The longest wait until another one is let in.
const TIMEOUT: Duration = Duration::from_secs(60);

/// After so long a client takes an attempt for failed: `timeout` of socket.io-client.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a client waits before it comes back to a server that ended its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// As long as the close frame says, else half a second.
    AsNamed,
    /// As the official client of Socket.IO with its own settings: a second, twice as long after each failure, at most
    /// five; each half as long again, or shorter, by chance. (Either way an attempt fails after 20 s.)
    BackOff,
}

#[derive(Debug, Default)]
struct Client {
    /// Ids of alerts, as they came, while it has no session; the session has them otherwise.
    seen: Vec<u64>,
    recovery: Recovery,
    /// Attempts since it was last let in.
    attempts: u32,
    /// When the last one began.
    begun: Option<Instant>,
}

/// Clients on one epoll. The session of each has the client's number.
pub struct Clients {
    /// Their sessions.
    pub fleet: Fleet,
    /// How many may be about to be let in at once.
    pub at_once: usize,
    target: Target,
    pause: Pause,
    clients: Vec<Client>,
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    /// Attempts, the oldest first: those that may take too long.
    attempts: VecDeque<(Instant, usize)>,
    /// The newest alert that was told.
    latest: Arc<AtomicU64>,
    /// Sessions that were let in and have ended.
    gone: usize,
    chance: Chance,
}

impl Clients {
    /// Opens so many and waits until all are let in. `latest` is what is known of the newest alert.
    ///
    /// # Errors
    /// The server lets none in for a minute.
    pub fn open(
        target: Target,
        count: usize,
        pause: Pause,
        latest: &Arc<AtomicU64>,
        stop: &Stop,
    ) -> Result<Self> {
        let mut fleet = Fleet::new(stop)?;
        fleet.tolerant = true;
        fleet.reserve(count);
        let now = Instant::now();
        let mut clients = Self {
            fleet,
            at_once: OPENING,
            chance: Chance(target.first as u64),
            target: Target { keep_ids: true, ..target },
            pause,
            clients: (0..count).map(|_| Client::default()).collect(),
            due: (0..count).map(|number| Reverse((now, number))).collect(),
            attempts: VecDeque::new(),
            latest: Arc::clone(latest),
            gone: 0,
        };
        let (mut ready, mut heard) = (0, now);
        while clients.ready() < count {
            clients.turn(Duration::from_millis(5))?;
            if clients.ready() > ready {
                (ready, heard) = (clients.ready(), Instant::now());
            } else if heard.elapsed() > TIMEOUT {
                return Err(
                    format!("{ready} of {count} clients were let in, and no more in {TIMEOUT:?}").into()
                );
            }
        }
        clients.at_once = usize::MAX;
        // Whoever had to come again by now is not one of those who are counted.
        clients.fleet.counters.ready = count;
        clients.gone = 0;
        Ok(clients)
    }

    /// Reads for a moment, and lets come back who is due.
    ///
    /// # Errors
    /// A signal came.
    pub fn turn(&mut self, at_most: Duration) -> Result<()> {
        self.fleet.pump(at_most)?;
        for (number, session) in self.fleet.take_ended() {
            if session.ready {
                self.clients[number].attempts = 0;
            }
            let pause = named(&session).filter(|_| self.pause == Pause::AsNamed);
            let pause = pause.unwrap_or_else(|| self.pause_of(number));
            self.put_aside(number, session, pause);
        }
        self.give_up();
        let now = Instant::now();
        while self.opening() < self.at_once
            && let Some(&Reverse((at, number))) = self.due.peek()
            && at <= now
        {
            self.due.pop();
            self.come_back(number, now);
        }
        Ok(())
    }

    /// Breaks off attempts that take too long.
    fn give_up(&mut self) {
        while let Some(&(begun, number)) = self.attempts.front()
            && begun.elapsed() > PATIENCE
        {
            self.attempts.pop_front();
            let is_last = self.clients[number].begun == Some(begun);
            if is_last && self.fleet.session(number).is_some_and(|session| !session.ready) {
                let pause = self.pause_of(number);
                let session = self.fleet.close(number);
                session.into_iter().for_each(|session| self.put_aside(number, session, pause));
            }
        }
    }

    /// What a client waits after an attempt that failed.
    fn pause_of(&mut self, number: usize) -> Duration {
        let attempts = &mut self.clients[number].attempts;
        *attempts += 1;
        match self.pause {
            Pause::AsNamed => RETRY,
            Pause::BackOff => back_off(*attempts - 1, self.chance.draw()),
        }
    }

    /// Breaks off the session of a client that was let in, which comes back after a while. Answers whether it was.
    pub fn drop_for(&mut self, number: usize, away: Duration) -> bool {
        if !self.fleet.session(number).is_some_and(|session| session.ready) {
            return false;
        }
        self.clients[number].attempts = 0;
        let session = self.fleet.close(number);
        session.into_iter().for_each(|session| self.put_aside(number, session, away));
        true
    }

    fn put_aside(&mut self, number: usize, session: Session, pause: Duration) {
        self.gone += usize::from(session.ready);
        let client = &mut self.clients[number];
        // A session that was refused has seen what the one before it had, and knows nothing newer.
        if session.ready {
            client.recovery = session.recovery.clone();
        }
        client.seen = session.ids;
        self.due.push(Reverse((Instant::now() + pause, number)));
    }

    fn come_back(&mut self, number: usize, now: Instant) {
        let client = &mut self.clients[number];
        let seen = std::mem::take(&mut client.seen);
        let target = Rc::new(Target {
            after: seen.last().copied().or(self.target.after),
            recovery: client.recovery.clone(),
            ..self.target.clone()
        });
        let latest = self.latest.load(Ordering::Relaxed);
        if let Err(seen) = self.fleet.reopen(number, &target, seen, latest) {
            client.seen = seen;
            let pause = self.pause_of(number);
            self.due.push(Reverse((now + pause, number)));
        } else {
            client.begun = Some(now);
            self.attempts.push_back((now, number));
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Handshakes under way.
    fn opening(&self) -> usize {
        self.clients.len() - self.due.len() - self.ready()
    }

    /// How many are let in now.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.fleet.counters.ready - self.gone
    }

    /// How many sessions that were let in have ended.
    #[must_use]
    pub fn gone(&self) -> usize {
        self.gone
    }

    /// What each has seen over all its connections: the ids of alerts, as they came.
    pub fn seen(&self) -> impl Iterator<Item = &[u64]> {
        self.clients
            .iter()
            .enumerate()
            .map(|(number, client)| self.fleet.session(number).map_or(&*client.seen, |session| &*session.ids))
    }

    /// Whether all are let in, and have had this alert last.
    #[must_use]
    pub fn have_all(&self, latest: u64) -> bool {
        self.ready() == self.len() && self.seen().all(|seen| seen.last() == Some(&latest))
    }
}

/// The delay that a close frame names.
fn named(session: &Session) -> Option<Duration> {
    let (code, reason) = session.closed_with.as_ref()?;
    (*code == 1001).then(|| reason.parse().ok().map(Duration::from_millis))?
}

/// `backo2` of socket.io-client, with `reconnectionDelay` 1000, `reconnectionDelayMax` 5000, `randomizationFactor` 0.5;
/// `chance` from -1 to 1.
fn back_off(attempts: u32, chance: f64) -> Duration {
    let base = f64::from(1_u32 << attempts.min(10));
    Duration::from_secs_f64((base * (1.0 + 0.5 * chance)).min(5.0))
}

/// Numbers that look random, the same ones in each run (splitmix64).
struct Chance(u64);

impl Chance {
    /// From -1 to 1.
    fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::client::Wire;

    /// Lets one in on /ws and tells it alerts. Answers the first line of its request.
    fn let_in(listener: &TcpListener, ids: &[u64]) -> (String, TcpStream) {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        let mut answer = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
        let alerts = ids.iter().map(|id| format!(r#"{{"type":"BUY_GOODS","payload":{{"id":{id}}}}}"#));
        for text in std::iter::once(r#"{"type":"hello"}"#.to_owned()).chain(alerts) {
            answer.extend([0x81, u8::try_from(text.len()).unwrap()]);
            answer.extend_from_slice(text.as_bytes());
        }
        stream.write_all(&answer).unwrap();
        let request = String::from_utf8(request).unwrap();
        (request.lines().next().unwrap().to_owned(), stream)
    }

    fn turn_until(clients: &mut Clients, done: impl Fn(&Clients) -> bool) {
        let begin = Instant::now();
        while !done(clients) {
            clients.turn(Duration::from_millis(5)).unwrap();
            assert!(begin.elapsed() < Duration::from_secs(10), "in time");
        }
    }

    #[test]
    fn who_is_cut_off_comes_back_where_it_was() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = Target::new(listener.local_addr().unwrap(), Wire::Ws);
        let server = std::thread::spawn(move || {
            let (first, mut stream) = let_in(&listener, &[6, 7]);
            let end = stream.read(&mut [0]).map_err(|error| error.kind());
            assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset), "cut off without a word");
            (first, let_in(&listener, &[8, 9]))
        });
        let latest = Arc::new(AtomicU64::new(8));
        let mut clients = Clients::open(target, 1, Pause::BackOff, &latest, &Stop::default()).unwrap();
        turn_until(&mut clients, |clients| clients.have_all(7));
        assert!(clients.drop_for(0, Duration::ZERO));
        assert_eq!((clients.ready(), clients.gone()), (0, 1));
        assert!(!clients.drop_for(0, Duration::ZERO), "it is away");
        turn_until(&mut clients, |clients| clients.have_all(9));
        let (first, (second, _stream)) = server.join().unwrap();
        assert_eq!([&*first, &*second], ["GET /ws HTTP/1.1", "GET /ws?after=7 HTTP/1.1"]);
        assert_eq!(clients.seen().collect::<Vec<_>>(), [[6, 7, 8, 9]]);
        assert_eq!(clients.fleet.counters.replays.len(), 1);
    }

    #[test]
    fn a_client_comes_back_later_after_each_failure() {
        let limits = |attempts| [-1.0, 1.0].map(|chance| back_off(attempts, chance).as_millis());
        assert_eq!(limits(0), [500, 1500]);
        assert_eq!(limits(1), [1000, 3000]);
        assert_eq!(limits(2), [2000, 5000]);
        assert_eq!(limits(9), [5000, 5000]);
        assert_eq!(limits(u32::MAX), [5000, 5000]);
    }

    #[test]
    fn chance_is_spread_over_all_that_it_may_be() {
        let mut chance = Chance(0);
        let drawn: Vec<f64> = (0..10_000).map(|_| chance.draw()).collect();
        assert!(drawn.iter().all(|value| (-1.0..=1.0).contains(value)));
        for quarter in [-1.0, -0.5, 0.0, 0.5] {
            let within = drawn.iter().filter(|value| (quarter..quarter + 0.5).contains(*value)).count();
            assert!((2_300..2_700).contains(&within), "{within} from {quarter}");
        }
    }
}
