//! Sessions that poll.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{Broken, Engine, Service, Session};
use crate::{
    outbox::Wire,
    protocol::engineio::{self, ErrorCode, Packet},
};

/// The most packets of one poll's body: the smallest are two bytes with their separator.
const MAX_PACKETS: usize = 65_536;
/// How long a session that is being upgraded keeps an idle poll before ending it with a noop: long enough for the
/// packet that completes the upgrade to arrive first when it was sent first, over another connection.
const UPGRADE_POLL: Duration = Duration::from_millis(20);

impl<S: Service> Engine<S> {
    /// Takes a poll; it is answered when there is something to say, or dropped when the session goes another way.
    ///
    /// # Errors
    /// No such session, or one that does not poll, or polls already: then it is closed.
    pub fn poll(&self, sid: &str, answer: oneshot::Sender<Bytes>) -> Result<(), ErrorCode> {
        let Some(session) = self.find(sid) else {
            let crossed = self.departed.borrow_mut().remove(sid).is_some();
            let noop = Bytes::from_static(b"6");
            return if crossed && answer.send(noop).is_ok() {
                Ok(())
            } else {
                Err(ErrorCode::UnknownSession)
            };
        };
        if session.outbox.wire() != Wire::Polling {
            return Err(ErrorCode::BadRequest);
        }
        if session.outbox.is_abandoned() && !session.is_upgrading() {
            // The word of it is still on its way from another thread, see `poll_aborted`.
            session.outbox.abort();
            self.end(&session);
            return Err(ErrorCode::UnknownSession);
        }
        if !session.outbox.poll(answer) {
            self.close(&session);
            return Err(ErrorCode::BadRequest);
        }
        if session.is_upgrading() {
            actix_rt::spawn(async move {
                tokio::time::sleep(UPGRADE_POLL).await;
                release_poll(&session);
            });
        }
        Ok(())
    }

    /// A poll was given up by its client: "closes the session upon cancelled polling request" (test suite).
    pub fn poll_aborted(&self, sid: &str) {
        if let Some(session) = self.find(sid)
            && session.outbox.wire() == Wire::Polling
            && !session.is_upgrading()
            && !session.outbox.is_polled()
        {
            session.outbox.abort();
            self.end(&session);
        }
    }

    /// Takes the body of a POST.
    ///
    /// # Errors
    /// No such session, or one that does not poll; a body that breaks the protocol closes the session.
    pub fn post(&self, sid: &str, body: &[u8]) -> Result<(), ErrorCode> {
        // A pong that comes before the round that would have closed the session comes in time.
        let session = self.sessions.borrow().get(sid).cloned().ok_or(ErrorCode::UnknownSession)?;
        if session.outbox.wire() != Wire::Polling {
            return Err(ErrorCode::BadRequest);
        }
        let packets = std::str::from_utf8(body).ok().map(|text| engineio::decode_payload(text, MAX_PACKETS));
        let Some(Ok(packets)) = packets else {
            self.close(&session);
            return Err(ErrorCode::BadRequest);
        };
        for packet in packets {
            let last = packet == Packet::Close;
            self.packet(&session, packet).map_err(|Broken| ErrorCode::BadRequest)?;
            if last {
                break;
            }
        }
        Ok(())
    }
}

/// A poll must not hold up an upgrade: "noop packet to cleanly end the HTTP long-polling request" (test suite).
pub(super) fn release_poll<S: Service>(session: &Session<S>) {
    if session.outbox.wire() == Wire::Polling && session.outbox.is_polled() {
        session.send(&[Packet::Noop]);
    }
}
