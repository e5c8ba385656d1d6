//! How `watch` becomes an administrator: by a token, by a password, or because it can read the shop's database.

use std::{
    cell::Cell,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use url::Url;

use crate::{
    cli::common::{Failure, ask_password, cannot_open},
    clock,
    config::Settings,
    domain::SessionId,
    service::{ServiceError, vouching},
    store::{self, Store},
};

/// Time for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the shop is.
///
/// # Errors
/// It is no `http` or `https` URL.
pub(super) fn shop(given: Option<&str>, addr: SocketAddr) -> Result<Url, Failure> {
    let Some(text) = given else {
        let here = SocketAddr::new(
            Some(addr.ip()).filter(|ip| !ip.is_unspecified()).unwrap_or(LOCALHOST),
            addr.port(),
        );
        return Url::parse(&format!("http://{here}")).map_err(|error| Failure::Usage(error.to_string()));
    };
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| Failure::Usage("--url must be the address of a shop, https://shop.example".into()))
}

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What opens the shop.
pub(super) enum Access {
    /// A token that someone gave.
    Token(String),
    /// A database that vouches for who can read it.
    Database { store: Arc<dyn Store>, keys: Vec<String>, opened: Cell<Option<SessionId>> },
}

impl Access {
    pub(super) fn from_file(file: &Path) -> Result<Self, Failure> {
        let name = file.display();
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::Usage(format!("--token-file {name} cannot be read: {error}")))?;
        match text.trim() {
            "" => Err(Failure::Usage(format!("--token-file {name} is empty"))),
            token => Ok(Self::Token(token.to_owned())),
        }
    }

    /// Logs in; the password is forgotten afterwards.
    pub(super) async fn by_password(shop: &Url, email: &str, from_stdin: bool) -> Result<Self, Failure> {
        let password = ask_password(from_stdin)?;
        let refused = |why: String| Failure::Run(format!("cannot log in at {shop}: {why}"));
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        let client = client.build().map_err(|error| refused(error.to_string()))?;
        let url = shop.join("/api/auth").map_err(|error| refused(error.to_string()))?;
        let body = json!({"email": email, "password": password}).to_string();
        let call = client.post(url).header("Content-Type", "application/json").body(body);
        let answer = call.send().await.map_err(|error| refused(error.without_url().to_string()))?;
        let text = answer.text().await.map_err(|error| refused(error.without_url().to_string()))?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        match answer["token"].as_str() {
            Some(token) => Ok(Self::Token(token.to_owned())),
            None => Err(refused(answer["detail"].as_str().unwrap_or("it is no shopbell").to_owned())),
        }
    }

    /// Whoever can write the database can make themselves an administrator anyway.
    pub(super) async fn by_database(settings: &Settings) -> Result<Self, Failure> {
        if let Some(path) = settings.database_file().filter(|path| !path.is_file()) {
            return Err(Failure::Usage(format!(
                "--database-url: there is no database {}; a shop elsewhere is watched with --url and --email",
                path.display()
            )));
        }
        let store = store::open(&settings.database_url, settings.currency).await;
        let store = store.map_err(|error| cannot_open(&error))?;
        let keys = settings.token_keys().into_iter().map(str::to_owned).collect();
        Ok(Self::Database { store, keys, opened: Cell::default() })
    }

    /// A token that holds now.
    pub(super) async fn token(&self) -> Result<String, Failure> {
        let (store, keys, opened) = match self {
            Self::Token(token) => return Ok(token.clone()),
            Self::Database { store, keys, opened } => (store, keys, opened),
        };
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let vouched = vouching::log_in(&**store, &keys, clock::now()).await;
        let (id, token) = vouched.map_err(|error| match error {
            ServiceError::NotFound => {
                Failure::Run("there is no administrator; shopbell admin create makes one".into())
            }
            error => Failure::Run(error.to_string()),
        })?;
        self.revoke(opened.replace(Some(id))).await;
        Ok(token)
    }

    /// Whether another token can be had when one is refused.
    pub(super) fn renews(&self) -> bool {
        matches!(self, Self::Database { .. })
    }

    /// Ends the log-in that was made for this.
    pub(super) async fn end(&self) {
        if let Self::Database { store, opened, .. } = self {
            self.revoke(opened.take()).await;
            store.close().await;
        }
    }

    async fn revoke(&self, id: Option<SessionId>) {
        if let (Self::Database { store, .. }, Some(id)) = (self, id) {
            // It ends by itself within the hour.
            let _ = store.revoke_session(&id, clock::now()).await;
        }
    }
}
