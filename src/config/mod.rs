//! The settings: what they are, what they default to, and where a value comes from (flag over variable over file
//! over default). Not how they are used.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

mod bus_url;
mod collector_url;
mod descriptors;
mod files;
mod show;
mod table;
mod values;

pub use bus_url::{BusLogin, BusServer, BusUrl};
pub use collector_url::{CollectorUrl, TracesTarget};
pub use descriptors::raise_limit;
pub use files::readable_by_others;
pub use table::{CommonLayer, ServeLayer, Settings};
pub use values::{Audience, ConfigError, DatabaseUrl, HumanDuration, LogFormat, NicknameStyle, Secret};

use crate::domain::{goods::MAX_STOCK, line::plain_text};
use table::Layers;
use values::{MAX_WORKERS, allowed_origin, origin};

const MIN_PING: Duration = Duration::from_millis(10);
/// With less than this for a share of it, one message of an ordinary size would have no room.
const MIN_BUDGET: usize = 1 << 20;

impl Settings {
    /// Puts the layers together: what the command line and environment leave open, the file says; what that leaves
    /// open has a default.
    ///
    /// # Errors
    /// A file that cannot be read or has an unknown key, and values that cannot be used.
    pub fn resolve(common: CommonLayer, serve: ServeLayer, file: Option<&Path>) -> Result<Self, ConfigError> {
        let layer = file.map(read_file).transpose()?.unwrap_or_default();
        let flags = Layers { common, serve, ..Layers::default() };
        let settings = Self::of(flags, layer).with_collector().with_secrets()?.check()?;
        files::check_assets(&settings, file)?;
        Ok(settings)
    }

    /// The keys of the log-in tokens; the first signs. None when they are the program's to make.
    #[must_use]
    pub fn token_keys(&self) -> Vec<&str> {
        self.jwt_secret.iter().map(|secret| secret.0.as_str()).collect()
    }

    /// The file of a database that is in one.
    #[must_use]
    pub fn database_file(&self) -> Option<PathBuf> {
        files::database_file(&self.database_url)
    }

    /// Where pictures are kept.
    #[must_use]
    pub fn media_folder(&self) -> PathBuf {
        self.media.clone().unwrap_or_else(|| files::beside_database(&self.database_url, "media"))
    }

    /// Where there are other nodes: how many WebSockets may arrive at them whose sessions are here. Each is two open files, that
    /// is a third of `--max-connections` for all.
    #[must_use]
    pub fn tunnels(&self) -> usize {
        if self.bus.is_some() { self.max_connections / 6 } else { 0 }
    }

    /// What OpenTelemetry's own variable says, where ours say nothing.
    fn with_collector(mut self) -> Self {
        if cfg!(feature = "otlp") && self.otlp_endpoint.is_none() {
            let url = std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok();
            self.otlp_endpoint = url.filter(|url| !url.is_empty()).map(CollectorUrl::from);
        }
        self
    }

    /// Reads the secrets that are in files.
    fn with_secrets(mut self) -> Result<Self, ConfigError> {
        if let Some(path) = &self.smtp_url_file {
            if self.smtp_url.is_some() {
                return Err(ConfigError("--smtp-url and --smtp-url-file cannot both be given".into()));
            }
            self.smtp_url = files::secrets("--smtp-url-file", path)?.into_iter().next();
        }
        let Some(path) = &self.jwt_secret_file else { return Ok(self) };
        if !self.jwt_secret.is_empty() {
            return Err(ConfigError("--jwt-secret and --jwt-secret-file cannot both be given".into()));
        }
        self.jwt_secret = files::secrets("--jwt-secret-file", path)?;
        Ok(self)
    }

