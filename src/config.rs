//! The settings: what they are, what they default to, and where a value comes from (flag over variable over file
//! over default). Not how they are used.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use crate::domain::{Currency, NicknameDisplay};

/// A setting that cannot be used. Its text is one sentence that names the setting.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// A length of time as people write it: `300ms`, `25s`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match humantime::parse_duration(text) {
            Ok(duration) if !duration.is_zero() => Ok(Self(duration)),
            _ => Err(format!("{text:?} is not a length of time such as 300ms, 25s or 7d")),
        }
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // "7days" and "25s" read back as the same; humantime puts blanks between several units.
        humantime::format_duration(self.0).fmt(f)
    }
}

/// Text that is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Who receives alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// Logged-in sessions only.
    #[default]
    Members,
    /// Guests too.
    Everyone,
}

/// How nicknames appear in alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Nicknames {
    /// As they are.
    #[default]
    Full,
    /// `k**`.
    Masked,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The settings that every subcommand takes.
#[derive(Clone, Debug, Default, Deserialize, clap::Args)]
#[serde(rename_all = "kebab-case", default)]
pub struct CommonLayer {
    /// The database; created and migrated at start [default: sqlite://shopbell.db]
    #[arg(long, env = "DATABASE_URL", value_name = "URL")]
    pub database_url: Option<String>,
    /// ISO 4217 code of the prices; a price with more decimals than it has is refused [default: USD]
    #[arg(long, env = "SHOPBELL_CURRENCY", value_name = "CODE")]
    #[serde(deserialize_with = "from_text")]
    pub currency: Option<Currency>,
    /// How log lines are written [default: text]
    #[arg(long, env = "SHOPBELL_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// The settings of `serve` as one source gives them: the command line with the environment, or the file.
#[derive(Clone, Debug, Default, Deserialize, clap::Args)]
#[serde(rename_all = "kebab-case", default)]
pub struct ServeLayer {
    /// Where to listen; port 0 takes any free one [default: 127.0.0.1:3000]
    #[arg(long, env = "SHOPBELL_ADDR", value_name = "IP:PORT")]
    pub addr: Option<SocketAddr>,
    /// Threads that serve connections [default: number of cores]
    #[arg(long, env = "SHOPBELL_WORKERS", value_name = "N", value_parser = workers)]
    pub workers: Option<usize>,
    /// Fill an empty database with a sample catalogue, one shopper and one admin
    #[arg(long, env = "SHOPBELL_DEMO", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub demo: Option<bool>,
    /// Key of the log-in tokens, at least 32 bytes [default: made at the first start, kept in the database]
    #[arg(long, env = "SHOPBELL_JWT_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub jwt_secret: Option<Secret>,
    /// How long a log-in holds [default: 7d]
    #[arg(long, env = "SHOPBELL_TOKEN_TTL", value_name = "TIME")]
    pub token_ttl: Option<Span>,
    /// What browsers call the site (behind a TLS proxy): decides same-origin and the cookie's `Secure`
    #[arg(long, env = "SHOPBELL_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Address of a proxy whose X-Forwarded-For and -Proto are believed (repeatable)
    #[arg(long, env = "SHOPBELL_TRUSTED_PROXIES", value_name = "IP", value_delimiter = ',')]
    pub trusted_proxy: Option<Vec<IpAddr>>,
    /// Another origin whose pages may call (repeatable); `*` allows all, without credentials [default: same origin]
    #[arg(long, env = "SHOPBELL_ALLOWED_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub allowed_origin: Option<Vec<String>>,
    /// Who receives alerts [default: members]
    #[arg(long, env = "SHOPBELL_AUDIENCE", value_name = "WHO")]
    pub audience: Option<Audience>,
    /// Let guests chat
    #[arg(long, env = "SHOPBELL_GUEST_CHAT", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub guest_chat: Option<bool>,
    /// How nicknames appear in alerts [default: full]
    #[arg(long, env = "SHOPBELL_NICKNAME_DISPLAY", value_name = "HOW")]
    pub nickname_display: Option<Nicknames>,
    /// Time between two heartbeats of a session [default: 25s]
    #[arg(long, env = "SHOPBELL_PING_INTERVAL", value_name = "TIME")]
    pub ping_interval: Option<Span>,
    /// Time for the answer to a heartbeat [default: 20s]
    #[arg(long, env = "SHOPBELL_PING_TIMEOUT", value_name = "TIME")]
    pub ping_timeout: Option<Span>,
    /// Largest socket message or poll, in bytes [default: 1000000]
    #[arg(long, env = "SHOPBELL_MAX_PAYLOAD", value_name = "BYTES", value_parser = bytes)]
    pub max_payload: Option<usize>,
    /// Largest HTTP body, in bytes [default: 65536]
    #[arg(long, env = "SHOPBELL_MAX_BODY", value_name = "BYTES", value_parser = bytes)]
    pub max_body: Option<usize>,
    /// Messages a second that a session may send before it is closed with 4029 [default: 2000]
    #[arg(long, env = "SHOPBELL_MESSAGE_RATE", value_name = "N", value_parser = rate)]
    pub message_rate: Option<u32>,
    /// Bytes that may wait for a session that does not read before it is fed from the log instead [default: 262144]
    #[arg(long, env = "SHOPBELL_OUTBOX_LIMIT", value_name = "BYTES", value_parser = bytes)]
    pub outbox_limit: Option<usize>,
    /// How long a session may take nothing of what waits for it before it is closed with 4008 [default: 30s]
    #[arg(long, env = "SHOPBELL_STALL_TIMEOUT", value_name = "TIME")]
    pub stall_timeout: Option<Span>,
    /// How far back the log of notifications reaches [default: 7d]
    #[arg(long, env = "SHOPBELL_HISTORY", value_name = "TIME")]
    pub history: Option<Span>,
    /// The most notifications that the log keeps [default: 1000000]
    #[arg(long, env = "SHOPBELL_HISTORY_ROWS", value_name = "N", value_parser = rows)]
    pub history_rows: Option<u64>,
    /// Time for requests and sessions to end after SIGTERM [default: 10s]
    #[arg(long, env = "SHOPBELL_DRAIN_TIMEOUT", value_name = "TIME")]
    pub drain_timeout: Option<Span>,
    /// Folder to serve pages from [default: the pages inside the program]
    #[arg(long, env = "SHOPBELL_ASSETS", value_name = "FOLDER")]
    pub assets: Option<PathBuf>,
    /// Folder with the browser client of Socket.IO (`dist` of the npm package socket.io-client), served at
    /// /socket.io/socket.io.js [default: none]
    #[arg(long, env = "SHOPBELL_CLIENT_BUNDLE", value_name = "FOLDER")]
    pub client_bundle: Option<PathBuf>,
    /// Content-Security-Policy of the pages [default: a strict one for the pages inside the program, none for --assets]
    #[arg(long, env = "SHOPBELL_CONTENT_SECURITY_POLICY", value_name = "POLICY")]
    pub content_security_policy: Option<String>,
}

/// The settings in force.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is documented once, where its flag is: ServeLayer and CommonLayer")]
pub struct Settings {
    pub addr: SocketAddr,
    pub database_url: String,
    pub workers: usize,
    pub demo: bool,
    pub jwt_secret: Option<Secret>,
    pub token_ttl: Duration,
    pub public_url: Option<String>,
    pub trusted_proxies: Vec<IpAddr>,
    pub allowed_origins: Vec<String>,
    pub currency: Currency,
    pub audience: Audience,
    pub guest_chat: bool,
    pub nickname_display: NicknameDisplay,
    pub ping_interval: Duration,
    pub ping_timeout: Duration,
    pub max_payload: usize,
    pub max_body: usize,
    pub message_rate: u32,
    pub outbox_limit: usize,
    pub stall_timeout: Duration,
    pub history: Duration,
    pub history_rows: u64,
    pub drain_timeout: Duration,
    pub assets: Option<PathBuf>,
    pub client_bundle: Option<PathBuf>,
    pub content_security_policy: Option<String>,
    pub log_format: LogFormat,
}

/// The keys of the file: the long flags' names.
#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(flatten)]
    common: CommonLayer,
    #[serde(flatten)]
    serve: ServeLayer,
    #[serde(flatten)]
    unknown: std::collections::BTreeMap<String, toml::Value>,
}

