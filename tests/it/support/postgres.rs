//! A PostgreSQL server of the tests' own, one for each test process: in a temporary folder, on a socket in it, gone with
//! the process however that ends. Also the store's own tests include this file.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, postgres::PgConnectOptions};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, UnixStream},
    sync::watch,
};

/// How long the server may take to start where much else is done.
const DEADLINE: Duration = Duration::from_secs(60);

/// What runs the server: it ends, and with it the server and its folder, when its standard input does. Root may not run
/// it, and is then `postgres`, whom Debian's package makes.
const KEEPER: &str = r#"
set -e
# Ctrl-C goes to all that a terminal has started; the server may then end by itself.
trap '' INT
as=""
if [ "$(id -u)" = 0 ]; then
    chown postgres "$1"
    as="setpriv --reuid=postgres --regid=postgres --clear-groups"
fi
cd "$1"
$as "$2/initdb" -D data -U shopbell --auth=trust --encoding=UTF8 --locale=C --no-sync >initdb.log
$as "$2/postgres" -D data -k "$1" -c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=600 \
    -c shared_buffers=64MB >server.log 2>&1 &
server=$!
cat >/dev/null
kill -INT "$server" || true
wait "$server" || true
rm -rf "$1"
"#;

struct Server {
    folder: PathBuf,
    /// Never written to: closed with the process.
    _keeper: std::process::Child,
}

static SERVER: LazyLock<Server> = LazyLock::new(start);
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// Where Debian's packages have the newest server.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|version| version.file_name().to_str()?.parse::<u32>().ok())
        .max()
        .expect("PostgreSQL is not installed: run scripts/test, which installs it");
    Path::new("/usr/lib/postgresql").join(newest.to_string()).join("bin")
}

fn start() -> Server {
    let folder = tempfile::TempDir::new().unwrap().keep();
    let keeper = Command::new("sh")
        .args(["-c", KEEPER, "keeper"])
        .arg(&folder)
        .arg(programs())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    Server { folder, _keeper: keeper }
}

fn options() -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(&SERVER.folder)
        .username("shopbell")
        .disable_statement_logging()
}

/// The URL of a new database without any tables. It sorts text as people do in English: the program must not rely on
/// what a server sorts by.
pub async fn fresh_database() -> String {
    let name = format!("shop{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let began = Instant::now();
    let mut conn = loop {
        match options().database("postgres").connect().await {
            Ok(conn) => break conn,
            Err(error) => {
                assert!(began.elapsed() < DEADLINE, "the PostgreSQL server does not start: {error}")
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let create = format!(
        "create database {name} template template0 encoding 'UTF8' locale_provider icu icu_locale 'en-US' locale 'C.UTF-8'"
    );
    conn.execute(AssertSqlSafe(create)).await.unwrap();
    conn.close().await.unwrap();
    format!("postgres:///{name}?host={}&user=shopbell&pool=4", SERVER.folder.display())
}

/// A line to the server that can be made to swallow what goes through it.
pub struct Line {
    /// The URL of a new database at its end.
    pub url: String,
    /// The same without it.
    pub direct: String,
    /// What was connected before this number is silent for good; a negative number silences what comes, too.
    from: watch::Sender<i64>,
    connected: Arc<AtomicI64>,
}

impl Line {
    /// To an empty database.
    pub async fn lay() -> Self {
        let direct = fresh_database().await;
        let (name, rest) = direct.strip_prefix("postgres:///").unwrap().split_once("?host=").unwrap();
        let socket = format!("{}/.s.PGSQL.5432", rest.split_once('&').unwrap().0);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let from = watch::Sender::new(0);
        let (silent, connected) = (from.subscribe(), Arc::new(AtomicI64::new(0)));
        // Apart from the test, which may wait for a program that needs the line.
        std::thread::spawn({
            let connected = Arc::clone(&connected);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            move || runtime.block_on(carry(listener, socket, silent, connected))
        });
        let url = format!("postgres://shopbell@127.0.0.1:{port}/{name}?pool=4&sslmode=disable");
        Self { url, direct, from, connected }
    }

    /// Swallows all, also what connects from now on.
    pub fn silence(&self) {
        self.from.send_replace(-1);
    }

    /// Lets new connections through; those that there are stay silent.
    pub fn restore(&self) {
        self.from.send_replace(self.connected.load(Ordering::Relaxed));
    }
}

/// Connects whoever comes with the server.
async fn carry(
    listener: std::net::TcpListener,
    socket: String,
    silent: watch::Receiver<i64>,
    connected: Arc<AtomicI64>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let number = connected.fetch_add(1, Ordering::Relaxed);
        let server = UnixStream::connect(&socket).await.unwrap();
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::spawn(pump(number, from_client, to_server, silent.clone()));
        tokio::spawn(pump(number, from_server, to_client, silent.clone()));
    }
}

/// Carries bytes until it is silent. Then neither end hears anything, also not that the other has closed.
async fn pump(
    number: i64,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut silent: watch::Receiver<i64>,
) {
    let mut buffer = vec![0; 65_536];
    loop {
        let count = tokio::select! {
            biased;
            () = async { drop(silent.wait_for(|from| *from < 0 || number < *from).await) } => std::future::pending().await,
            count = from.read(&mut buffer) => count.unwrap_or(0),
        };
        if count == 0 || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
