//! One session: its handshake, and what arrives on it.

use std::{net::TcpStream, rc::Rc, time::Instant};

use memchr::memmem;
use rustix::{io::Errno, net::SendFlags};

use super::{
    connect::connect,
    counters::Counters,
    frame::{self, opcode},
    http::Head,
    resume::{CatchUp, Recovery},
    target::{Target, Wire},
};
use crate::Result;

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// The head of an HTTP answer.
    Head,
    /// A body of so many bytes.
    Body(usize),
    /// WebSocket frames.
    Frames,
    /// A chunked stream of events.
    Chunks,
}

/// One session of a [`super::Fleet`].
#[derive(Debug)]
pub struct Session {
    pub(super) stream: TcpStream,
    target: Rc<Target>,
    /// The request that opens it, until there is a connection to send it on.
    unsent: Option<String>,
    reading: Reading,
    /// Whether it was let in.
    pub ready: bool,
    /// When that was.
    pub ready_at: Option<Instant>,
    /// Code and reason of the close frame that the server sent.
    pub closed_with: Option<(u16, String)>,
    /// Bytes that are no whole frame yet.
    rest: Vec<u8>,
    /// Of an Engine.IO session that polls.
    sid: String,
    /// Answers to POSTs that must come before that of the poll.
    posts: usize,
    /// Alerts since the last [`super::Fleet::begin`].
    pub alerts: u32,
    /// The ids of all alerts, as they came, if [`Target::keep_ids`].
    pub ids: Vec<u64>,
    /// Where a session that comes after this one would recover, if [`Target::keep_ids`].
    pub recovery: Recovery,
    /// What it missed and has not got yet.
    pub(super) catching_up: Option<CatchUp>,
}

impl Session {
    /// Connects as the `number`-th of its fleet and asks to be let in.
    pub(super) fn open(target: &Rc<Target>, number: usize) -> Result<Self> {
        let stream = connect(target.address, target.first + number)
            .map_err(|error| format!("cannot connect to {}: {error}", target.address))?;
        stream.set_nodelay(true)?;
        // Closing resets the connection: thousands in TIME_WAIT would use the ports up.
        rustix::net::sockopt::set_socket_linger(&stream, Some(std::time::Duration::ZERO))?;
        if let Some(bytes) = target.receive_buffer {
            rustix::net::sockopt::set_socket_recv_buffer_size(&stream, bytes)?;
        }
        let mut session = Self {
            stream,
            target: Rc::clone(target),
            unsent: Some(target.opening()),
            reading: Reading::Head,
            ready: false,
            ready_at: None,
            closed_with: None,
            rest: Vec::new(),
            sid: String::new(),
            posts: 0,
            alerts: 0,
            ids: Vec::new(),
            recovery: Recovery::default(),
            catching_up: None,
        };
        session.send_opening()?;
        Ok(session)
    }

    /// Whether it waits until it can send anything.
    pub(super) fn is_connecting(&self) -> bool {
        self.unsent.is_some()
    }

    /// Asks to be let in as soon as there is a connection. On loopback there is one at once, unless the server's queue of
    /// those that it has not accepted yet is full.
    pub(super) fn send_opening(&mut self) -> Result<()> {
        let Some(text) = self.unsent.take() else { return Ok(()) };
        match rustix::net::send(&self.stream, text.as_bytes(), SendFlags::NOSIGNAL) {
            Ok(sent) if sent == text.len() => Ok(()),
            Ok(_) => Err("the first request did not fit into the socket's buffer".into()),
            Err(Errno::AGAIN) => {
                self.unsent = Some(text);
                Ok(())
            }
            Err(error) => Err(format!("cannot connect to {}: {error}", self.target.address).into()),
        }
    }

    /// Orders. Only sessions on a WebSocket can.
    pub(super) fn order(&self) -> Result<()> {
        self.say(&self.target.order())
    }

    /// Sends a text on a WebSocket.
    pub(super) fn say(&self, text: &str) -> Result<()> {
        let mut out = Vec::with_capacity(text.len() + 8);
        frame::put(&mut out, opcode::TEXT, text.as_bytes());
        self.write(&out)
    }

    /// What a client says is short and rare: it fits into the socket's buffer, or something is wrong.
    fn write(&self, bytes: &[u8]) -> Result<()> {
        match rustix::net::send(&self.stream, bytes, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == bytes.len() => Ok(()),
            Ok(_) | Err(Errno::AGAIN) => Err("the server does not read what a session says".into()),
            Err(error) => Err(format!("a session cannot write: {error}").into()),
        }
    }

