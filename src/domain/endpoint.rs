//! Endpoints: systems of others that are told news, and of what kind.

use std::fmt;

use url::Url;

use super::{EndpointId, Invalid, Timestamp};

/// The most characters of an endpoint's URL.
const MAX_URL: usize = 2000;

/// Where an endpoint is: an `http` or `https` URL without credentials and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointUrl(Url);

impl EndpointUrl {
    /// Reads it as browsers do (WHATWG), so that what is kept is what is connected to.
    ///
    /// # Errors
    /// No such URL, or one of more than 2000 characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const BAD: Invalid =
            Invalid::new("invalid", "url is an http or https URL such as https://shop.example/hook");
        if text.chars().count() > MAX_URL {
            return Err(Invalid::new("too_long", "url has at most 2000 characters"));
        }
        let url = Url::parse(text.trim()).map_err(|_| BAD)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(BAD);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Invalid::new("invalid", "url must not hold credentials"));
        }
        if url.fragment().is_some() {
            return Err(Invalid::new("invalid", "url must not have a fragment"));
        }
        if url.as_str().len() > MAX_URL {
            return Err(Invalid::new("too_long", "url has at most 2000 characters"));
        }
        Ok(Self(url))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The URL itself.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }
}

/// A kind of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// An order was placed.
    OrderPlaced,
    /// An order was canceled.
    OrderCanceled,
    /// Goods were made, changed or taken off sale by hand; not what orders take.
    GoodsUpdated,
    /// A stock fell to the threshold or below it.
    StockLow,
}

impl Topic {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::OrderPlaced, Self::OrderCanceled, Self::GoodsUpdated, Self::StockLow];

    /// Its name, as a body's `type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderPlaced => "order.placed",
            Self::OrderCanceled => "order.canceled",
            Self::GoodsUpdated => "goods.updated",
            Self::StockLow => "stock.low",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

/// The kinds of news that an endpoint is told: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics(Vec<Topic>);

impl Topics {
    /// Reads names with commas between them.
    ///
    /// # Errors
    /// None, or a name that is no kind's.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const BAD: Invalid = Invalid::new(
            "invalid",
            "events is a list of order.placed, order.canceled, goods.updated and stock.low",
        );
        let mut topics =
            text.split(',').map(|name| Topic::of(name.trim()).ok_or(BAD)).collect::<Result<Vec<_>, _>>()?;
        topics.sort_unstable();
        topics.dedup();
        Ok(Self(topics))
    }

    /// Whether a kind is among them.
    #[must_use]
    pub fn contains(&self, topic: Topic) -> bool {
        self.0.contains(&topic)
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|topic| topic.name()).collect()
    }
}

impl fmt::Display for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(","))
    }
}

/// A place in all news: behind an order event and behind a goods event. Goods events lie between order events, each
/// behind the newest one that there was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The order event.
    pub orders: i64,
    /// The goods event.
    pub goods: i64,
}

/// Why an endpoint is told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisabledBy {
    /// An administrator switched it off.
    Hand,
    /// It answered 410: it is gone.
    Gone,
    /// It has failed for five days.
    Failing,
}

impl DisabledBy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hand, Self::Gone, Self::Failing];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    /// The reason of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// The key that an endpoint's deliveries are signed with: `whsec_` and the base64 of 32 random bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointSecret(String);

impl EndpointSecret {
    /// One that was written as text before.
    #[must_use]
    pub fn trusted(text: String) -> Self {
        Self(text)
    }

    /// Its text, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EndpointSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// An endpoint to make.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// Where it is.
    pub url: EndpointUrl,
    /// What it is told.
    pub topics: Topics,
    /// What its deliveries are signed with.
    pub secret: EndpointSecret,
}

/// What changes about an endpoint; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct EndpointPatch {
    /// Where it is now.
    pub url: Option<EndpointUrl>,
    /// What it is told from now on.
    pub topics: Option<Topics>,
    /// Whether it is told anything.
    pub enabled: Option<bool>,
}

/// An endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its number.
    pub endpoint_id: EndpointId,
    /// Where it is.
    pub url: EndpointUrl,
    /// What it is told.
    pub topics: Topics,
    /// What its deliveries are signed with.
    pub secret: EndpointSecret,
    /// The one before, with which they are signed too until a moment.
    pub old_secret: Option<(EndpointSecret, Timestamp)>,
    /// Since when it is told nothing, and why.
    pub disabled: Option<(Timestamp, DisabledBy)>,
    /// Since when all has failed.
    pub failing_since: Option<Timestamp>,
    /// What lies before was told, waits for its retry, or was given up.
    pub place: Place,
    /// How many events the log lost before they could be told.
    pub lost: i64,
    /// Counts its replays: a cursor that was reached before one is none after it.
    pub generation: i64,
    /// Counts all that administrators did to it.
    pub revision: i64,
    /// Since when there is one.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_http_and_holds_no_secrets() {
        for (text, kept) in [
            ("https://Shop.example/hook?a=1", "https://shop.example/hook?a=1"),
            ("http://0x7f.1:8080", "http://127.0.0.1:8080/"),
            (" https://상점.example/ ", "https://xn--hg4bs7k.example/"),
        ] {
            let parsed = EndpointUrl::parse(text).unwrap();
            assert_eq!(parsed.as_str(), kept);
            assert_eq!(EndpointUrl::parse(kept), Ok(parsed));
        }
        let long = format!("https://shop.example/{}", "x".repeat(2000));
        let grows = format!("https://shop.example/{}", "물".repeat(1000));
        for bad in [
            "",
            "shop.example",
            "ftp://shop.example",
            "file:///etc/passwd",
            "javascript:1",
            "https://",
            "https://u@shop.example",
            "https://u:p@shop.example",
            "https://:p@shop.example",
            "https://shop.example/#x",
            "https://shop.example/#",
            "https://a b/",
            "unix:/x",
            &long,
            &grows,
        ] {
            assert!(EndpointUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn topics_are_a_set_of_names() {
        let topics = Topics::parse("stock.low, order.placed,stock.low").unwrap();
        assert_eq!(topics.to_string(), "order.placed,stock.low");
        assert!(topics.contains(Topic::StockLow) && !topics.contains(Topic::OrderCanceled));
        for bad in ["", ",", "order.placed,", "order.*", "ORDER.PLACED"] {
            assert!(Topics::parse(bad).is_err(), "{bad}");
        }
    }
}