    /// What no single value shows to be wrong, and what a file may hold that a flag's parser refuses.
    fn check(mut self) -> Result<Self, ConfigError> {
        let refuse = |text: String| Err(ConfigError(text));
        if self.workers == 0 || self.workers > MAX_WORKERS {
            return refuse(format!("--workers must be 1 to {MAX_WORKERS}"));
        }
        let numbers = [
            ("--max-payload", self.max_payload),
            ("--max-body", self.max_body),
            ("--max-head", self.max_head),
            ("--message-rate", self.message_rate as usize),
            ("--outbox-limit", self.outbox_limit),
            ("--max-connections", self.max_connections),
            ("--max-sessions-per-account", self.max_sessions_per_account),
            ("--max-sessions-per-address", self.max_sessions_per_address.unwrap_or(1)),
            ("--max-connections-per-address", self.max_connections_per_address.unwrap_or(1)),
            ("--order-rate", self.order_rate as usize),
            ("--registration-rate", self.registration_rate as usize),
            ("--handshake-rate", self.handshake_rate as usize),
        ];
        if let Some((name, _)) = numbers.iter().find(|(_, number)| *number == 0) {
            return refuse(format!("{name} must be above 0"));
        }
        if self.memory_budget < MIN_BUDGET {
            return refuse(format!("--memory-budget must be at least {MIN_BUDGET}"));
        }
        // Names reach pages that insert them as HTML.
        match self.unnamed_buyer.as_deref().map(|text| plain_text(text, 20)).transpose() {
            Ok(text) => self.unnamed_buyer = text,
            Err(_) => return refuse("--unnamed-buyer must have 1 to 20 characters, without < and >".into()),
        }
        if !(0..=MAX_STOCK).contains(&self.low_stock) {
            return refuse(format!("--low-stock must be a whole number from 0 to {MAX_STOCK}"));
        }
        if self.max_connections > descriptors::connections() {
            return refuse(format!(
                "--max-connections must be at most {}: raise the limit of open files (ulimit -n) for more",
                descriptors::connections()
            ));
        }
        if self.jwt_secret.iter().any(|secret| secret.0.len() < 32) {
            return refuse(
                "--jwt-secret must have at least 32 bytes, each of them if there are several".into(),
            );
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
        if let Some(Err(reason)) = self.bus.as_ref().map(BusUrl::servers) {
            return refuse(format!("--bus {reason}"));
        }
        if let Some(collector) = &self.otlp_endpoint {
            if !cfg!(feature = "otlp") {
                return refuse(
                    "--otlp-endpoint cannot be used: this program was built without OpenTelemetry".into(),
                );
            }
            if let Err(reason) = collector.traces() {
                return refuse(format!("--otlp-endpoint {reason}"));
            }
        }
        if !(0.0..=1.0).contains(&self.otlp_sample) {
            return refuse("--otlp-sample must be 0 to 1".into());
        }
        if self.smtp_url.is_some() && (self.mail_from.is_none() || self.public_url.is_none()) {
            return refuse(
                "--smtp-url needs --mail-from and --public-url: a letter has a sender and a link".into(),
            );
        }
        self.allowed_origin =
            self.allowed_origin.iter().map(|text| allowed_origin(text)).collect::<Result<_, _>>()?;
        Ok(self)
    }
}

fn read_file(path: &Path) -> Result<Layers, ConfigError> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError(format!("--config {name} cannot be read: {error}")))?;
    let file: Layers = toml::from_str(&text).map_err(|error| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shopbell.toml");
        std::fs::write(&path, "addr = \"127.0.0.1:4000\"\nping-interval = \"300ms\"\ncurrency = \"KRW\"\n")
            .unwrap();
        let flags = ServeLayer {
            ping_interval: Some(HumanDuration(Duration::from_secs(1))),
            ..ServeLayer::default()
        };
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
            ("unnamed-buyer = \"<b>\"", "--unnamed-buyer"),
            ("otlp-endpoint = \"grpc://collector\"", "--otlp-endpoint"),
            ("otlp-sample = 1.5", "--otlp-sample"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error =
                Settings::resolve(CommonLayer::default(), ServeLayer::default(), Some(&path)).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            assert_eq!(error.to_string().lines().count(), 1);
        }
    }

    #[test]
    fn the_readme_lists_every_setting() {
        let readme = include_str!("../../README.md");
        let command = <ServeLayer as clap::Args>::augment_args(clap::Command::new("serve"));
        let command = <CommonLayer as clap::Args>::augment_args(command);
        for argument in command.get_arguments() {
            let flag = argument.get_long().unwrap();
            let variable = argument.get_env().unwrap().to_str().unwrap();
            assert!(readme.contains(&format!("`--{flag}`")), "--{flag} is not in the README");
            assert!(readme.contains(&format!("`{variable}`")), "{variable} is not in the README");
        }
    }
}