    /// Takes what arrived.
    pub(super) fn take(&mut self, data: &[u8], counters: &mut Counters) -> Result<()> {
        counters.bytes += data.len() as u64;
        if self.rest.is_empty() {
            let used = self.read(data, counters)?;
            self.rest.extend_from_slice(&data[used..]);
        } else {
            let mut whole = std::mem::take(&mut self.rest);
            whole.extend_from_slice(data);
            let used = self.read(&whole, counters)?;
            whole.drain(..used);
            self.rest = whole;
        }
        Ok(())
    }

    /// Reads whatever is whole; how many bytes that were.
    fn read(&mut self, data: &[u8], counters: &mut Counters) -> Result<usize> {
        let mut used = 0;
        loop {
            let rest = &data[used..];
            let step = match self.reading {
                Reading::Head => self.read_head(rest)?,
                Reading::Body(length) if rest.len() < length => None,
                Reading::Body(length) => {
                    self.reading = Reading::Head;
                    self.read_poll(&rest[..length], counters)?;
                    Some(length)
                }
                Reading::Frames => self.read_frame(rest, counters)?,
                Reading::Chunks => self.read_chunk(rest, counters)?,
            };
            let Some(step) = step else { return Ok(used) };
            used += step;
        }
    }

    fn read_head(&mut self, data: &[u8]) -> Result<Option<usize>> {
        let Some(head) = Head::parse(data)? else { return Ok(None) };
        self.reading = match (head.status, self.target.wire) {
            (101, Wire::Ws | Wire::SocketIo) => Reading::Frames,
            (200, Wire::Sse) if head.body.is_none() => Reading::Chunks,
            (200, Wire::Polling) => Reading::Body(head.body.ok_or("a poll is answered in chunks")?),
            (status, wire) => return Err(format!("{}: the server answers {status}", wire.name()).into()),
        };
        Ok(Some(head.length))
    }

    fn read_frame(&mut self, data: &[u8], counters: &mut Counters) -> Result<Option<usize>> {
        let Some((first, payload, length)) = frame::parse(data) else { return Ok(None) };
        match first {
            opcode::TEXT => self.message(payload, counters)?,
            opcode::PING => {
                let mut out = Vec::new();
                frame::put(&mut out, opcode::PONG, payload);
                self.write(&out)?;
            }
            opcode::CLOSE => {
                let code = payload.get(..2).map_or(1005, |code| u16::from_be_bytes([code[0], code[1]]));
                let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
                self.closed_with = Some((code, reason.clone()));
                return Err(format!("the server closed a session with {code} {reason}").into());
            }
            _ => {}
        }
        Ok(Some(length))
    }

    /// A chunk (RFC 9112 §7.1), which holds whole events.
    fn read_chunk(&mut self, data: &[u8], counters: &mut Counters) -> Result<Option<usize>> {
        let Some(line) = memmem::find(data, b"\r\n") else { return Ok(None) };
        let size = std::str::from_utf8(&data[..line])?;
        let size = usize::from_str_radix(size, 16).map_err(|_| format!("{size:?} is no size of a chunk"))?;
        let begin = line + 2;
        let Some(chunk) = data.get(begin..begin + size + 2) else { return Ok(None) };
        if size == 0 {
            return Err("the server ended a stream".into());
        }
        self.become_ready(counters);
        let mut events = &chunk[..size];
        while let Some(at) = memmem::find(events, Wire::Sse.alert()) {
            // The id stands before the event's name.
            self.alert(&events[at..], id_before(&events[..at]), counters);
            events = &events[at + Wire::Sse.alert().len()..];
        }
        Ok(Some(begin + size + 2))
    }

    /// The body of an answer to a poll or to a POST.
    fn read_poll(&mut self, body: &[u8], counters: &mut Counters) -> Result<()> {
        if self.posts > 0 {
            self.posts -= 1;
            return Ok(());
        }
        for packet in body.split(|&byte| byte == 0x1e) {
            self.message(packet, counters)?;
        }
        self.write(self.target.poll(&self.sid).as_bytes())
    }