impl Settings {
    /// Puts the layers together: what the command line and environment leave open, the file says; what that leaves
    /// open has a default.
    ///
    /// # Errors
    /// A file that cannot be read or has an unknown key, and values that cannot be used.
    pub fn resolve(common: CommonLayer, serve: ServeLayer, file: Option<&Path>) -> Result<Self, ConfigError> {
        let file = file.map(read_file).transpose()?.unwrap_or_default();
        let settings = Self {
            addr: serve.addr.or(file.serve.addr).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 3000))),
            database_url: common
                .database_url
                .or(file.common.database_url)
                .unwrap_or_else(|| "sqlite://shopbell.db".to_owned()),
            workers: serve
                .workers
                .or(file.serve.workers)
                .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
            demo: serve.demo.or(file.serve.demo).unwrap_or_default(),
            jwt_secret: serve.jwt_secret.or(file.serve.jwt_secret),
            token_ttl: span(serve.token_ttl, file.serve.token_ttl, Duration::from_hours(7 * 24)),
            public_url: serve.public_url.or(file.serve.public_url),
            trusted_proxies: serve.trusted_proxy.or(file.serve.trusted_proxy).unwrap_or_default(),
            allowed_origins: serve.allowed_origin.or(file.serve.allowed_origin).unwrap_or_default(),
            currency: match common.currency.or(file.common.currency) {
                Some(currency) => currency,
                None => "USD".parse().map_err(ConfigError)?,
            },
            audience: serve.audience.or(file.serve.audience).unwrap_or_default(),
            guest_chat: serve.guest_chat.or(file.serve.guest_chat).unwrap_or_default(),
            nickname_display: match serve.nickname_display.or(file.serve.nickname_display).unwrap_or_default()
            {
                Nicknames::Full => NicknameDisplay::Full,
                Nicknames::Masked => NicknameDisplay::Masked,
            },
            ping_interval: span(serve.ping_interval, file.serve.ping_interval, Duration::from_secs(25)),
            ping_timeout: span(serve.ping_timeout, file.serve.ping_timeout, Duration::from_secs(20)),
            max_payload: serve.max_payload.or(file.serve.max_payload).unwrap_or(1_000_000),
            max_body: serve.max_body.or(file.serve.max_body).unwrap_or(65_536),
            message_rate: serve.message_rate.or(file.serve.message_rate).unwrap_or(2000),
            outbox_limit: serve.outbox_limit.or(file.serve.outbox_limit).unwrap_or(256 * 1024),
            stall_timeout: span(serve.stall_timeout, file.serve.stall_timeout, Duration::from_secs(30)),
            history: span(serve.history, file.serve.history, Duration::from_hours(7 * 24)),
            history_rows: serve.history_rows.or(file.serve.history_rows).unwrap_or(1_000_000),
            drain_timeout: span(serve.drain_timeout, file.serve.drain_timeout, Duration::from_secs(10)),
            assets: serve.assets.or(file.serve.assets),
            client_bundle: serve.client_bundle.or(file.serve.client_bundle),
            content_security_policy: serve.content_security_policy.or(file.serve.content_security_policy),
            log_format: common.log_format.or(file.common.log_format).unwrap_or_default(),
        };
        settings.check()
    }

    /// What no single value shows to be wrong, and what a file may hold that a flag's parser refuses.
    fn check(mut self) -> Result<Self, ConfigError> {
        let refuse = |text: String| Err(ConfigError(text));
        if self.workers == 0 || self.workers > MAX_WORKERS {
            return refuse(format!("--workers must be 1 to {MAX_WORKERS}"));
        }
        if self.max_payload == 0 || self.max_body == 0 || self.outbox_limit == 0 || self.message_rate == 0 {
            return refuse(
                "--max-payload, --max-body, --outbox-limit and --message-rate must be above 0".into(),
            );
        }
        if self.jwt_secret.as_ref().is_some_and(|secret| secret.0.len() < 32) {
            return refuse("--jwt-secret must have at least 32 bytes".into());
        }
        if self.ping_interval < MIN_PING || self.ping_timeout < MIN_PING {
            return refuse("--ping-interval and --ping-timeout must be at least 10ms".into());
        }
        for (name, folder) in [("--assets", &self.assets), ("--client-bundle", &self.client_bundle)] {
            if let Some(folder) = folder.as_ref().filter(|folder| !folder.is_dir()) {
                return refuse(format!("{name} {} is not a folder", folder.display()));
            }
        }
        if let Some(url) = &self.public_url {
            self.public_url = Some(origin("--public-url", url)?);
        }
        self.allowed_origins = self
            .allowed_origins
            .iter()
            .map(|text| if text == "*" { Ok(text.clone()) } else { origin("--allowed-origin", text) })
            .collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// The settings in force, one `name = value` a line, secrets hidden: what `shopbell config` prints.
    #[must_use]
    pub fn show(&self) -> String {
        let text = |text: &str| format!("{text:?}");
        let option =
            |value: Option<String>| value.map_or_else(|| "(none)".to_owned(), |value| format!("{value:?}"));
        let list = |values: Vec<String>| format!("{values:?}");
        let time = |duration: Duration| format!("\"{}\"", Span(duration));
        let lines = [
            ("addr", text(&self.addr.to_string())),
            ("database-url", text(&self.database_url)),
            ("workers", self.workers.to_string()),
            ("demo", self.demo.to_string()),
            (
                "jwt-secret",
                if self.jwt_secret.is_some() { "(hidden)".into() } else { "(kept in the database)".into() },
            ),
            ("token-ttl", time(self.token_ttl)),
            ("public-url", option(self.public_url.clone())),
            ("trusted-proxy", list(self.trusted_proxies.iter().map(ToString::to_string).collect())),
            ("allowed-origin", list(self.allowed_origins.clone())),
            ("currency", text(self.currency.code())),
            ("audience", text(if self.audience == Audience::Members { "members" } else { "everyone" })),
            ("guest-chat", self.guest_chat.to_string()),
            (
                "nickname-display",
                text(if self.nickname_display == NicknameDisplay::Full { "full" } else { "masked" }),
            ),
            ("ping-interval", time(self.ping_interval)),
            ("ping-timeout", time(self.ping_timeout)),
            ("max-payload", self.max_payload.to_string()),
            ("max-body", self.max_body.to_string()),
            ("message-rate", self.message_rate.to_string()),
            ("outbox-limit", self.outbox_limit.to_string()),
            ("stall-timeout", time(self.stall_timeout)),
            ("history", time(self.history)),
            ("history-rows", self.history_rows.to_string()),
            ("drain-timeout", time(self.drain_timeout)),
            ("assets", option(self.assets.as_ref().map(|folder| folder.display().to_string()))),
            ("client-bundle", option(self.client_bundle.as_ref().map(|folder| folder.display().to_string()))),
            ("content-security-policy", option(self.content_security_policy.clone())),
            ("log-format", text(if self.log_format == LogFormat::Text { "text" } else { "json" })),
        ];
        lines.map(|(name, value)| format!("{name} = {value}\n")).concat()
    }
}

