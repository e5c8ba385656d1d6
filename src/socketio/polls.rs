//! Connections that poll.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{
    connection::{Asked, Connection, Service, Violation},
    engine::Engine,
};
use crate::{
    outbox::Close,
    protocol::engineio::{self, ErrorCode, Packet},
};

/// The most packets of one poll's body: the smallest are two bytes with their separator.
const MAX_PACKETS: usize = 65_536;
/// How long a connection whose client has tested a WebSocket keeps an idle poll before ending it with a noop: long enough
/// for the packet that completes the upgrade to arrive first when it was sent first, over another network connection.
const UPGRADE_POLL: Duration = Duration::from_millis(20);

impl<S: Service> Engine<S> {
    /// Takes a poll; it is answered when there is something to send, or dropped when the connection upgrades.
    ///
    /// # Errors
    /// No such connection, or one that does not poll, or polls already: then it is closed.
    pub fn poll(&self, sid: &str, answer: oneshot::Sender<Bytes>) -> Result<(), ErrorCode> {
        self.take_poll(sid, Asked { answer, is_carried: false })
    }

    /// The same for a poll that came by another node: the next one is not answered before [`Engine::carried_poll_over`].
    pub(super) fn poll_carried(&self, sid: &str, answer: oneshot::Sender<Bytes>) -> Result<(), ErrorCode> {
        self.take_poll(sid, Asked { answer, is_carried: true })
    }

    /// The poll that came by another node is over: its client has the answer, or there is none.
    pub(super) fn carried_poll_over(&self, sid: &str) {
        let Some(connection) = self.get(sid) else { return };
        connection.is_carried.set(false);
        if let Some(early) = connection.early.take() {
            // Who asked learns of a refusal by getting no answer.
            let _ = self.take_poll(sid, early);
        }
    }

    /// Nobody knows whether the client has the answer to the poll that came by another node. One that went on over a
    /// WebSocket had it.
    pub(super) fn carried_poll_lost(&self, sid: &str) {
        if let Some(connection) = self.get(sid)
            && connection.outbox.wire().is_polling()
        {
            connection.outbox.close(Close::Lost);
        }
    }

    fn take_poll(&self, sid: &str, poll: Asked) -> Result<(), ErrorCode> {
        let connection = self.get_alive(sid).ok_or(ErrorCode::UnknownSession)?;
        if !connection.outbox.wire().is_polling() {
            return Err(ErrorCode::BadRequest);
        }
        if connection.outbox.is_abandoned() && !connection.is_upgrading() {
            // The message that says so is still on its way from another thread, see `poll_aborted`.
            connection.outbox.close(Close::Lost);
            return Err(ErrorCode::UnknownSession);
        }
        if connection.is_carried.get() && !connection.outbox.is_polled() {
            // The client has its answer and was quicker than the word of it; or a proxy asks again, because it lost it.
            let early = connection.early.replace(Some(poll));
            if early.is_some_and(|early| !early.answer.is_closed()) {
                self.close(&connection, Close::Violation);
                return Err(ErrorCode::BadRequest);
            }
            return Ok(());
        }
        connection.is_carried.set(poll.is_carried);
        if !connection.outbox.poll(poll.answer) {
            self.close(&connection, Close::Violation);
            return Err(ErrorCode::BadRequest);
        }
        if connection.probed.get() {
            actix_rt::spawn(async move {
                tokio::time::sleep(UPGRADE_POLL).await;
                release_poll(&connection);
            });
        }
        Ok(())
    }

    /// The client gave a poll up: "closes the session upon cancelled polling request" (test suite).
    pub fn poll_aborted(&self, sid: &str) {
        if let Some(connection) = self.get(sid)
            && connection.outbox.wire().is_polling()
            && !connection.is_upgrading()
            && !connection.outbox.is_polled()
        {
            connection.outbox.close(Close::Lost);
        }
    }

    /// Answers a poll that waits, with nothing if there is nothing.
    pub(super) fn release_poll(&self, sid: &str) {
        if let Some(connection) = self.get(sid) {
            release_poll(&connection);
        }
    }

    /// How many bytes the body of a POST may have.
    ///
    /// # Errors
    /// No such connection.
    pub fn body_limit(&self, sid: &str) -> Result<usize, ErrorCode> {
        self.get(sid).map(|connection| self.payload_limit(&connection)).ok_or(ErrorCode::UnknownSession)
    }

    /// Takes the body of a POST.
    ///
    /// # Errors
    /// No such connection, or one that does not poll; a body that breaks the protocol closes the connection.
    pub fn post(&self, sid: &str, body: &[u8]) -> Result<(), ErrorCode> {
        // A pong that comes before the round that would have given the connection up comes in time.
        let connection = self.get(sid).ok_or(ErrorCode::UnknownSession)?;
        if !connection.outbox.wire().is_polling() {
            return Err(ErrorCode::BadRequest);
        }
        let packets = std::str::from_utf8(body).ok().map(|text| engineio::decode_payload(text, MAX_PACKETS));
        let Some(Ok(packets)) = packets else {
            self.close(&connection, Close::Violation);
            return Err(ErrorCode::BadRequest);
        };
        for packet in packets {
            if !self.admit(&connection) {
                return Err(ErrorCode::BadRequest);
            }
            let last = packet == Packet::Close;
            self.packet(&connection, packet).map_err(|Violation| ErrorCode::BadRequest)?;
            if last {
                break;
            }
        }
        Ok(())
    }
}

/// A poll must not hold up an upgrade: "noop packet to cleanly end the HTTP long-polling request" (test suite).
pub(super) fn release_poll<S: Service>(connection: &Connection<S>) {
    if connection.outbox.wire().is_polling() && connection.outbox.is_polled() {
        connection.send(&[Packet::Noop]);
    }
}
