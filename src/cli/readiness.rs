//! What the service manager is told (sd_notify(3)): that the program serves, and that it ends. Nothing where none waits.

use std::{
    ffi::OsStr,
    io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            net::{SocketAddr, UnixDatagram},
        },
    },
};

/// It listens, and the database is open and migrated.
pub(super) const READY: &str = "READY=1";
/// It drains.
pub(super) const STOPPING: &str = "STOPPING=1";

/// Says so to the socket in `NOTIFY_SOCKET`. Whoever started the program without one does not ask.
pub(super) fn tell(state: &str) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&socket, state) {
        tracing::warn!(%error, state, "the service manager cannot be told");
    }
}

fn send(socket: &OsStr, state: &str) -> io::Result<()> {
    // "@" stands for the null byte of an abstract name (unix(7)).
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address).map(drop)
}