const MAX_WORKERS: usize = 256;
const MIN_PING: Duration = Duration::from_millis(10);

fn span(first: Option<Span>, second: Option<Span>, default: Duration) -> Duration {
    first.or(second).map_or(default, |span| span.0)
}

fn read_file(path: &Path) -> Result<File, ConfigError> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError(format!("--config {name} cannot be read: {error}")))?;
    let file: File = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        ConfigError(format!(
            "--config {name}, line {line}: {}",
            error.message().lines().next().unwrap_or_default()
        ))
    })?;
    match file.unknown.keys().next() {
        None => Ok(file),
        Some(key) => Err(ConfigError(format!("--config {name}: there is no setting {key:?}"))),
    }
}

/// The origin (RFC 6454 §6.2) of a URL: scheme, host and port, in lower case, without a default port.
fn origin(setting: &str, url: &str) -> Result<String, ConfigError> {
    let bad = || ConfigError(format!("{setting} {url:?} is not a URL such as https://shop.example"));
    let lower = url.trim_end_matches('/').to_ascii_lowercase();
    let (scheme, host) = lower.split_once("://").ok_or_else(bad)?;
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return Err(bad()),
    };
    let host = host.strip_suffix(default_port).unwrap_or(host);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if host.is_empty() || !host.chars().all(plain) {
        return Err(bad());
    }
    Ok(format!("{scheme}://{host}"))
}

