//! A request that wants to become a WebSocket (RFC 6455 §4.2), outside of actix-web: its socket is taken out of the
//! HTTP dispatcher, whose buffers are dropped (DESIGN D5). Who may connect is not decided here.

use std::io;

use actix_codec::Framed;
use actix_http::{
    Request, RequestHead, h1,
    header::{self, HeaderMap, HeaderName, HeaderValue},
    ws,
};
use actix_web::http::StatusCode;
use bytes::BytesMut;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::connection::Watched;
use crate::{limits::admission::Connected, web::problem::Problem};

/// A request with its socket.
pub struct Arrival {
    request: Request,
    socket: TcpStream,
    connected: Option<Connected>,
    already_read: BytesMut,
    /// Answers to requests that were pipelined before this one.
    unwritten: BytesMut,
}

/// What is left of a connection when HTTP is done.
pub struct Taken {
    /// The socket.
    pub socket: TcpStream,
    /// Its place among the connections.
    pub connected: Option<Connected>,
    /// What came right behind the request.
    pub already_read: BytesMut,
}

impl Arrival {
    /// Takes the socket out of HTTP.
    #[must_use]
    pub fn new((request, framed): (Request, Framed<Watched, h1::Codec>)) -> Self {
        let parts = framed.into_parts();
        let (socket, connected) = parts.io.into_inner();
        Self { request, socket, connected, already_read: parts.read_buf, unwritten: parts.write_buf }
    }

    /// Whether there was no room for its connection.
    #[must_use]
    pub fn is_extra(&self) -> bool {
        self.connected.as_ref().is_some_and(Connected::is_extra)
    }

    /// The request.
    #[must_use]
    pub fn head(&self) -> &RequestHead {
        self.request.head()
    }

    /// Answers 101 with some more headers.
    ///
    /// # Errors
    /// The client is gone.
    pub async fn accept(mut self, headers: &[(&str, &str)]) -> io::Result<Taken> {
        let key = self.head().headers().get(header::SEC_WEBSOCKET_KEY);
        let accept = ws::hash_key(key.map(HeaderValue::as_bytes).unwrap_or_default());
        let accept = std::str::from_utf8(&accept).map_err(io::Error::other)?;
        let mut response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n"
        );
        for (name, value) in headers {
            response.push_str(&format!("{name}: {value}\r\n"));
        }
        response.push_str("\r\n");
        self.unwritten.extend_from_slice(response.as_bytes());
        // An alert should not wait for another to fill a segment.
        self.socket.set_nodelay(true)?;
        self.socket.write_all(&self.unwritten).await?;
        Ok(Taken { socket: self.socket, connected: self.connected, already_read: self.already_read })
    }

    /// Answers with something else. The connection ends with it.
    pub async fn refuse(mut self, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
        let reason = status.canonical_reason().unwrap_or("Error");
        let mut response = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16());
        for (name, value) in headers.iter().filter_map(|(name, value)| Some((name, value.to_str().ok()?))) {
            response.push_str(&format!("{name}: {value}\r\n"));
        }
        response.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()));
        self.unwritten.extend_from_slice(response.as_bytes());
        self.unwritten.extend_from_slice(body);
        // A client that is gone needs no answer.
        if self.socket.write_all(&self.unwritten).await.is_ok() {
            drop(self.socket.shutdown().await);
        }
    }
}

/// Checks that a request is a WebSocket handshake (RFC 6455 §4.2.1).
///
/// # Errors
/// It is something else, or of another version.
pub fn check(head: &RequestHead) -> Result<(), Problem> {
    const VERSION: HeaderValue = HeaderValue::from_static("13");
    match ws::verify_handshake(head) {
        Ok(()) => Ok(()),
        Err(ws::HandshakeError::UnsupportedVersion | ws::HandshakeError::NoVersionHeader) => {
            // §4.4: name the version that is spoken.
            Err(upgrade_required().with_header(HeaderName::from_static("sec-websocket-version"), VERSION))
        }
        Err(_) => Err(Problem::new("bad_request", "this is no WebSocket handshake")),
    }
}

/// 426: this address speaks WebSocket only.
#[must_use]
pub fn upgrade_required() -> Problem {
    Problem::of_status(StatusCode::UPGRADE_REQUIRED)
        .with_header(header::UPGRADE, HeaderValue::from_static("websocket"))
}
