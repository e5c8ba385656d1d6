//! A server under measurement, whichever it is: started, filled, spoken to.

use std::{
    collections::HashMap,
    fs,
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
    process::Process,
    suites::Context,
};

/// The servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What this is about.
    Shopbell,
    /// A loop of `send(2)`.
    Floor,
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
            Self::Floor => "floor",
            Self::Bun => "Bun",
            Self::Ws => "ws (Node)",
            Self::SocketIo => "socket.io (Node)",
            Self::Socketioxide => "socketioxide",
            Self::Express => "Express",
            Self::Actix => "bare actix",
        }
    }

    /// The servers that speak a wire, shopbell first.
    #[must_use]
    pub fn on(wire: Wire) -> &'static [Self] {
        match wire {
            Wire::Ws => &[Self::Shopbell, Self::Floor, Self::Bun, Self::Ws],
            Wire::SocketIo | Wire::Polling => {
                &[Self::Shopbell, Self::Floor, Self::SocketIo, Self::Socketioxide]
            }
            Wire::Sse => &[Self::Shopbell, Self::Floor],
        }
    }
}

/// What is in the shop when a server starts.
#[derive(Clone, Debug)]
pub enum Shop {
    /// As many goods, just made: for shopbell besides those of its demo.
    Goods(usize),
    /// Whatever is in this database of shopbell, which may not be there yet. Nobody is logged in.
    Database(PathBuf),
    /// A database of shopbell that was filled before.
    Seeded(Seed),
}

/// A database of shopbell, and who may log in to it.
#[derive(Clone, Debug)]
pub struct Seed {
    /// Its file.
    pub database: PathBuf,
    /// Address and password of a shopper.
    pub account: String,
    /// Goods that can be ordered.
    pub goods_id: u64,
}

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// What it sells.
    pub shop: Shop,
    /// What bare actix answers, by path.
    pub answers: HashMap<String, Answer>,
    /// Further flags of `shopbell serve`.
    pub flags: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { shop: Shop::Goods(1), answers: HashMap::new(), flags: Vec::new() }
    }
}

/// A running server.
pub struct Server {
    /// Its process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// The log-in of a shopper, for shopbell.
    pub token: Option<String>,
    /// Address and password of the shopper of a new database, for shopbell.
    pub account: String,
    /// Goods without a counted stock, so that an order brings nothing but its alert.
    pub goods_id: u64,
    /// From its start to the first `200` of `/readyz`, for shopbell.
    pub ready_after: Duration,
    /// Its database and other files.
    pub folder: TempDir,
}

impl Server {
    /// Starts a server and gives it something to sell.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(kind: Kind, context: &Context, options: &Options) -> Result<Self> {
        let folder = TempDir::new()?;
        let mut command = command(kind, context, options, folder.path())?;
        let begin = Instant::now();
        let process = Process::spawn(&mut command)?;
        let address = process.line_after("listening on http://")?.parse()?;
        let mut server = Self {
            process,
            address,
            token: None,
            account: String::new(),
            goods_id: 1,
            ready_after: Duration::ZERO,
            folder,
        };
        if kind == Kind::Shopbell {
            server.become_ready(begin)?;
            match &options.shop {
                Shop::Goods(count) => server.fill(*count)?,
                Shop::Database(_) => {}
                Shop::Seeded(seed) => {
                    server.token = Some(server.log_in(&seed.account)?);
                    server.goods_id = seed.goods_id;
                }
            }
        }
        Ok(server)
    }

    /// What its sessions need to know.
    #[must_use]
    pub fn target(&self, wire: Wire) -> Target {
        Target { token: self.token.clone(), goods_id: self.goods_id, ..Target::new(self.address, wire) }
    }

    /// A connection for requests.
    ///
    /// # Errors
    /// It does not listen any more.
    pub fn connection(&self) -> Result<Connection> {
        Connection::open(self.address)
    }

    fn become_ready(&mut self, begin: Instant) -> Result<()> {
        let mut connection = self.connection()?;
        while connection.call("GET", "/readyz", None, None)?.status != 200 {
            if begin.elapsed() > Duration::from_secs(60) {
                return Err("the server is not ready after a minute".into());
            }
        }
        self.ready_after = begin.elapsed();
        Ok(())
    }

    /// Logs in as the demo's shopper, and puts goods on sale as its administrator.
    fn fill(&mut self, goods: usize) -> Result<()> {
        self.account = self.process.line_after("demo shopper: ")?;
        let admin = self.process.line_after("demo admin: ")?;
        self.token = Some(self.log_in(&self.account)?);
        let admin = self.log_in(&admin)?;
        let mut connection = self.connection()?;
        for number in 1..=goods {
            let goods = json!({
                "name": format!("Goods {number}"), "thumbnailUrl": "/images/placeholder.svg",
                "category": "drink", "price": 4.5, "stock": null,
            });
            let made = connection.json("POST", "/api/goods", Some(&admin), Some(&goods))?;
            self.goods_id = made["goods"]["goodsId"].as_u64().ok_or("goods without an id")?;
        }
        Ok(())
    }

    /// Logs in with an address and a password, as the demo prints them.
    ///
    /// # Errors
    /// The server does not know them.
    pub fn log_in(&self, account: &str) -> Result<String> {
        let (email, password) = account.split_once(' ').ok_or("an account is an address and a password")?;
        let body = json!({ "email": email, "password": password });
        let answer = self.connection()?.json("POST", "/api/auth", None, Some(&body))?;
        let token = answer["token"].as_str().ok_or("a log-in without a token")?;
        Ok(token.to_owned())
    }
}

fn command(kind: Kind, context: &Context, options: &Options, folder: &Path) -> Result<Command> {
    let peers = context.peers();
    let mut command = match kind {
        Kind::Shopbell => {
            let mut command = Command::new(&context.shopbell);
            let database = match &options.shop {
                Shop::Goods(_) => folder.join("shop.db"),
                Shop::Database(file) => file.clone(),
                Shop::Seeded(seed) => seed.database.clone(),
            };
            command.args(["serve", "--addr", "127.0.0.1:0", "--workers", "1"]);
            if matches!(options.shop, Shop::Goods(_)) {
                command.arg("--demo");
            }
            command.args(["--ping-interval", "10m", "--ping-timeout", "10m"]);
            command.arg("--database-url").arg(format!("sqlite://{}", database.display()));
            command.args(&context.raised_limits).args(&options.flags);
            command.env("RUST_LOG", "error");
            command
        }
        Kind::Floor => builtin("floor")?,
        Kind::Socketioxide => builtin("socketioxide")?,
        Kind::Actix => {
            let file = folder.join("answers.json");
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
            command.env("BENCH_DATABASE", folder.join("shop.db"));
            if let Shop::Goods(count) = options.shop {
                command.env("BENCH_GOODS", count.to_string());
            }
            command
        }
    };
    command.env("BENCH_ALERT", &context.alert).env("NODE_ENV", "production");
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
    let token = server.token.as_deref();
    let order = json!({ "items": [{ "goodsId": server.goods_id, "quantity": 1 }] });
    connection.json("POST", "/api/orders", token, Some(&order))?;
    let log: Value = connection.json("GET", "/api/notifications?after=0", token, None)?;
    Ok(log["notifications"][0]["data"].to_string())
}
