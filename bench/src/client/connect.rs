//! From where sessions connect.

use std::{
    net::{SocketAddr, TcpStream},
    os::fd::OwnedFd,
};

use rustix::{
    io::Errno,
    net::{AddressFamily, SocketFlags, SocketType},
};

/// Sessions from one address: one alone has ports for some 14,000 connections.
const PER_ADDRESS: usize = 5_000;

/// Begins to connect, and does not wait for it: a server whose queue is full lets a connection wait for a second and more.
///
/// The addresses are those after 127.0.0.1: from there, while no server listens, a socket might be given the very port
/// that it wants to connect to, and talk to itself.
pub(super) fn connect(address: SocketAddr, number: usize) -> std::io::Result<TcpStream> {
    let last = u8::try_from(2 + number / PER_ADDRESS).map_err(std::io::Error::other)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket: OwnedFd = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    rustix::net::bind(&socket, &SocketAddr::from(([127, 0, 0, last], 0)))?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket.into()),
        Err(error) => Err(error.into()),
    }
}
