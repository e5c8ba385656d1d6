//! The HTTP client that talks to systems of others: it resolves names itself, connects to nothing but what it has checked,
//! follows no redirects and reads no more of an answer than was asked for.
//!
//! A URL names a host as an address, in whatever spelling (the parser makes one of `0x7f.1`), or by a name. An address is
//! checked before the request; the addresses of a name are checked by the resolver of the connection itself, so that
//! there is no second look-up whose answer could differ. Proxies of the environment are not used: they would connect to
//! what was not checked.

use std::{
    error::Error,
    fmt, io,
    net::IpAddr,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::{
    Method,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
    redirect,
};
use url::{Host, Url};

use super::address::is_public;

/// How long a connection may take to be there: look-up, TCP and TLS together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long all of it may take, the answer's body included.
pub const TIMEOUT: Duration = Duration::from_secs(15);
/// How long an idle connection is kept for the next request.
const KEPT_IDLE: Duration = Duration::from_secs(30);
/// How many idle connections to one host are kept.
const KEPT_PER_HOST: usize = 2;
/// How many header lines an answer may have.
const MAX_HEADERS: usize = 100;
/// Who is asking.
const USER_AGENT: &str = concat!("shopbell/", env!("CARGO_PKG_VERSION"));

/// Finds the addresses of a name.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// All addresses of a host.
    ///
    /// # Errors
    /// It has none, or nobody says.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
struct System;

#[async_trait]
impl Lookup for System {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|found| found.ip()).collect())
    }
}

/// Which addresses may be connected to.
type Allowed = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// An address that may not be connected to.
#[derive(Debug)]
struct NotPublic(IpAddr);

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not a public address", self.0)
    }
}

impl Error for NotPublic {}

/// The resolver of the connections: what it leaves out cannot be connected to.
struct Checked {
    lookup: Arc<dyn Lookup>,
    allowed: Allowed,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, allowed) = (Arc::clone(&self.lookup), Arc::clone(&self.allowed));
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await?;
            let refused = found.iter().copied().find(|address| !allowed(*address));
            let checked: Vec<_> = found.into_iter().filter(|address| allowed(*address)).collect();
            match (checked.is_empty(), refused) {
                (true, Some(refused)) => Err(NotPublic(refused).into()),
                (true, None) => Err(io::Error::from(io::ErrorKind::NotFound).into()),
                // Port 0 is replaced by that of the URL.
                (false, _) => {
                    Ok(Box::new(checked.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
                }
            }
        })
    }
}

/// A request to another system.
#[derive(Debug)]
pub struct Request {
    /// GET or POST.
    pub method: Method,
    /// Where to; `http` or `https`.
    pub url: Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; empty for none.
    pub body: Bytes,
    /// How many bytes of the answer's body are wanted. The rest is not read.
    pub wanted: usize,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Its status; a redirect is one like any other.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// The beginning of its body.
    pub body: Vec<u8>,
    /// Whether that is all of it: it did not end early and was not longer than wanted.
    pub is_complete: bool,
}

/// Why nothing came back. Its text is a sentence for an administrator, without addresses' credentials.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The host is, or has only, addresses that may not be connected to.
    #[error("{0} is not a public address; --allow-private-endpoints permits it")]
    NotPublic(IpAddr),
    /// It took too long.
    #[error("there was no answer in time")]
    Timeout,
    /// TLS cannot be set up: the system has no roots to trust.
    #[error("this server cannot use TLS: {0}")]
    Tls(String),
    /// There was no connection: name, TCP or TLS.
    #[error("there is no connection: {0}")]
    Connect(String),
    /// The connection broke, or what came is not HTTP.
    #[error("there was no answer: {0}")]
    Broken(String),
}

/// Talks to other systems. Copies share their connections.
#[derive(Clone)]
pub struct Client {
    /// Made when it is first needed: it holds the system's certificates, some megabytes.
    http: Arc<OnceLock<reqwest::Client>>,
    lookup: Arc<dyn Lookup>,
    allowed: Allowed,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client(…)")
    }
}

impl Client {
    /// With the system's resolver, to public addresses only unless others are allowed.
    #[must_use]
    pub fn new(allow_private: bool) -> Self {
        Self::with(Arc::new(System), move |address| allow_private || is_public(address))
    }

    /// With another resolver and another judgment of addresses.
    pub fn with(lookup: Arc<dyn Lookup>, allowed: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self { http: Arc::default(), lookup, allowed: Arc::new(allowed) }
    }

    fn http(&self) -> Result<&reqwest::Client, SendError> {
        if let Some(made) = self.http.get() {
            return Ok(made);
        }
        let (lookup, allowed) = (Arc::clone(&self.lookup), Arc::clone(&self.allowed));
        let made = reqwest::Client::builder()
            .dns_resolver(Arc::new(Checked { lookup, allowed }))
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .http1_only()
            .http1_max_headers(MAX_HEADERS)
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .pool_idle_timeout(KEPT_IDLE)
            .pool_max_idle_per_host(KEPT_PER_HOST)
            .user_agent(USER_AGENT)
            .build()
            .map_err(|error| SendError::Tls(cause(&error).to_string()))?;
        Ok(self.http.get_or_init(|| made))
    }

    /// Sends a request and reads as much of the answer as is wanted.
    ///
    /// # Errors
    /// There was no answer. One whose body breaks off or does not end in time is an answer.
    pub async fn send(&self, request: Request) -> Result<Answer, SendError> {
        if let Some(address) = literal(&request.url)
            && !(self.allowed)(address)
        {
            return Err(SendError::NotPublic(address));
        }
        let sent = self.http()?.request(request.method, request.url).headers(request.headers);
        let sent = if request.body.is_empty() { sent } else { sent.body(request.body) };
        let mut response = sent.send().await.map_err(|error| SendError::of(&error))?;
        let mut answer = Answer {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body: Vec::new(),
            is_complete: false,
        };
        while let Ok(chunk) = response.chunk().await {
            let Some(chunk) = chunk else {
                answer.is_complete = true;
                break;
            };
            let room = request.wanted - answer.body.len();
            answer.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                break;
            }
        }
        // A body that was not read to its end takes its connection along when it is dropped.
        Ok(answer)
    }
}

impl SendError {
    fn of(error: &reqwest::Error) -> Self {
        let cause = cause(error);
        if let Some(NotPublic(address)) = cause.downcast_ref() {
            Self::NotPublic(*address)
        } else if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            Self::Connect(cause.to_string())
        } else {
            Self::Broken(cause.to_string())
        }
    }
}

/// The first cause; the errors above it repeat the URL.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause
}

/// The address that a URL names without a name.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// The header of a request by someone with a password (RFC 7617), marked so that it is not shown.
#[must_use]
pub fn basic_auth(user: &str, password: &str) -> (reqwest::header::HeaderName, HeaderValue) {
    let text = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    // Base64 is always a header's value.
    let mut value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    (AUTHORIZATION, value)
}
