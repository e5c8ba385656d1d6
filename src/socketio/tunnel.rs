//! A WebSocket at one node, of a connection at another: its bytes go there by a channel, and back. Where the connection lives
//! they come out of one of a pair of local sockets, and the connection has the other, a socket as any other: one that takes
//! nothing for a while when its client takes nothing.

use std::{io, time::Duration};

use bytes::Bytes;
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, shutdown, socketpair, sockopt};
use tokio::{net::TcpStream, time::timeout};

use crate::{
    bus::peers::{Channel, PIECE, WINDOW},
    limits::{Charge, Purse},
};

/// A channel to a connection that lets a WebSocket try to take over, and on whose account its bytes are here.
pub struct Tunnel {
    pub(super) channel: Channel,
    pub(super) purse: Purse,
}

/// Bytes that the kernel holds for each of a pair: without a bound of our own they would be 200 KiB.
const HELD: usize = 32 * 1024;

/// Two sockets that are each other's other end.
pub(super) fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (one, other) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    for end in [&one, &other] {
        sockopt::set_socket_send_buffer_size(end, HELD)?;
    }
    // They are streams of bytes, and nothing that only TCP has is asked of them.
    let stream = |end: rustix::fd::OwnedFd| TcpStream::from_std(std::net::TcpStream::from(end));
    Ok((stream(one)?, stream(other)?))
}

/// Carries bytes between a socket and a channel until both directions have ended, or one fails. `patience` is how long the socket
/// may take nothing, and how long the second direction may go on after the first has ended.
///
/// # Errors
/// The socket or the channel is gone.
pub(super) async fn carry(
    socket: &TcpStream,
    channel: &Channel,
    patience: Duration,
    held: &mut Charge,
) -> io::Result<()> {
    let (out, back) = (outward(socket, channel), inward(socket, channel, patience, held));
    tokio::pin!(out, back);
    tokio::select! {
        ended = &mut out => {
            ended?;
            timeout(patience, back).await?
        }
        ended = &mut back => {
            ended?;
            timeout(patience, out).await?
        }
    }
}

async fn outward(socket: &TcpStream, channel: &Channel) -> io::Result<()> {
    loop {
        // Nothing is held while nothing comes.
        socket.readable().await?;
        match read(socket) {
            Ok(bytes) if bytes.is_empty() => {
                channel.finish();
                return Ok(());
            }
            Ok(bytes) => channel.send(bytes).await.map_err(io::Error::other)?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

fn read(socket: &TcpStream) -> io::Result<Bytes> {
    let mut piece = [0; PIECE];
    let length = socket.try_read(&mut piece)?;
    Ok(Bytes::copy_from_slice(&piece[..length]))
}

async fn inward(
    socket: &TcpStream,
    channel: &Channel,
    patience: Duration,
    held: &mut Charge,
) -> io::Result<()> {
    while let Some(mut bytes) = channel.next().await.map_err(io::Error::other)? {
        while !bytes.is_empty() {
            match socket.try_write(&bytes) {
                Ok(written) => drop(bytes.split_to(written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // From now on as much may wait here.
                    held.set(WINDOW).map_err(io::Error::other)?;
                    timeout(patience, socket.writable()).await??;
                }
                Err(error) => return Err(error),
            }
        }
        let _ = held.set(0);
    }
    // It fails where the socket is gone.
    let _ = shutdown(socket, Shutdown::Write);
    Ok(())
}
