//! A PostgreSQL server of the tests' own, one for each test process: in a temporary folder, on a socket in it, gone with
//! the process however that ends. Also the store's own tests include this file.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, postgres::PgConnectOptions};

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
