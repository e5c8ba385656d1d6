//! A server under measurement, whichever it is: started, filled, spoken to.

use std::{
    collections::HashMap,
    fmt, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    Result,
    client::{
        Target, Wire,
        http::{Answer, Connection},
    },
    context::{Context, Program},
    process::Process,
};

/// The servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What this is about.
    Shopbell,
    /// Another build of it.
    Before,
    /// A loop of `send(2)`.
    Floor,
    /// The same, but busy for 0.1 µs before each of them: what the least of a server's own work costs here.
    BusyFloor,
    /// Bun's own server.
    Bun,
    /// The library ws on Node.
    Ws,
    /// Socket.IO on Node.
    SocketIo,
    /// socketioxide on axum.
    Socketioxide,
    /// Express, better-sqlite3 and ws on Node.
    Express,
    /// actix-web that answers with given bytes.
    Actix,
}

impl Kind {
    /// As it is called in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Shopbell => "shopbell",
            Self::Before => "shopbell-before",
            Self::Floor => "floor",
            Self::BusyFloor => "floor + 0.1 µs",
            Self::Bun => "Bun",
            Self::Ws => "ws (Node)",
            Self::SocketIo => "socket.io (Node)",
            Self::Socketioxide => "socketioxide",
            Self::Express => "Express",
            Self::Actix => "bare actix",
        }
    }

    /// Whether it is a build of shopbell.
    #[must_use]
    pub fn is_shopbell(self) -> bool {
        matches!(self, Self::Shopbell | Self::Before)
    }

    /// The servers that speak a wire, shopbell first.
    #[must_use]
    pub fn on(wire: Wire) -> &'static [Self] {
        match wire {
            Wire::Ws => &[Self::Shopbell, Self::Floor, Self::BusyFloor, Self::Bun, Self::Ws],
            Wire::SocketIo | Wire::Polling => {
                &[Self::Shopbell, Self::Floor, Self::SocketIo, Self::Socketioxide]
            }
            Wire::Sse => &[Self::Shopbell, Self::Floor],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is in the shop when a server starts.
#[derive(Clone, Debug)]
pub enum Shop {
    /// So many goods, just made. shopbell's demo brings some, to which one at least is added.
    Goods(usize),
    /// Whatever is in this database of shopbell, which may not be there yet. Nobody is logged in.
    Database(PathBuf),
    /// A database of shopbell that was filled before.
    Seeded(Seed),
}

/// A database of shopbell, and who may log in to it.
#[derive(Clone, Debug)]
pub struct Seed {
    /// Its file, in a folder of its own.
    pub database: PathBuf,
    /// The log-in of a shopper.
    pub token: String,
    /// That of another, who orders nothing: an account hears more of its own orders than others do.
    pub listener: String,
    /// Goods without a counted stock, so that an order brings nothing but its alert.
    pub goods_id: u64,
}

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// What it sells.
    pub shop: Shop,
    /// What bare actix answers, by path.
    pub answers: HashMap<String, Answer>,
    /// Where shopbell, Bun and Socket.IO are to listen; any free port otherwise.
    pub address: Option<SocketAddr>,
    /// Whether Socket.IO's own server lets sessions recover; shopbell always does.
    pub recovery: bool,
    /// Further flags of `shopbell serve`.
    pub flags: Vec<String>,
    /// With the limits that shopbell has by itself, and a log: see `stderr` in the folder.
    pub as_delivered: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            shop: Shop::Goods(1),
            answers: HashMap::new(),
            address: None,
            recovery: false,
            flags: Vec::new(),
            as_delivered: false,
        }
    }
}

/// A running server.
pub struct Server {
    /// Its process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its database and a log-in, for shopbell: enough to start it again.
    pub seed: Option<Seed>,
    /// From its start to the first `200` of `/readyz`, for shopbell.
    pub ready_after: Duration,
    /// Its database and other files.
    pub folder: TempDir,
}

