//! The floor: the least that a server in user space can do, one `send(2)` per session and alert from a bare epoll
//! loop. It understands just enough of each wire to let the client in.

use std::{
    io::{ErrorKind, Read},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use memchr::memmem;
use rustix::{event::epoll, net::SendFlags};

use super::child::{alert, listening};
use crate::Result;

/// How a connection is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    /// It has not said yet, or only calls.
    Http,
    Ws,
    SocketIo,
    Polling,
    Sse,
}

struct Connection {
    stream: TcpStream,
    wire: Wire,
    /// Whether alerts are for it.
    joined: bool,
    /// Whether a poll is to be answered.
    polled: bool,
    /// Packets that wait for a poll.
    waiting: Vec<u8>,
}

/// The alert as it leaves on each wire.
struct Alert {
    ws: Vec<u8>,
    socket_io: Vec<u8>,
    packet: Vec<u8>,
    poll: Vec<u8>,
    sse: Vec<u8>,
}

impl Alert {
    fn new(payload: &str) -> Self {
        let packet = format!(r#"42["BUY_GOODS",{payload}]"#);
        let event = format!("id: 1\nevent: BUY_GOODS\ndata: {payload}\n\n");
        Self {
            ws: frame(&format!(r#"{{"type":"BUY_GOODS","payload":{payload}}}"#)),
            socket_io: frame(&packet),
            poll: answer(&packet),
            packet: packet.into_bytes(),
            sse: format!("{:x}\r\n{event}\r\n", event.len()).into_bytes(),
        }
    }
}

/// A text frame of up to 65,535 bytes.
fn frame(text: &str) -> Vec<u8> {
    let mut out = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(length) if length < 126 => out.push(length),
        _ => {
            out.push(126);
            out.extend(u16::try_from(text.len()).expect("what the floor says is short").to_be_bytes());
        }
    }
    out.extend_from_slice(text.as_bytes());
    out
}

fn answer(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=UTF-8\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Serves until the process is ended. Before each alert that it sends, it is busy for so long.
pub(super) fn run(busy: Duration) -> Result<()> {
    let alert = Alert::new(&alert()?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // `listen` again with a longer queue: the default is 128.
    rustix::net::listen(&listener, 1024)?;
    listener.set_nonblocking(true)?;
    listening(listener.local_addr()?)?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, epoll::EventData::new_u64(u64::MAX), epoll::EventFlags::IN)?;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut events: Vec<epoll::Event> = Vec::with_capacity(1024);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        events.clear();
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), None)?;
        for event in &events {
            let index = event.data.u64();
            if index == u64::MAX {
                accept(&listener, &epoll, &mut connections)?;
                continue;
            }
            let index = usize::try_from(index)?;
            let Some(connection) = &mut connections[index] else { continue };
            let orders = match connection.stream.read(&mut buffer) {
                Ok(length) if length > 0 => connection.take(&buffer[..length], index),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Some(0),
                _ => None,
            };
            match orders {
                Some(orders) => (0..orders).for_each(|_| broadcast(&mut connections, &alert, busy)),
                None => connections[index] = None,
            }
        }
    }
}

fn accept(
    listener: &TcpListener,
    epoll: &impl rustix::fd::AsFd,
    connections: &mut Vec<Option<Connection>>,
) -> Result<()> {
    while let Ok((stream, _)) = listener.accept() {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let data = epoll::EventData::new_u64(connections.len() as u64);
        epoll::add(epoll, &stream, data, epoll::EventFlags::IN)?;
        let connection =
            Connection { stream, wire: Wire::Http, joined: false, polled: false, waiting: Vec::new() };
        connections.push(Some(connection));
    }
    Ok(())
}

/// The floor itself.
fn broadcast(connections: &mut [Option<Connection>], alert: &Alert, busy: Duration) {
    for slot in connections {
        let Some(connection) = slot.as_mut().filter(|connection| connection.joined) else { continue };
        let bytes = match connection.wire {
            Wire::Ws => &alert.ws,
            Wire::SocketIo => &alert.socket_io,
            Wire::Sse => &alert.sse,
            Wire::Polling if std::mem::take(&mut connection.polled) => &alert.poll,
            Wire::Polling => {
                if !connection.waiting.is_empty() {
                    connection.waiting.push(0x1e);
                }
                connection.waiting.extend_from_slice(&alert.packet);
                continue;
            }
            Wire::Http => continue,
        };
        if !busy.is_zero() {
            let begin = Instant::now();
            while begin.elapsed() < busy {}
        }
        if connection.send(bytes).is_none() {
            *slot = None;
        }
    }
}

