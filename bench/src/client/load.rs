//! HTTP under load, never two requests at once on one connection: as many as the server answers, or at a steady rate.

use std::{
    collections::VecDeque,
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use rustix::{
    event::{Timespec, epoll},
    fd::OwnedFd,
    io::Errno,
    net::{RecvFlags, SendFlags},
};

use super::http::Head;
use crate::{Result, stats::Latencies, stop::Stop};

struct Asking {
    stream: TcpStream,
    /// What has come of an answer that is not whole yet.
    data: Vec<u8>,
    /// When the request that is under way was due.
    since: Option<Instant>,
}

/// Makes another request of the last one.
type Renew = Box<dyn FnMut(&mut Vec<u8>)>;

/// Connections that ask for the same again and again, unless [`Load::renewed_by`] changes it.
pub struct Load {
    epoll: OwnedFd,
    connections: Vec<Asking>,
    /// In turn: a server drops connections that say nothing for long.
    idle: VecDeque<usize>,
    request: Vec<u8>,
    /// Before each request that is sent.
    renew: Option<Renew>,
    /// Answers.
    pub answers: u64,
    /// Their bytes, heads included.
    pub bytes: u64,
    /// From when a request was due to the end of its answer.
    pub latencies: Latencies,
    /// Requests that were due while every connection was waiting for its answer.
    late: VecDeque<Instant>,
    next: Option<Instant>,
    events: Vec<epoll::Event>,
    buffer: Vec<u8>,
    stop: Stop,
}

impl Load {
    /// Connects so many times.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn open(address: SocketAddr, connections: usize, request: Vec<u8>, stop: &Stop) -> Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let open = |index: usize| -> Result<Asking> {
            let stream = TcpStream::connect(address)?;
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            epoll::add(&epoll, &stream, epoll::EventData::new_u64(index as u64), epoll::EventFlags::IN)?;
            Ok(Asking { stream, data: Vec::new(), since: None })
        };
        let asking = (0..connections).map(open).collect::<Result<_>>()?;
        Ok(Self {
            epoll,
            connections: asking,
            idle: (0..connections).collect(),
            request,
            renew: None,
            answers: 0,
            bytes: 0,
            latencies: Latencies::default(),
            late: VecDeque::new(),
            next: None,
            events: Vec::with_capacity(connections),
            buffer: vec![0; 256 * 1024],
            stop: stop.clone(),
        })
    }

    /// Asks for something else each time.
    #[must_use]
    pub fn renewed_by(self, renew: impl FnMut(&mut Vec<u8>) + 'static) -> Self {
        Self { renew: Some(Box::new(renew)), ..self }
    }

    /// Forgets what was counted.
    pub fn begin(&mut self) {
        (self.answers, self.bytes) = (0, 0);
        self.latencies.clear();
    }

    /// Asks on all connections at once, again as soon as one is answered, for so long.
    ///
    /// # Errors
    /// An answer is not `2xx`, a connection is closed, or a signal came.
    pub fn saturate(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            while let Some(index) = self.idle.pop_front() {
                self.ask(index, Instant::now())?;
            }
            self.pump(Duration::from_millis(100))?;
        }
        Ok(())
    }

    /// Sends what is due at a rate, and reads what has arrived. A request that waits for a free connection has
    /// begun when it was due: a server that stalls delays all that would have come in the meantime.
    ///
    /// # Errors
    /// As [`Load::saturate`].
    pub fn keep_pace(&mut self, gap: Duration) -> Result<()> {
        let now = Instant::now();
        let mut next = self.next.unwrap_or(now);
        while next <= now {
            self.late.push_back(next);
            next += gap;
        }
        self.next = Some(next);
        while !self.late.is_empty()
            && let Some(index) = self.idle.pop_front()
        {
            let due = self.late.pop_front().unwrap_or(now);
            self.ask(index, due)?;
        }
        self.pump(Duration::ZERO)
    }

    fn ask(&mut self, index: usize, due: Instant) -> Result<()> {
        let connection = &mut self.connections[index];
        connection.since = Some(due);
        if let Some(renew) = &mut self.renew {
            renew(&mut self.request);
        }
        match rustix::net::send(&connection.stream, &self.request, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == self.request.len() => Ok(()),
            Ok(_) => Err("a request did not fit into the socket's buffer".into()),
            Err(error) => Err(format!("the server closed a connection: {error}").into()),
        }
    }

    fn pump(&mut self, at_most: Duration) -> Result<()> {
        self.stop.check()?;
        self.events.clear();
        let timeout = Timespec::try_from(at_most)?;
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in 0..self.events.len() {
            let index = usize::try_from(self.events[event].data.u64())?;
            self.read(index)?;
        }
        Ok(())
    }

    fn read(&mut self, index: usize) -> Result<()> {
        let connection = &mut self.connections[index];
        let data = match rustix::net::recv(&connection.stream, &mut self.buffer[..], RecvFlags::empty()) {
            Ok((0, _)) => return Err("the server closed a connection".into()),
            Ok((length, _)) => &self.buffer[..length],
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.bytes += data.len() as u64;
        // An answer that comes in one piece is not copied.
        let whole = if connection.data.is_empty() {
            data
        } else {
            connection.data.extend_from_slice(data);
            &connection.data
        };
        if is_whole(whole)? {
            connection.data.clear();
            self.answers += 1;
            if let Some(since) = connection.since.take() {
                self.latencies.record(since.elapsed());
            }
            self.idle.push_back(index);
        } else if connection.data.is_empty() {
            connection.data.extend_from_slice(data);
        }
        Ok(())
    }
}

fn is_whole(data: &[u8]) -> Result<bool> {
    let Some(head) = Head::parse(data)? else { return Ok(false) };
    if !(200..300).contains(&head.status) {
        return Err(
            format!("the server answers {}", String::from_utf8_lossy(&data[..data.len().min(300)])).into()
        );
    }
    Ok(data.len() >= head.length + head.body.ok_or("an answer without a length")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_body() {
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nh").unwrap());
        assert!(is_whole(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").unwrap());
        assert!(is_whole(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").is_err());
    }
}
