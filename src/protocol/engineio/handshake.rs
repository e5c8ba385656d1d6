//! How an Engine.IO session begins: the query of a request, the open packet, the refusals.

use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::Packet;

/// What the server tells the client of a new session ("Handshake"). The test suite expects these keys and no other.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Handshake<'a> {
    /// "The session ID".
    pub sid: &'a str,
    /// "The list of available transport upgrades": websocket for a session that polls, none for one that does not.
    pub upgrades: &'a [Transport],
    /// "The ping interval, used in the heartbeat mechanism", sent in milliseconds.
    #[serde(serialize_with = "milliseconds")]
    pub ping_interval: Duration,
    /// "The ping timeout, used in the heartbeat mechanism", sent in milliseconds.
    #[serde(serialize_with = "milliseconds")]
    pub ping_timeout: Duration,
    /// "The maximum number of bytes per chunk, used by the client to aggregate packets into payloads".
    pub max_payload: usize,
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

impl Handshake<'_> {
    /// Appends the open packet.
    pub fn put(&self, out: &mut String) {
        let json = serde_json::to_string(self).expect("strings and numbers are always JSON");
        Packet::Open(&json).put(out);
    }
}

/// How packets travel. WebTransport, the third of "Transports", is not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// HTTP long-polling.
    Polling,
    /// WebSocket.
    Websocket,
}

/// What the query of a request says ("Query parameters"). `t`, `j` and whatever a page adds are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// "The name of the transport".
    pub transport: Transport,
    /// The session; `None` asks for a new one.
    pub sid: Option<String>,
}

impl Query {
    /// Reads a query string (without its `?`). As in the reference, the last of several values counts and an empty
    /// `sid` is none; unlike there, each request has to name the version and not only the first.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownTransport`], then [`ErrorCode::UnsupportedVersion`]: "if a mandatory query parameter is
    /// missing, then the server MUST respond with an HTTP 400 error status".
    pub fn parse(query: &str) -> Result<Self, ErrorCode> {
        let (mut version, mut transport, mut sid) = (None, None, None);
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "EIO" => version = Some(value),
                "transport" => transport = Some(value),
                "sid" => sid = Some(value),
                _ => {}
            }
        }
        let transport = match transport.as_deref() {
            Some("polling") => Transport::Polling,
            Some("websocket") => Transport::Websocket,
            _ => return Err(ErrorCode::UnknownTransport),
        };
        if version.as_deref() != Some("4") {
            return Err(ErrorCode::UnsupportedVersion);
        }
        let sid = sid.filter(|sid| !sid.is_empty()).map(Into::into);
        Ok(Self { transport, sid })
    }
}

/// Why a request is refused: the codes of the reference server, which its clients report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// 0: a transport that is not offered, or none named.
    #[error("Transport unknown")]
    UnknownTransport,
    /// 1: no such session, or no longer.
    #[error("Session ID unknown")]
    UnknownSession,
    /// 2: a session begins with GET.
    #[error("Bad handshake method")]
    BadHandshakeMethod,
    /// 3: what fits no other code.
    #[error("Bad request")]
    BadRequest,
    /// 4: the server does not want this client.
    #[error("Forbidden")]
    Forbidden,
    /// 5: `EIO` is not 4.
    #[error("Unsupported protocol version")]
    UnsupportedVersion,
}

impl ErrorCode {
    /// What the numbers call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownTransport => "unknown_transport",
            Self::UnknownSession => "unknown_session",
            Self::BadHandshakeMethod => "bad_handshake_method",
            Self::BadRequest => "bad_request",
            Self::Forbidden => "forbidden",
            Self::UnsupportedVersion => "unsupported_version",
        }
    }

    /// The status of the HTTP response.
    #[must_use]
    pub fn http_status(self) -> u16 {
        if self == Self::Forbidden { 403 } else { 400 }
    }

    /// The JSON body of the HTTP response.
    #[must_use]
    pub fn body(self) -> &'static str {
        match self {
            Self::UnknownTransport => r#"{"code":0,"message":"Transport unknown"}"#,
            Self::UnknownSession => r#"{"code":1,"message":"Session ID unknown"}"#,
            Self::BadHandshakeMethod => r#"{"code":2,"message":"Bad handshake method"}"#,
            Self::BadRequest => r#"{"code":3,"message":"Bad request"}"#,
            Self::Forbidden => r#"{"code":4,"message":"Forbidden"}"#,
            Self::UnsupportedVersion => r#"{"code":5,"message":"Unsupported protocol version"}"#,
        }
    }
}
