//! A WebSocket by hand, which sends what no client would.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{Person, TestApp, within};

/// Opcodes and the bit of the last fragment (RFC 6455 §5.2).
pub const TEXT: u8 = 0x1;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;
pub const FIN: u8 = 0x80;

pub const NATIVE: &str = "/ws";
pub const SOCKET_IO: &str = "/socket.io/?EIO=4&transport=websocket";

/// An open WebSocket.
pub struct Raw {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Raw {
    /// Shakes hands.
    pub async fn open(app: &TestApp, path: &str, who: Option<&Person>) -> Self {
        let mut socket = TcpStream::connect(app.addr()).await.unwrap();
        let credentials =
            who.map(|who| format!("Authorization: Bearer {}\r\n", who.token)).unwrap_or_default();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             {credentials}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            app.addr()
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut raw = Self { socket, read: Vec::new() };
        let end = raw.read_until(|read| read.windows(4).position(|four| four == b"\r\n\r\n")).await;
        let end = end.expect("an answer");
        assert!(raw.read.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&raw.read));
        raw.read.drain(..end + 4);
        raw
    }

    /// Joins the shop by Socket.IO.
    pub async fn connect(app: &TestApp, who: Option<&Person>) -> Self {
        let mut raw = Self::open(app, SOCKET_IO, who).await;
        raw.text("40").await;
        raw.hears(r#"40{"sid""#).await;
        raw
    }

    /// Sends bytes, which may meet a socket that is closed by now.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        within("a send", self.socket.write_all(bytes)).await.is_ok()
    }

    pub async fn text(&mut self, text: &str) -> bool {
        self.send(&frame(FIN | TEXT, text.as_bytes())).await
    }

    /// Waits until the server has sent a text.
    pub async fn hears(&mut self, text: &str) {
        let found = self.read_until(|read| read.windows(text.len()).position(|part| part == text.as_bytes()));
        assert!(found.await.is_some(), "no {text}: {}", String::from_utf8_lossy(&self.read));
    }

    /// Waits for the end; the code of the close frame, if there is one.
    pub async fn closed(&mut self) -> Option<u16> {
        self.read_until(close_code).await
    }

    /// Whether the connection ended before the server sent a text.
    pub async fn closed_or_pong(&mut self, text: &str) -> bool {
        let found = self.read_until(|read| {
            let text = read.windows(text.len()).any(|part| part == text.as_bytes());
            if text { Some(false) } else { close_code(read).map(|_| true) }
        });
        found.await.unwrap_or(true)
    }

    async fn read_until<T>(&mut self, find: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        loop {
            if let Some(found) = find(&self.read) {
                return Some(found);
            }
            if within("bytes", self.socket.read_buf(&mut self.read)).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
}

/// A client's frame, under a mask of zeros.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = begin(first, payload.len());
    frame.extend_from_slice(payload);
    frame
}

/// The header of a frame that will have so many bytes.
pub fn begin(first: u8, length: usize) -> Vec<u8> {
    let mut head = vec![first];
    match length {
        0..126 => head.push(0x80 | u8::try_from(length).unwrap()),
        126..65_536 => {
            head.push(0x80 | 126);
            head.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            head.push(0x80 | 127);
            head.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    head.extend_from_slice(&[0; 4]);
    head
}

fn close_code(mut frames: &[u8]) -> Option<u16> {
    while let [first, length, rest @ ..] = frames {
        let (length, rest) = match (*length, rest) {
            (126, [high, low, rest @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            (127, [_, _, _, _, a, b, c, d, rest @ ..]) => {
                (u32::from_be_bytes([*a, *b, *c, *d]) as usize, rest)
            }
            (short, rest) => (usize::from(short), rest),
        };
        if let (0x88, [high, low, ..]) = (*first, rest) {
            return Some(u16::from_be_bytes([*high, *low]));
        }
        frames = rest.get(length..)?;
    }
    None
}
