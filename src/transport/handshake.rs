//! A request that wants to become a WebSocket (RFC 6455 §4.2), outside of actix-web: its socket is taken out of the
//! HTTP dispatcher, whose buffers are dropped (docs/design/0005-websockets-leave-http.md). Who may connect is not
//! decided here.

use std::io;

use actix_codec::Framed;
use actix_http::{
    Request, RequestHead, StatusCode, Version, h1,
    header::{self, HeaderMap, HeaderValue},
    ws,
};
use bytes::{Bytes, BytesMut};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::connection::Connection;
use crate::limits::{ConnectionPermit, Standing};

/// A request for an upgrade, with its socket.
pub struct UpgradeRequest {
    request: Request,
    socket: TcpStream,
    permit: Option<ConnectionPermit>,
    already_read: BytesMut,
    /// Responses to requests that were pipelined before this one.
    unwritten: BytesMut,
}

/// What is left of a connection when HTTP is done.
pub struct Upgraded {
    /// The socket.
    pub socket: TcpStream,
    /// The connection's permit.
    pub permit: Option<ConnectionPermit>,
    /// What came right behind the request.
    pub already_read: BytesMut,
}

/// A response that refuses a request.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Its status.
    pub status: StatusCode,
    /// Its headers, without `Content-Length`.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Why a request is no WebSocket handshake (RFC 6455 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// It asks for another version than 13.
    #[error("this version of WebSocket is not spoken here")]
    Version,
    /// It is something else.
    #[error("this is no WebSocket handshake")]
    NotWebSocket,
}

/// Gives a request back to HTTP without its offer of another protocol: "a server MAY ignore a received Upgrade header
/// field" (RFC 9110 §7.8).
///
/// # Errors
/// The client is gone.
pub async fn give_back((request, framed): (Request, Framed<Connection, h1::Codec>)) -> io::Result<()> {
    let parts = framed.into_parts();
    let mut connection = parts.io;
    // Responses to requests that were pipelined before this one.
    connection.write_all(&parts.write_buf).await?;
    let mut bytes = without_upgrade(request.head());
    bytes.extend_from_slice(&parts.read_buf);
    connection.give_back(bytes.freeze());
    Ok(())
}

/// A head as it was on the wire, but for what offers an upgrade.
fn without_upgrade(head: &RequestHead) -> BytesMut {
    let version = if head.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" };
    let mut bytes = BytesMut::from(format!("{} {} {version}\r\n", head.method, head.uri).as_bytes());
    for (name, value) in head.headers() {
        let value = match *name {
            header::UPGRADE => continue,
            header::CONNECTION => options_without_upgrade(value.as_bytes()),
            _ => value.as_bytes().to_vec(),
        };
        if *name == header::CONNECTION && value.is_empty() {
            continue;
        }
        for part in [name.as_str().as_bytes(), b": ", &value, b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn options_without_upgrade(options: &[u8]) -> Vec<u8> {
    let options = options.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let kept: Vec<_> = options.filter(|option| !option.eq_ignore_ascii_case(b"upgrade")).collect();
    kept.join(&b", "[..])
}

impl UpgradeRequest {
    /// Takes the socket out of HTTP.
    #[must_use]
    pub fn new((request, framed): (Request, Framed<Connection, h1::Codec>)) -> Self {
        let parts = framed.into_parts();
        let (socket, permit) = parts.io.into_inner();
        Self { request, socket, permit, already_read: parts.read_buf, unwritten: parts.write_buf }
    }

    /// What its connection may do.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.permit.as_ref().map_or(Standing::Served, ConnectionPermit::standing)
    }

    /// The request.
    #[must_use]
    pub fn head(&self) -> &RequestHead {
        self.request.head()
    }

    /// Checks that it is a WebSocket handshake.
    ///
    /// # Errors
    /// It is something else, or of another version.
    pub fn verify(&self) -> Result<(), HandshakeError> {
        ws::verify_handshake(self.head()).map_err(|error| match error {
            ws::HandshakeError::UnsupportedVersion | ws::HandshakeError::NoVersionHeader => {
                HandshakeError::Version
            }
            _ => HandshakeError::NotWebSocket,
        })
    }

    /// Responds with 101 and some more headers.
    ///
    /// # Errors
    /// The client is gone.
    pub async fn accept(mut self, headers: &[(&str, &str)]) -> io::Result<Upgraded> {
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
        Ok(Upgraded { socket: self.socket, permit: self.permit, already_read: self.already_read })
    }

    /// Responds with a refusal. The connection ends with it.
    pub async fn refuse(mut self, refusal: &Refusal) {
        let Refusal { status, headers, body } = refusal;
        let reason = status.canonical_reason().unwrap_or("Error");
        let mut response = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16());
        for (name, value) in headers.iter().filter_map(|(name, value)| Some((name, value.to_str().ok()?))) {
            response.push_str(&format!("{name}: {value}\r\n"));
        }
        response.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()));
        self.unwritten.extend_from_slice(response.as_bytes());
        self.unwritten.extend_from_slice(body);
        // A client that is gone needs no response.
        if self.socket.write_all(&self.unwritten).await.is_ok() {
            drop(self.socket.shutdown().await);
        }
    }
}
