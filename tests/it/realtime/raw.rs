//! WebSockets by hand, for what no client would do.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{TestApp, within};

/// Shakes hands by hand: the head of the answer, and what follows up to a close frame or the end.
pub(super) async fn raw_handshake(app: &TestApp, request: &str) -> (String, Vec<u8>) {
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    read_until(&mut socket, &mut read, |read| head_end(read).is_some()).await;
    let end = head_end(&read).expect("an answer with headers");
    let mut rest = read.split_off(end);
    if read.starts_with(b"HTTP/1.1 101") {
        read_until(&mut socket, &mut rest, |rest| close_code(rest).is_some()).await;
    }
    (String::from_utf8_lossy(&read).into_owned(), rest)
}

fn head_end(read: &[u8]) -> Option<usize> {
    read.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4)
}

pub(super) async fn read_until(socket: &mut TcpStream, read: &mut Vec<u8>, enough: impl Fn(&[u8]) -> bool) {
    while !enough(read) && within("bytes", socket.read_buf(read)).await.is_ok_and(|n| n > 0) {}
}

/// An open WebSocket that nobody speaks for, after its greeting.
pub(super) async fn raw_socket(app: &TestApp) -> TcpStream {
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        app.addr()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    read_until(&mut socket, &mut read, |read| read.ends_with(b"}}")).await;
    assert!(String::from_utf8_lossy(&read).contains("hello"), "{read:?}");
    socket
}

/// The code of the close frame among a server's frames.
pub(super) fn close_code(mut frames: &[u8]) -> Option<u16> {
    while let [first, length, rest @ ..] = frames {
        let (length, rest) = match (*length, rest) {
            (126, [high, low, rest @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            (short, rest) => (usize::from(short), rest),
        };
        if let (0x88, [high, low, ..]) = (*first, rest) {
            return Some(u16::from_be_bytes([*high, *low]));
        }
        frames = rest.get(length..)?;
    }
    None
}