impl Server {
    /// Starts a server that has something to sell.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(kind: Kind, context: &Context, options: &Options) -> Result<Self> {
        let folder = TempDir::new()?;
        let (database, seed) = match &options.shop {
            Shop::Goods(goods) if kind.is_shopbell() => {
                let seed = Seed::create(folder.path(), *goods, program(kind, context)?)?;
                (seed.database.clone(), Some(seed))
            }
            Shop::Goods(_) => (folder.path().join("shop.db"), None),
            Shop::Database(file) => (file.clone(), None),
            Shop::Seeded(seed) => (seed.database.clone(), Some(seed.clone())),
        };
        let begin = Instant::now();
        let process = Process::spawn(&mut command(kind, context, options, &database)?)?;
        let address = process.line_after("listening on http://")?.parse()?;
        if kind.is_shopbell() {
            wait_until_ready(address)?;
        }
        let ready_after = begin.elapsed();
        Ok(Self { process, address, seed, ready_after, folder })
    }

    /// What its sessions need to know.
    #[must_use]
    pub fn target(&self, wire: Wire) -> Target {
        let token = self.token().map(str::to_owned);
        Target { token, goods_id: self.goods_id(), ..Target::new(self.address, wire) }
    }

    /// What sessions need to know that only listen.
    #[must_use]
    pub fn listeners(&self, wire: Wire) -> Target {
        let token = self.seed.as_ref().map(|seed| seed.listener.clone());
        Target { token, ..self.target(wire) }
    }

    /// The log-in of a shopper; peers want none.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.seed.as_ref().map(|seed| seed.token.as_str())
    }

    /// What is ordered. Peers sell goods number 1.
    #[must_use]
    pub fn goods_id(&self) -> u64 {
        self.seed.as_ref().map_or(1, |seed| seed.goods_id)
    }

    /// A connection for requests.
    ///
    /// # Errors
    /// It does not listen any more.
    pub fn connection(&self) -> Result<Connection> {
        Connection::open(self.address)
    }
}

fn wait_until_ready(address: SocketAddr) -> Result<()> {
    let begin = Instant::now();
    let mut connection = Connection::open(address)?;
    while connection.call("GET", "/readyz", None, None)?.status != 200 {
        if begin.elapsed() > Duration::from_secs(60) {
            return Err("the server is not ready after a minute".into());
        }
    }
    Ok(())
}

impl Seed {
    /// A new shop: the demo's shopper, logged in, and so many goods. The process that makes it has ended when this
    /// returns: hashing passwords leaves megabytes of free memory behind, which later sessions would hide in.
    ///
    /// # Errors
    /// The server does not come up.
    pub fn create(folder: &Path, goods: usize, program: &Program) -> Result<Self> {
        let database = folder.join("shop.db");
        let mut command = shopbell(program, None, &database);
        let process = Process::spawn(raise_limits(&mut command, program).arg("--demo"))?;
        let address = process.line_after("listening on http://")?.parse()?;
        let shopper = process.line_after("demo shopper: ")?;
        let admin = process.line_after("demo admin: ")?;
        let mut connection = Connection::open(address)?;
        let token = log_in(&mut connection, &shopper)?;
        let admin = log_in(&mut connection, &admin)?;
        let listener = register(&mut connection)?;
        let there = connection.json("GET", "/api/goods", None, None)?;
        let there = there["goods"].as_array().map_or(0, Vec::len);
        let mut goods_id = 0;
        for number in 1..=goods.saturating_sub(there).max(1) {
            let goods = json!({
                "name": format!("Goods {number}"), "thumbnailUrl": "/images/placeholder.svg",
                "category": "drink", "price": 4.5, "stock": null,
            });
            let made = connection.json("POST", "/api/goods", Some(&admin), Some(&goods))?;
            goods_id = made["goods"]["goodsId"].as_u64().ok_or("goods without an id")?;
        }
        drop(connection);
        process.terminate()?;
        Ok(Self { database, token, listener, goods_id })
    }
}

/// Makes an account and logs in.
fn register(connection: &mut Connection) -> Result<String> {
    let (email, password) = ("listener@example.com", "listens-and-buys-nothing");
    let account = json!({
        "nickname": "listener", "email": email, "password": password, "confirmPassword": password,
    });
    connection.json("POST", "/api/users", None, Some(&account))?;
    log_in(connection, &format!("{email} {password}"))
}

