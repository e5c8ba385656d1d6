//! What a session connects to, and the words of its wire.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::resume::Recovery;

/// How alerts travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum Wire {
    /// JSON texts over `/ws`.
    Ws,
    /// Socket.IO over a WebSocket.
    SocketIo,
    /// Socket.IO over long polls.
    Polling,
    /// Server-Sent Events.
    Sse,
}

impl Wire {
    /// As it is called in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ws => "/ws",
            Self::SocketIo => "Socket.IO",
            Self::Polling => "Socket.IO polling",
            Self::Sse => "SSE",
        }
    }

    /// How a message that carries an alert begins.
    #[must_use]
    pub(super) fn alert(self) -> &'static [u8] {
        match self {
            Self::Ws => br#"{"type":"BUY_GOODS""#,
            Self::SocketIo | Self::Polling => br#"42["BUY_GOODS""#,
            Self::Sse => b"event: BUY_GOODS\n",
        }
    }

    /// How a message that answers an order begins.
    #[must_use]
    pub(super) fn ack(self) -> &'static [u8] {
        match self {
            Self::Ws => br#"{"type":"ack""#,
            _ => b"431[",
        }
    }
}

/// A server as its sessions see it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// How alerts travel.
    pub wire: Wire,
    /// The log-in of all sessions; peers want none.
    pub token: Option<String>,
    /// What is ordered.
    pub goods_id: u64,
    /// `?after=` of `/ws` and SSE: the last alert that was seen.
    pub after: Option<u64>,
    /// The session of Socket.IO that is to be recovered.
    pub recovery: Recovery,
    /// Whether sessions keep the ids of the alerts that they got, and where they could be recovered.
    pub keep_ids: bool,
    /// The number of the first session among those of all processes, each of which has addresses of its own.
    pub first: usize,
    /// Bytes that the kernel may keep for a session that does not read; what it finds right otherwise.
    pub receive_buffer: Option<usize>,
}

impl Target {
    /// A server that asks for no log-in.
    #[must_use]
    pub fn new(address: SocketAddr, wire: Wire) -> Self {
        Self {
            address,
            wire,
            token: None,
            goods_id: 1,
            after: None,
            recovery: Recovery::default(),
            keep_ids: false,
            first: 0,
            receive_buffer: None,
        }
    }

    /// The first request of a session.
    pub(super) fn opening(&self) -> String {
        let after = self.after.map(|after| format!("?after={after}")).unwrap_or_default();
        let (path, upgrade) = match self.wire {
            Wire::Ws => (format!("/ws{after}"), true),
            Wire::SocketIo => ("/socket.io/?EIO=4&transport=websocket".to_owned(), true),
            Wire::Polling => ("/socket.io/?EIO=4&transport=polling".to_owned(), false),
            Wire::Sse => (format!("/api/events{after}"), false),
        };
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        if let (Some(token), Wire::Ws | Wire::Sse) = (&self.token, self.wire) {
            request += &format!("authorization: Bearer {token}\r\n");
        }
        if upgrade {
            // The key of the example in RFC 6455 §1.2: whether the answer fits is not checked.
            request += "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        }
        request + "\r\n"
    }

    /// The Engine.IO message that joins the main namespace.
    pub(super) fn connect(&self) -> String {
        let token = self.token.as_ref().map(|token| format!(r#""token":"{token}""#));
        let members: Vec<String> = self.recovery.members().into_iter().chain(token).collect();
        if members.is_empty() { "40".to_owned() } else { format!("40{{{}}}", members.join(",")) }
    }

    /// The message that orders, and asks for an answer.
    pub(super) fn order(&self) -> String {
        match self.wire {
            Wire::Ws => format!(r#"{{"type":"BUY","payload":{{"goodsId":{}}},"id":1}}"#, self.goods_id),
            _ => format!(r#"421["BUY",{{"goodsId":{}}}]"#, self.goods_id),
        }
    }

    /// A poll of an Engine.IO session.
    pub(super) fn poll(&self, sid: &str) -> String {
        format!(
            "GET /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nhost: {}\r\n\r\n",
            self.address
        )
    }

    /// A packet of an Engine.IO session that polls.
    pub(super) fn post(&self, sid: &str, packet: &str) -> String {
        format!(
            "POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nhost: {}\r\n\
             content-type: text/plain;charset=UTF-8\r\ncontent-length: {}\r\n\r\n{packet}",
            self.address,
            packet.len()
        )
    }
}
