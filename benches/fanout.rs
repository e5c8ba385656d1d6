//! The fan-out alone: a batch through the registry and the outboxes of one thread into sockets, whose other ends are
//! emptied while the clock stands. `cargo bench --bench fanout`.

use std::{
    io::Read,
    net::{TcpListener, TcpStream},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput};
use shopbell::{
    domain::{GoodsId, Language, NicknameDisplay, Notification, Offset, Publication, Timestamp},
    limits::{Purse, SessionLimits},
    outbox::{OutboxLimits, Sweeper, Wire},
    realtime::{Batch, Feeding, NewSession, Person, Registry, Session},
};
use tokio::runtime::Runtime;

/// Bytes that may wait for a session.
const OUTBOX_LIMIT: usize = 256 * 1024;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut group = criterion.benchmark_group("fan-out");
    group.sample_size(20);
    for sessions in [100, 1_000] {
        let mut thread = Thread::with(sessions, &runtime);
        let mut id = 0;
        group.throughput(Throughput::Elements(sessions as u64));
        group.bench_function(format!("{sessions} sockets"), |bench| {
            bench.iter_custom(|rounds| {
                let mut time = Duration::ZERO;
                for _ in 0..rounds {
                    id += 1;
                    let begin = Instant::now();
                    let bytes = thread.deliver(id);
                    time += begin.elapsed();
                    thread.empty(bytes);
                }
                time
            });
        });
    }
    group.finish();
    criterion.final_summary();
}

/// What one worker thread has.
struct Thread {
    registry: Rc<Registry>,
    _sessions: Vec<Rc<Session>>,
    far_ends: Vec<TcpStream>,
}

impl Thread {
    fn with(sessions: usize, runtime: &Runtime) -> Self {
        let minute = Duration::from_mins(1);
        let sweeper = Sweeper::new(OutboxLimits {
            bytes: OUTBOX_LIMIT,
            ping_interval: minute,
            ping_timeout: minute,
            stall_timeout: minute,
        });
        let registry = Registry::new(Arc::default(), Arc::default(), Arc::default());
        let mut far_ends = Vec::new();
        let join = |number: u64| {
            let (near, far) = connection(runtime);
            far_ends.push(far);
            let session = Session::new(NewSession {
                id: rand::random(),
                outbox: sweeper.to_socket(near, Wire::Native, Purse::free()),
                login: None,
                person: Person::Guest(number),
                is_masked: false,
                language: Language::English,
                feeding: Feeding::Live,
                digest: None,
                position: Offset::START,
                limits: SessionLimits::new(1, Instant::now()),
                permits: Vec::new(),
            });
            registry.join(&session);
            session
        };
        let sessions = (0..sessions as u64).map(join).collect();
        Self { registry, _sessions: sessions, far_ends }
    }

    /// How many bytes each session was sent.
    fn deliver(&self, id: i64) -> usize {
        let notification = Notification::Purchase {
            nickname: Some("kim".into()),
            goods_id: GoodsId(4),
            first_goods_name: "Sparkling water".into(),
            other_goods: 0,
            quantity: 1,
            elsewhere: None,
        };
        let publication = Publication { id: Offset(id), date: Timestamp::from_millis(0), notification };
        let batch = Batch::new(vec![Arc::new(publication)], NicknameDisplay::Full).expect("not empty");
        self.registry.begin(&batch);
        self.registry.each(0..usize::MAX, |session| {
            session.deliver(&batch);
        });
        batch.encoded_after(Offset(id - 1), Wire::Native, false).len()
    }

    fn empty(&mut self, bytes: usize) {
        let mut buffer = vec![0; bytes];
        for far in &mut self.far_ends {
            far.read_exact(&mut buffer).expect("an alert");
        }
    }
}

/// Both ends of a connection.
fn connection(runtime: &Runtime) -> (tokio::net::TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let far = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
    let (near, _) = listener.accept().expect("a connection");
    near.set_nonblocking(true).expect("a socket");
    let near = runtime.block_on(async { tokio::net::TcpStream::from_std(near) });
    (near.expect("a socket"), far)
}