fn workers(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=MAX_WORKERS).contains(n)).ok_or(format!("must be 1 to {MAX_WORKERS}"))
}

fn bytes(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "must be a number of bytes above 0".into())
}

fn rows(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "must be a whole number above 0".into())
}

fn rate(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "must be a whole number above 0".into())
}

fn from_text<'de, D: serde::Deserializer<'de>, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: std::str::FromStr<Err = String>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shopbell.toml");
        std::fs::write(&path, "addr = \"127.0.0.1:4000\"\nping-interval = \"300ms\"\ncurrency = \"KRW\"\n")
            .unwrap();
        let flags = ServeLayer { ping_interval: Some(Span(Duration::from_secs(1))), ..ServeLayer::default() };
        let settings = Settings::resolve(CommonLayer::default(), flags, Some(&path)).unwrap();
        assert_eq!(settings.addr.port(), 4000);
        assert_eq!(settings.ping_interval, Duration::from_secs(1));
        assert_eq!(settings.currency.code(), "KRW");
        assert_eq!(settings.ping_timeout, Duration::from_secs(20));
    }

    #[test]
    fn a_bad_setting_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shopbell.toml");
        for (text, name) in [
            ("adress = 1", "adress"),
            ("currency = \"XXY\"", "XXY"),
            ("ping-interval = \"soon\"", "soon"),
            ("public-url = \"shop.example\"", "--public-url"),
            ("jwt-secret = \"short\"", "--jwt-secret"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error =
                Settings::resolve(CommonLayer::default(), ServeLayer::default(), Some(&path)).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            assert_eq!(error.to_string().lines().count(), 1);
        }
    }

    #[test]
    fn an_origin_has_no_default_port_and_no_path() {
        assert_eq!(origin("x", "HTTPS://Shop.example:443/").unwrap(), "https://shop.example");
        assert_eq!(origin("x", "http://127.0.0.1:3000").unwrap(), "http://127.0.0.1:3000");
        assert!(origin("x", "https://shop.example/path").is_err());
    }
}
