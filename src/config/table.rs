//! Every setting, once: what it is for, its flag, its variable, its type on the command line and in force, its default.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use serde::Deserialize;

use super::{
    Audience, BusUrl, CollectorUrl, DatabaseUrl, HumanDuration, LogFormat, NicknameStyle, Secret,
    descriptors,
    show::Show,
    values::{above_zero, from_text, one_or_many, share, stock, workers},
};
use crate::domain::{Currency, NicknameDisplay};

/// Makes of a table of settings the layers (one source's values, each optional), the settings in force, and how they
/// come from the layers and are shown. A row is: attributes for clap and serde, name, type in a layer, type in force,
/// default.
macro_rules! settings {
    ($(
        $(#[$about:meta])*
        $part:ident: $layer:ident {
            $($(#[$attribute:meta])* $name:ident: $given:ty => $taken:ty = $default:expr;)*
        }
    )*) => {
        $(
            $(#[$about])*
            #[derive(Clone, Debug, Default, Deserialize, clap::Args)]
            #[serde(rename_all = "kebab-case", default)]
            pub struct $layer {
                $($(#[$attribute])* #[arg(long)] pub $name: Option<$given>,)*
            }
        )*

        /// The layers of one source.
        #[derive(Debug, Default, Deserialize)]
        pub(super) struct Layers {
            $(#[serde(flatten)] pub(super) $part: $layer,)*
            /// Keys of a file that name no setting.
            #[serde(flatten)]
            pub(super) unknown: std::collections::BTreeMap<String, toml::Value>,
        }

        /// The settings in force.
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "each is documented once, where its flag is")]
        pub struct Settings {
            $($(pub $name: $taken,)*)*
        }

        impl Settings {
            /// What `first` leaves open `second` says, and what that leaves open has a default.
            pub(super) fn of(first: Layers, second: Layers) -> Self {
                Self {
                    $($($name: match first.$part.$name.or(second.$part.$name) {
                        Some(given) => given.into(),
                        None => $default,
                    },)*)*
                }
            }

            /// The settings in force, one `name = value` a line, secrets hidden: what `shopbell config` prints.
            #[must_use]
            pub fn show(&self) -> String {
                let lines = [$($((stringify!($name), Show::show(&self.$name)),)*)*];
                lines.map(|(name, value)| format!("{} = {value}\n", name.replace('_', "-"))).concat()
            }
        }
    };
}

settings! {
    /// The settings that every subcommand takes.
    common: CommonLayer {
        /// The database, sqlite://path or postgres://user:password@host/database; created and migrated at start
        /// [default: sqlite://shopbell.db]
        #[arg(env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
        database_url: DatabaseUrl => DatabaseUrl = "sqlite://shopbell.db".to_owned().into();
        /// ISO 4217 code of the prices; a price with more decimals than it has is refused [default: USD]
        #[arg(env = "SHOPBELL_CURRENCY", value_name = "CODE")]
        #[serde(deserialize_with = "from_text")]
        currency: Currency => Currency = "USD".parse().expect("USD is a currency");
        /// A stock that falls to so many pieces, or fewer, is told to endpoints (`stock.low`) [default: 5]
        #[arg(env = "SHOPBELL_LOW_STOCK", value_name = "N", value_parser = stock)]
        low_stock: i64 => i64 = 5;
        /// How log lines are written [default: text]
        #[arg(env = "SHOPBELL_LOG_FORMAT", value_name = "FORMAT")]
        log_format: LogFormat => LogFormat = LogFormat::default();
    }

    /// The settings of `serve` as one source gives them: the command line with the environment, or the file.
    serve: ServeLayer {
        /// Where to listen; port 0 takes any free one [default: 127.0.0.1:3000]
        #[arg(env = "SHOPBELL_ADDR", value_name = "IP:PORT")]
        addr: SocketAddr => SocketAddr = SocketAddr::from(([127, 0, 0, 1], 3000));
        /// NATS servers that carry news between the nodes of a shop: nats://user:password@host:4222 or tls://…, with commas between
        /// several; the same for all nodes [default: none, the shop has one node]
        #[arg(env = "SHOPBELL_BUS", value_name = "URL", hide_env_values = true)]
        bus: BusUrl => Option<BusUrl> = None;
        /// Threads that serve connections [default: number of cores]
        #[arg(env = "SHOPBELL_WORKERS", value_name = "N", value_parser = workers)]
        workers: usize => usize = std::thread::available_parallelism().map_or(1, usize::from);
        /// Fill an empty database with a sample catalog, one shopper and one admin
        #[arg(env = "SHOPBELL_DEMO", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        demo: bool => bool = false;
        /// Key of the log-in tokens, at least 32 bytes, without commas (repeatable): the first signs, all verify [default: made
        /// at the first start, kept in a file beside the database]
        #[arg(env = "SHOPBELL_JWT_SECRET", value_name = "SECRET", value_delimiter = ',', hide_env_values = true)]
        #[serde(deserialize_with = "one_or_many")]
        jwt_secret: Vec<Secret> => Vec<Secret> = Vec::new();
        /// File that holds the keys instead, one a line
        #[arg(env = "SHOPBELL_JWT_SECRET_FILE", value_name = "FILE")]
        jwt_secret_file: PathBuf => Option<PathBuf> = None;
        /// How long a log-in holds [default: 7d]
        #[arg(env = "SHOPBELL_TOKEN_TTL", value_name = "TIME")]
        token_ttl: HumanDuration => Duration = Duration::from_hours(7 * 24);
        /// Where to listen for /metrics [default: --addr while that is loopback, otherwise nowhere]
        #[arg(env = "SHOPBELL_METRICS_ADDR", value_name = "IP:PORT")]
        metrics_addr: SocketAddr => Option<SocketAddr> = None;
        /// Where traces are sent to, by OTLP over HTTP: http://collector:4318. Without it, what OTEL_EXPORTER_OTLP_ENDPOINT says
        /// [default: none are made]
        #[arg(env = "SHOPBELL_OTLP_ENDPOINT", value_name = "URL", hide_env_values = true)]
        otlp_endpoint: CollectorUrl => Option<CollectorUrl> = None;
        /// The share of orders that are traced, 0 to 1. Where a request brings a `traceparent`, its sender has decided [default: 0.01]
        #[arg(env = "SHOPBELL_OTLP_SAMPLE", value_name = "SHARE", value_parser = share)]
        otlp_sample: f64 => f64 = 0.01;
        /// What browsers call the site (behind a TLS proxy): decides same-origin and the cookie's `Secure`
        #[arg(env = "SHOPBELL_PUBLIC_URL", value_name = "URL")]
        public_url: String => Option<String> = None;
        /// Address of a proxy whose X-Forwarded-For and -Proto are believed (repeatable)
        #[arg(env = "SHOPBELL_TRUSTED_PROXIES", value_name = "IP", value_delimiter = ',')]
        trusted_proxy: Vec<IpAddr> => Vec<IpAddr> = Vec::new();
        /// Another origin whose pages may call (repeatable), an app's (capacitor://localhost) or `null` too; `*` allows all,
        /// without credentials [default: same origin]
        #[arg(env = "SHOPBELL_ALLOWED_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
        allowed_origin: Vec<String> => Vec<String> = Vec::new();
        /// Who receives alerts [default: members]
        #[arg(env = "SHOPBELL_AUDIENCE", value_name = "WHO")]
        audience: Audience => Option<Audience> = None;
        /// Let guests chat
        #[arg(env = "SHOPBELL_GUEST_CHAT", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        guest_chat: bool => bool = false;
        /// How nicknames appear in alerts [default: full]
        #[arg(env = "SHOPBELL_NICKNAME_DISPLAY", value_name = "HOW")]
        nickname_display: NicknameStyle => Option<NicknameDisplay> = None;
        /// What alerts call a buyer who is not to be named [default: ***]
        #[arg(env = "SHOPBELL_UNNAMED_BUYER", value_name = "TEXT")]
        unnamed_buyer: String => Option<String> = None;
        /// Time between two heartbeats of a session [default: 25s]
        #[arg(env = "SHOPBELL_PING_INTERVAL", value_name = "TIME")]
        ping_interval: HumanDuration => Duration = Duration::from_secs(25);
        /// Time for the answer to a heartbeat [default: 20s]
        #[arg(env = "SHOPBELL_PING_TIMEOUT", value_name = "TIME")]
        ping_timeout: HumanDuration => Duration = Duration::from_secs(20);
        /// Connections that may be open at once, sessions among them; more are answered 503 [default: what the limit of open
        /// files leaves room for]
        #[arg(env = "SHOPBELL_MAX_CONNECTIONS", value_name = "N", value_parser = above_zero::<usize>)]
        max_connections: usize => usize = descriptors::connections();
        /// Connections that one address (of IPv6: one /64) may have at once; those that wait for a request make room
        /// [default: 1000, or half of max-connections when that is less; twice max-sessions-per-address when that is more]
        #[arg(env = "SHOPBELL_MAX_CONNECTIONS_PER_ADDRESS", value_name = "N", value_parser = above_zero::<usize>)]
        max_connections_per_address: usize => Option<usize> = None;
        /// Sessions that one account may have at once [default: 200]
        #[arg(env = "SHOPBELL_MAX_SESSIONS_PER_ACCOUNT", value_name = "N", value_parser = above_zero::<usize>)]
        max_sessions_per_account: usize => usize = 200;
        /// Sessions that one address (of IPv6: one /64) may have at once, of guests and of members each
        /// [default: 500, or half of max-connections when that is less]
        #[arg(env = "SHOPBELL_MAX_SESSIONS_PER_ADDRESS", value_name = "N", value_parser = above_zero::<usize>)]
        max_sessions_per_address: usize => Option<usize> = None;
        /// Sessions a second that one address, or one account, may begin; four times as many at once [default: 50]
        #[arg(env = "SHOPBELL_HANDSHAKE_RATE", value_name = "N", value_parser = above_zero::<u32>)]
        handshake_rate: u32 => u32 = 50;
        /// Orders a second of one account; four times as many at once [default: 10]
        #[arg(env = "SHOPBELL_ORDER_RATE", value_name = "N", value_parser = above_zero::<u32>)]
        order_rate: u32 => u32 = 10;
        /// Registrations a minute from one address (of IPv6: one /64); three times as many at once [default: 10]
        #[arg(env = "SHOPBELL_REGISTRATION_RATE", value_name = "N", value_parser = above_zero::<u32>)]
        registration_rate: u32 => u32 = 10;
        /// Largest head of a request, in bytes [default: 16384]
        #[arg(env = "SHOPBELL_MAX_HEAD", value_name = "BYTES", value_parser = above_zero::<usize>)]
        max_head: usize => usize = 16_384;
        /// Time for the head of a request to come [default: 10s]
        #[arg(env = "SHOPBELL_HEADER_TIMEOUT", value_name = "TIME")]
        header_timeout: HumanDuration => Duration = Duration::from_secs(10);
        /// Time for the body of a request to come [default: 30s]
        #[arg(env = "SHOPBELL_BODY_TIMEOUT", value_name = "TIME")]
        body_timeout: HumanDuration => Duration = Duration::from_secs(30);
        /// How long a connection without a request is kept [default: 75s]
        #[arg(env = "SHOPBELL_KEEP_ALIVE", value_name = "TIME")]
        keep_alive: HumanDuration => Duration = Duration::from_secs(75);
        /// Largest socket message or poll, in bytes [default: 1000000]
        #[arg(env = "SHOPBELL_MAX_PAYLOAD", value_name = "BYTES", value_parser = above_zero::<usize>)]
        max_payload: usize => usize = 1_000_000;
        /// Time for a message to come, from its first byte to its last attachment [default: 10s]
        #[arg(env = "SHOPBELL_MESSAGE_TIMEOUT", value_name = "TIME")]
        message_timeout: HumanDuration => Duration = Duration::from_secs(10);
        /// Bytes of everything partial or waiting in the whole process: messages and bodies under way, orders that wait, what
        /// sessions have not taken. Strangers have half of it, one address a quarter [default: 134217728]
        #[arg(env = "SHOPBELL_MEMORY_BUDGET", value_name = "BYTES", value_parser = above_zero::<usize>)]
        memory_budget: usize => usize = 128 * 1024 * 1024;
        /// Largest HTTP body, in bytes [default: 65536]
        #[arg(env = "SHOPBELL_MAX_BODY", value_name = "BYTES", value_parser = above_zero::<usize>)]
        max_body: usize => usize = 65_536;
        /// Messages a second that a session may send before it is closed with 4029 [default: 2000]
        #[arg(env = "SHOPBELL_MESSAGE_RATE", value_name = "N", value_parser = above_zero::<u32>)]
        message_rate: u32 => u32 = 2000;
        /// Bytes that may wait for a session that does not read before it is fed from the log instead [default: 262144]
        #[arg(env = "SHOPBELL_OUTBOX_LIMIT", value_name = "BYTES", value_parser = above_zero::<usize>)]
        outbox_limit: usize => usize = 262_144;
        /// How long a session may take nothing of what waits for it before it is closed with 4008 [default: 30s]
        #[arg(env = "SHOPBELL_STALL_TIMEOUT", value_name = "TIME")]
        stall_timeout: HumanDuration => Duration = Duration::from_secs(30);
        /// Send news to endpoints on this machine and on private networks, too
        #[arg(env = "SHOPBELL_ALLOW_PRIVATE_ENDPOINTS", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        allow_private_endpoints: bool => bool = false;
        /// How far back the log of notifications reaches [default: 7d]
        #[arg(env = "SHOPBELL_HISTORY", value_name = "TIME")]
        history: HumanDuration => Duration = Duration::from_hours(7 * 24);
        /// The most notifications that the log keeps [default: 1000000]
        #[arg(env = "SHOPBELL_HISTORY_ROWS", value_name = "N", value_parser = above_zero::<u64>)]
        history_rows: u64 => u64 = 1_000_000;
        /// Where mail goes out: smtps://user:password@host, or smtp://user:password@host with STARTTLS, which a relay on this machine
        /// need not have. Needs --mail-from and --public-url [default: no mail goes out]
        #[arg(env = "SHOPBELL_SMTP_URL", value_name = "URL", hide_env_values = true)]
        smtp_url: Secret => Option<Secret> = None;
        /// File that holds that URL instead
        #[arg(env = "SHOPBELL_SMTP_URL_FILE", value_name = "FILE")]
        smtp_url_file: PathBuf => Option<PathBuf> = None;
        /// Sender of mail: shop@shop.example, or Shop <shop@shop.example>
        #[arg(env = "SHOPBELL_MAIL_FROM", value_name = "ADDRESS")]
        mail_from: String => Option<String> = None;
        /// Time for requests and sessions to end after SIGTERM [default: 10s]
        #[arg(env = "SHOPBELL_DRAIN_TIMEOUT", value_name = "TIME")]
        drain_timeout: HumanDuration => Duration = Duration::from_secs(10);
        /// Folder to serve pages from [default: the pages inside the program]
        #[arg(env = "SHOPBELL_ASSETS", value_name = "FOLDER")]
        assets: PathBuf => Option<PathBuf> = None;
        /// Folder of the pictures that administrators upload; made with the first [default: `media` beside the database]
        #[arg(env = "SHOPBELL_MEDIA", value_name = "FOLDER")]
        media: PathBuf => Option<PathBuf> = None;
        /// Folder with the browser client of Socket.IO (`dist` of the npm package socket.io-client), served at
        /// /socket.io/socket.io.js [default: none]
        #[arg(env = "SHOPBELL_CLIENT_BUNDLE", value_name = "FOLDER")]
        client_bundle: PathBuf => Option<PathBuf> = None;
        /// Content-Security-Policy of the pages [default: a strict one for the pages inside the program, none for --assets]
        #[arg(env = "SHOPBELL_CONTENT_SECURITY_POLICY", value_name = "POLICY")]
        content_security_policy: String => Option<String> = None;
    }
}