/// Logs in with an address and a password, as the demo prints them.
fn log_in(connection: &mut Connection, account: &str) -> Result<String> {
    let (email, password) = account.split_once(' ').ok_or("an account is an address and a password")?;
    let body = json!({ "email": email, "password": password });
    let answer = connection.json("POST", "/api/auth", None, Some(&body))?;
    Ok(answer["token"].as_str().ok_or("a log-in without a token")?.to_owned())
}

/// The build of shopbell that a kind stands for.
fn program(kind: Kind, context: &Context) -> Result<&Program> {
    let program = if kind == Kind::Before { context.baseline.as_ref() } else { Some(&context.shopbell) };
    program.ok_or_else(|| "there is no other build of shopbell: give one with --baseline".into())
}

fn shopbell(program: &Program, address: Option<SocketAddr>, database: &Path) -> Command {
    let mut command = Command::new(&program.path);
    let address = address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    command.args(["serve", "--addr", &address.to_string(), "--workers", "1"]);
    // So long that no heartbeat falls into a measurement.
    command.args(["--ping-interval", "10m", "--ping-timeout", "10m"]);
    command.arg("--database-url").arg(format!("sqlite://{}", database.display()));
    command
}

/// Lifts the limits for one address and one account, from which all load comes.
fn raise_limits<'a>(command: &'a mut Command, program: &Program) -> &'a mut Command {
    command.args(&program.raised_limits).env("RUST_LOG", "error")
}

fn command(kind: Kind, context: &Context, options: &Options, database: &Path) -> Result<Command> {
    let peers = context.peers();
    let mut command = match kind {
        Kind::Shopbell | Kind::Before => {
            let program = program(kind, context)?;
            let mut command = shopbell(program, options.address, database);
            if options.as_delivered {
                command.stderr(fs::File::create(database.with_file_name("stderr"))?);
            } else {
                raise_limits(&mut command, program);
            }
            command.args(&options.flags);
            command
        }
        Kind::Floor => builtin("floor")?,
        Kind::BusyFloor => builtin("busy-floor")?,
        Kind::Socketioxide => builtin("socketioxide")?,
        Kind::Actix => {
            let file = database.with_file_name("answers.json");
            fs::write(&file, serde_json::to_vec(&options.answers)?)?;
            let mut command = builtin("actix")?;
            command.env("BENCH_ANSWERS", file);
            command
        }
        Kind::Bun => script(&peers.join("node_modules/bun/bin/bun.exe"), &peers.join("bun.js")),
        Kind::Ws => script(Path::new("node"), &peers.join("ws.js")),
        Kind::SocketIo => script(Path::new("node"), &peers.join("socketio.js")),
        Kind::Express => {
            let mut command = script(Path::new("node"), &peers.join("express.js"));
            command.env("BENCH_DATABASE", database);
            if let Shop::Goods(count) = options.shop {
                command.env("BENCH_GOODS", count.to_string());
            }
            command
        }
    };
    command.env("BENCH_ALERT", &context.alert).env("NODE_ENV", "production");
    if let Some(address) = options.address {
        command.env("BENCH_PORT", address.port().to_string());
    }
    if options.recovery {
        command.env("BENCH_RECOVERY", "1");
    }
    Ok(command)
}

fn builtin(name: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["peer", name]);
    Ok(command)
}

fn script(runtime: &Path, script: &Path) -> Command {
    let mut command = Command::new(runtime);
    command.arg(script);
    command
}

/// The payload of an alert as shopbell sends it, which all peers send too.
///
/// # Errors
/// The server does not come up, or sends none.
pub fn sample_alert(context: &Context) -> Result<String> {
    let server = Server::start(Kind::Shopbell, context, &Options::default())?;
    let mut connection = server.connection()?;
    let token = server.token();
    let order = json!({ "items": [{ "goodsId": server.goods_id(), "quantity": 1 }] });
    connection.json("POST", "/api/orders", token, Some(&order))?;
    let log: Value = connection.json("GET", "/api/notifications?after=0", token, None)?;
    Ok(log["notifications"][0]["data"].to_string())
}