    /// A WebSocket's text, or an Engine.IO packet.
    fn message(&mut self, text: &[u8], counters: &mut Counters) -> Result<()> {
        let wire = self.target.wire;
        if self.target.keep_ids && wire == Wire::SocketIo {
            self.recovery.take(text);
        }
        if text.starts_with(wire.alert()) {
            self.alert(text, None, counters);
        } else if text.starts_with(wire.ack()) {
            counters.acks += 1;
            if memmem::find(text, br#""ok":true"#).is_none() {
                counters.refused += 1;
            }
        } else if wire == Wire::Ws || text.starts_with(b"40") {
            counters.recovered += usize::from(self.recovery.is_of(&self.target.recovery));
            self.become_ready(counters);
        } else if text.starts_with(b"44") {
            return Err(format!("a session is refused: {}", String::from_utf8_lossy(text)).into());
        } else if text == b"2" {
            self.answer("3")?;
        } else if text.starts_with(b"0{") {
            let sid = memmem::find(text, br#""sid":""#).map(|at| &text[at + 7..]).unwrap_or_default();
            let end = memchr::memchr(b'"', sid).ok_or("an Engine.IO session without a sid")?;
            self.sid = String::from_utf8_lossy(&sid[..end]).into_owned();
            self.answer(&self.target.connect())?;
        }
        Ok(())
    }

    /// Sends an Engine.IO packet.
    fn answer(&mut self, packet: &str) -> Result<()> {
        if self.target.wire == Wire::SocketIo {
            return self.say(packet);
        }
        self.posts += 1;
        self.write(self.target.post(&self.sid, packet).as_bytes())
    }

    fn become_ready(&mut self, counters: &mut Counters) {
        if !std::mem::replace(&mut self.ready, true) {
            self.ready_at = Some(Instant::now());
            counters.ready += 1;
        }
    }

    fn alert(&mut self, text: &[u8], id: Option<u64>, counters: &mut Counters) {
        counters.alerts += 1;
        if let Some(&sent) = counters.sent.get(self.alerts as usize) {
            counters.latencies.record(Instant::now() - sent);
        }
        self.alerts += 1;
        if self.target.keep_ids
            && let Some(id) = id.or_else(|| id_within(text))
        {
            self.ids.push(id);
            if let Some(since) = self.catching_up.as_mut().and_then(|missed| missed.take(id)) {
                self.catching_up = None;
                counters.replays.record(since.elapsed());
            }
        }
    }
}

fn digits(text: &[u8]) -> Option<u64> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    std::str::from_utf8(&text[..end]).ok()?.parse().ok()
}

/// The `"id"` of an alert's payload. Names of goods and people cannot forge it: a quote within them is escaped.
fn id_within(text: &[u8]) -> Option<u64> {
    let at = memmem::find(text, br#""id":"#)?;
    digits(&text[at + 5..])
}

/// The last `id:` line of an event.
fn id_before(text: &[u8]) -> Option<u64> {
    let at = memmem::rfind(text, b"id: ")?;
    digits(&text[at + 4..])
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A session whose server has sent `data`, in pieces of each length from one byte to the whole.
    fn counted(wire: Wire, data: &[u8]) -> Vec<(u64, Vec<u64>)> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = Target { keep_ids: true, ..Target::new(listener.local_addr().unwrap(), wire) };
        let target = Rc::new(target);
        let pieces = [1, 2, 3, 7, 50, data.len()];
        let count = |piece: usize| {
            let mut session = Session::open(&target, 0).unwrap();
            let mut counters = Counters::default();
            for piece in data.chunks(piece) {
                session.take(piece, &mut counters).unwrap();
            }
            assert_eq!(counters.ready, 1);
            assert_eq!(u64::from(session.alerts), counters.alerts);
            (counters.alerts, session.ids)
        };
        pieces.into_iter().map(count).collect()
    }

    #[test]
    fn alerts_are_counted_however_the_bytes_are_cut() {
        let mut data = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n".to_vec();
        for text in
            [r#"{"type":"hello"}"#, r#"{"type":"BUY_GOODS","payload":{"id":7}}"#, r#"{"type":"goods"}"#]
        {
            data.push(0x81);
            data.push(u8::try_from(text.len()).unwrap());
            data.extend_from_slice(text.as_bytes());
        }
        for counted in counted(Wire::Ws, &data) {
            assert_eq!(counted, (1, vec![7]));
        }
    }

    #[test]
    fn events_of_a_stream_are_counted() {
        let mut data = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for chunk in [
            "retry: 2000\n\n",
            "id: 7\nevent: BUY_GOODS\ndata: {}\n\nid: 8\nevent: BUY_GOODS\ndata: {}\n\n",
            "event: goods\ndata: {}\n\n",
        ] {
            data.extend_from_slice(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes());
        }
        for counted in counted(Wire::Sse, &data) {
            assert_eq!(counted, (2, vec![7, 8]));
        }
    }
}
