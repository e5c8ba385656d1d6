//! A WooCommerce shop over REST: one page of orders, and what was wrong if there is none.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    Method,
    header::{DATE, HeaderMap, LOCATION, RETRY_AFTER},
};
use url::{Host, Url};

use super::plan::{PER_PAGE, Window};
use crate::{
    domain::Timestamp,
    hooks::{self, PagedOrder},
    webhooks::client::{Answer, Client, Request, basic_auth},
};

/// The most bytes of a page: 160 KB for each order.
const MAX_PAGE_BYTES: usize = 4_000_000;

/// Where a shop is and how it is asked. What works is remembered for the next page.
pub(super) struct Shop {
    base: Url,
    user: String,
    password: String,
    /// Without "pretty permalinks" there is no `/wp-json`.
    plain_links: bool,
    /// Some servers keep `Authorization` from PHP; WooCommerce takes the key in the query then, over TLS.
    key_in_query: bool,
}

/// A page of orders.
pub(super) struct Page {
    pub(super) orders: Vec<PagedOrder>,
    /// The shop's clock when it answered.
    pub(super) time: Option<Timestamp>,
    /// Whether there may be more.
    pub(super) is_full: bool,
}

/// Why there is no page: a sentence for an administrator, without the key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) why: String,
    /// How long the shop asks to be left alone.
    pub(super) retry_after: Option<Duration>,
}

impl Failure {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), retry_after: None }
    }
}

impl Shop {
    /// Reads the address of a shop and its key, `ck_…:cs_…`.
    pub(super) fn parse(url: &str, key: &str) -> Result<Self, Failure> {
        let mut base = Url::parse(url).map_err(|_| Failure::new("--poll-url is not a URL"))?;
        base.set_query(None);
        base.set_fragment(None);
        let here = match base.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if !(base.scheme() == "https" || base.scheme() == "http" && here) {
            return Err(Failure::new("--poll-url is not https, and a key is told to nobody in between"));
        }
        let (user, password) =
            key.split_once(':').ok_or(Failure::new("--poll-key is not ck_…:cs_…, the key and its secret"))?;
        let (user, password) = (user.to_owned(), password.to_owned());
        Ok(Self { base, user, password, plain_links: false, key_in_query: false })
    }

    /// Asks for a page of the orders that changed in a window.
    pub(super) async fn page(
        &mut self,
        client: &Client,
        window: Window,
        page: usize,
    ) -> Result<Page, Failure> {
        loop {
            let answer = self.ask(client, window, page).await?;
            match answer.status {
                200 => return read(&answer),
                // Each is tried once: afterwards it is set.
                401 if !self.key_in_query => self.key_in_query = true,
                404 if !self.plain_links => self.plain_links = true,
                _ => return Err(refused(&answer)),
            }
        }
    }

    async fn ask(&self, client: &Client, window: Window, page: usize) -> Result<Answer, Failure> {
        let mut headers = HeaderMap::new();
        if !self.key_in_query {
            let (name, value) = basic_auth(&self.user, &self.password);
            headers.insert(name, value);
        }
        let url = self.address(window, page);
        let request =
            Request { method: Method::GET, url, headers, body: Bytes::new(), wanted: MAX_PAGE_BYTES };
        client.send(request).await.map_err(|error| Failure::new(error.to_string()))
    }

    fn address(&self, window: Window, page: usize) -> Url {
        let mut url = self.base.clone();
        let folder = url.path().trim_end_matches('/').trim_end_matches("/wp-json").to_owned();
        let mut query = window.query(page);
        if self.plain_links {
            url.set_path(&format!("{folder}/"));
            query.push(("rest_route", "/wc/v3/orders".to_owned()));
        } else {
            url.set_path(&format!("{folder}/wp-json/wc/v3/orders"));
        }
        url.query_pairs_mut().extend_pairs(query);
        if self.key_in_query {
            let key = [("consumer_key", &self.user), ("consumer_secret", &self.password)];
            url.query_pairs_mut().extend_pairs(key);
        }
        url
    }
}

fn read(answer: &Answer) -> Result<Page, Failure> {
    if !answer.is_complete {
        return Err(Failure::new("the page of orders broke off, or is larger than 4 MB"));
    }
    let orders = hooks::paged_orders(&answer.body)
        .map_err(|refusal| Failure::new(format!("what the shop answered is no page of orders: {refusal}")))?;
    let is_full = orders.len() >= PER_PAGE;
    Ok(Page { orders, time: date(&answer.headers), is_full })
}

fn refused(answer: &Answer) -> Failure {
    let why = match answer.status {
        status @ 300..=399 => {
            let target = answer.headers.get(LOCATION).and_then(|target| target.to_str().ok());
            let host = target.and_then(|target| Url::parse(target).ok()?.host_str().map(str::to_owned));
            let to = host.map(|host| format!(" to {host}")).unwrap_or_default();
            format!(
                "the shop redirects{to} ({status}), which is not followed: --poll-url is its final address"
            )
        }
        status @ (401 | 403) => {
            format!("the shop does not take the key ({status}): it needs the right to read")
        }
        404 => "there is no WooCommerce REST API at --poll-url (404)".to_owned(),
        429 => "the shop asks to be read less often (429)".to_owned(),
        status => format!("the shop answered {status}"),
    };
    Failure { why, retry_after: retry_after(&answer.headers) }
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    let moment = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some(Timestamp::from_millis(moment.timestamp_millis()))
}

/// In seconds; a date is left to the usual pause.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
