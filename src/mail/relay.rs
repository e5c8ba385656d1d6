//! The server that takes our mail, spoken to over SMTP (RFC 5321). Other machines are only told anything over TLS: from the first
//! byte with `smtps://`, after STARTTLS (RFC 3207) with `smtp://`.

use std::net::IpAddr;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{authentication::Credentials, extension::ClientId},
};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::letter::Letter;

const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// A relay, and from whom letters are.
pub struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// What we call ourselves.
    name: String,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Relay(…)")
    }
}

/// Why a setting names no relay. One sentence that shows no secret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadRelay(pub &'static str);

/// Why a letter was not taken.
#[derive(Debug)]
pub(super) struct Refusal {
    /// No other attempt will do.
    pub(super) is_final: bool,
    status: Option<u16>,
}

/// Its status alone: what servers say beside it has addresses in it.
impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.status {
            Some(status) => write!(f, "status {status}"),
            None if self.is_final => f.write_str("not a letter that can be written"),
            None => f.write_str("no connection"),
        }
    }
}

impl Relay {
    /// Reads `smtps://user:password@host:465` or `smtp://…:587`, and the sender: `shop@shop.example` or `Shop <shop@shop.example>`.
    /// `name` is what we call ourselves, the host of the public URL.
    ///
    /// # Errors
    /// What is no such URL, and what is no address.
    pub fn new(url: &str, from: &str, name: &str) -> Result<Self, BadRelay> {
        const NO_URL: BadRelay =
            BadRelay("--smtp-url must have the form smtps://user:password@host or smtp://user:password@host");
        let from = from.parse().map_err(|_| {
            BadRelay("--mail-from must be an address: shop@shop.example or Shop <shop@shop.example>")
        })?;
        let url = Url::parse(url).map_err(|_| NO_URL)?;
        let host = host(&url).ok_or(NO_URL)?;
        let builder = match (url.scheme(), is_here(&host)) {
            ("smtps", _) => AsyncSmtpTransport::<Tokio1Executor>::relay(&host).map_err(|_| NO_URL)?,
            ("smtp", false) => {
                AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&host).map_err(|_| NO_URL)?
            }
            // What stays on this machine needs no cipher, and the relay of a machine rarely has a certificate.
            ("smtp", true) => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host),
            _ => return Err(NO_URL),
        };
        let builder = builder.hello_name(ClientId::Domain(name.to_owned()));
        let builder = match url.port() {
            Some(port) => builder.port(port),
            None => builder,
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let builder = match url.password() {
            Some(password) => {
                builder.credentials(Credentials::new(decoded(url.username()), decoded(password)))
            }
            None => builder,
        };
        Ok(Self { transport: builder.build(), from, name: name.to_owned() })
    }

    /// Hands a letter over.
    pub(super) async fn hand_over(&self, letter: &Letter) -> Result<(), Refusal> {
        let unwritable = |_| Refusal { is_final: true, status: None };
        let to: Mailbox = letter.to.as_str().parse().map_err(|_| Refusal { is_final: true, status: None })?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&letter.subject)
            // Filters suspect what has no name, and what answers by itself need not answer this (RFC 3834 §5).
            .message_id(Some(format!("<{:032x}@{}>", rand::random::<u128>(), self.name)))
            .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .map_err(unwritable)?;
        let sent = self.transport.send(message).await;
        sent.map(drop).map_err(|error| Refusal {
            is_final: error.is_permanent(),
            status: error.status().map(u16::from),
        })
    }
}

/// The host, which `url` reads of schemes that it does not know as an opaque text.
fn host(url: &Url) -> Option<String> {
    let text = url.host_str()?;
    // An empty one is none, either.
    Host::parse(text).ok()?;
    Some(text.trim_start_matches('[').trim_end_matches(']').to_owned())
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_named_by_a_url_and_a_sender() {
        let read = |url: &str, from: &str| Relay::new(url, from, "shop.example").map(drop);
        for url in [
            "smtps://shop:p%40ss@mail.example",
            "smtp://shop:secret@mail.example:2525",
            "smtp://127.0.0.1:1025",
            "smtp://localhost",
            "smtp://[::1]:25",
        ] {
            assert!(read(url, "shop@shop.example").is_ok(), "{url}");
        }
        for url in ["", "mail.example", "http://mail.example", "smtp://", "smtp:mail.example", "smtps:///x"] {
            let refused = read(url, "shop@shop.example").unwrap_err().to_string();
            assert!(refused.starts_with("--smtp-url"), "{url}: {refused}");
        }
        assert!(read("smtp://localhost", "The shop <shop@shop.example>").is_ok());
        for from in ["", "shop", "shop@", "<shop@shop.example", "a@b.example, c@d.example"] {
            assert!(
                read("smtp://localhost", from).unwrap_err().to_string().starts_with("--mail-from"),
                "{from}"
            );
        }
    }
}