impl Connection {
    /// Sends what must fit into the socket's buffer; `None` if it does not.
    fn send(&self, bytes: &[u8]) -> Option<()> {
        let sent = rustix::net::send(&self.stream, bytes, SendFlags::NOSIGNAL).ok()?;
        (sent == bytes.len()).then_some(())
    }

    /// How many orders arrived; `None` if the connection is to be closed. What a client says is short and comes whole.
    fn take(&mut self, data: &[u8], index: usize) -> Option<usize> {
        match self.wire {
            Wire::Ws | Wire::SocketIo => self.take_frames(data, index),
            _ => self.take_requests(data, index),
        }
    }

    fn take_frames(&mut self, mut data: &[u8], index: usize) -> Option<usize> {
        let mut orders = 0;
        while data.len() >= 6 {
            let (head, length) = match data[1] & 0x7f {
                126 => (8, usize::from(u16::from_be_bytes([data[2], data[3]]))),
                length => (6, usize::from(length)),
            };
            // Masked with zeros.
            let text = data.get(head..head + length)?;
            data = &data[head + length..];
            if memmem::find(text, br#""BUY""#).is_some() {
                orders += 1;
                let ack = match self.wire {
                    Wire::Ws => r#"{"type":"ack","id":1,"payload":{"ok":true}}"#,
                    _ => r#"431[{"ok":true}]"#,
                };
                self.send(&frame(ack))?;
            } else if text.starts_with(b"40") {
                self.joined = true;
                self.send(&frame(&format!(r#"40{{"sid":"{index}"}}"#)))?;
            }
        }
        Some(orders)
    }

    /// One or more requests, each in one piece.
    fn take_requests(&mut self, mut data: &[u8], index: usize) -> Option<usize> {
        let mut orders = 0;
        while let Some(end) = memmem::find(data, b"\r\n\r\n") {
            let head = &data[..end];
            let post = head.starts_with(b"POST");
            let has = |text: &str| memmem::find(head, text.as_bytes()).is_some();
            if has("GET /ws") || has("transport=websocket") {
                self.send(
                    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
                )?;
                (self.wire, self.joined) =
                    if has("GET /ws") { (Wire::Ws, true) } else { (Wire::SocketIo, false) };
                let hello = match self.wire {
                    Wire::Ws => r#"{"type":"hello","payload":{}}"#.to_owned(),
                    _ => format!(r#"0{{"sid":"{index}"}}"#),
                };
                self.send(&frame(&hello))?;
            } else if has("GET /api/events") {
                (self.wire, self.joined) = (Wire::Sse, true);
                self.send(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n\
                      d\r\nretry: 2000\n\n\r\n",
                )?;
            } else if post && has("/socket.io/") {
                // The only thing that is ever posted is CONNECT.
                self.send(&answer("ok"))?;
                self.joined = true;
                self.waiting = format!(r#"40{{"sid":"{index}"}}"#).into_bytes();
            } else if has("&sid=") {
                self.poll()?;
            } else if has("/socket.io/") {
                self.wire = Wire::Polling;
                self.send(&answer(&format!(r#"0{{"sid":"{index}"}}"#)))?;
            } else if post && has("/api/orders") {
                orders += 1;
                self.send(&answer(r#"{"ok":true}"#))?;
            } else {
                return None;
            }
            // Bodies hold no empty line: the next request begins after the body of this one.
            let rest = &data[end + 4..];
            let next = memmem::find(rest, b"GET /").unwrap_or(rest.len());
            data = if post { &rest[next..] } else { rest };
        }
        Some(orders)
    }

    fn poll(&mut self) -> Option<()> {
        if self.waiting.is_empty() {
            self.polled = true;
            return Some(());
        }
        let body = String::from_utf8(std::mem::take(&mut self.waiting)).ok()?;
        self.send(&answer(&body))
    }
}
