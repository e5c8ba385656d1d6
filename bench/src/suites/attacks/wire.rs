//! Sockets from a chosen address, and what goes over them by hand.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use rustix::net::{self, AddressFamily, SocketFlags, SocketType};

/// Where attackers come from, and where members do.
pub(super) const ATTACKER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(super) const MEMBER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A frame's first byte: a whole text, the begin of one, of bytes, a fragment, the answer to a heartbeat.
pub(super) const TEXT: u8 = 0x81;
pub(super) const BEGIN: u8 = 0x01;
pub(super) const BINARY: u8 = 0x02;
pub(super) const FRAGMENT: u8 = 0x00;
pub(super) const PONG: u8 = 0x8A;

/// Connects from an address.
pub(super) fn connect(from: IpAddr, to: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    let socket = net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    net::bind(&socket, &SocketAddr::new(from, 0))?;
    net::connect(&socket, &to)?;
    let socket = TcpStream::from(socket);
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(timeout))?;
    socket.set_write_timeout(Some(timeout))?;
    Ok(socket)
}

/// Opens a connection of an attacker.
pub(super) fn plain(to: SocketAddr) -> io::Result<Pipe> {
    Pipe::new(connect(ATTACKER, to, Duration::from_secs(1))?)
}

/// Opens a WebSocket of an attacker.
pub(super) fn websocket(to: SocketAddr, path: &str, token: Option<&str>) -> io::Result<Pipe> {
    let mut socket = connect(ATTACKER, to, Duration::from_secs(1))?;
    let credentials = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {to}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         {credentials}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(request.as_bytes())?;
    let mut answer = [0; 2048];
    let read = socket.read(&mut answer)?;
    if !answer[..read].starts_with(b"HTTP/1.1 101") {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Pipe::new(socket)
}

/// A client's frame, under a mask of zeros.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        medium @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// An attacker's connection, which never blocks its thread.
pub(super) struct Pipe {
    socket: TcpStream,
    /// What did not fit yet: no frame is cut, or the server would end the connection for that.
    waiting: Vec<u8>,
}

impl Pipe {
    /// Over a socket that is open.
    pub(super) fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket, waiting: Vec::new() })
    }

    /// Sends bytes when what was sent before has left; says whether it took them. An error when the connection has ended.
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let takes = self.waiting.is_empty();
        if takes {
            self.waiting.extend_from_slice(bytes);
        }
        while !self.waiting.is_empty() {
            match self.socket.write(&self.waiting) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.waiting.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(takes)
    }

    /// Takes what has come, if anything has; an error when the connection has ended.
    pub(super) fn drain(&mut self) -> io::Result<Vec<u8>> {
        let mut piece = [0; 65_536];
        match self.socket.read(&mut piece) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => Ok(piece[..read].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Looks, without reading, whether the connection has ended.
    pub(super) fn check(&self) -> io::Result<()> {
        match self.socket.peek(&mut [0; 1]) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }
}
