//! Into the answers to polls, and on from there over a WebSocket.

use bytes::Bytes;
use tokio::{net::TcpStream, sync::oneshot};

use super::{Close, Life, Outbox, Wire, queue::Queue, way::Way};
use crate::protocol::{engineio, engineio_frame};

impl Outbox {
    /// Sets who is told when a session that polls is gone.
    pub fn when_gone(&self, tell: Box<dyn FnOnce()>) {
        if let Way::Polls(polls) = &mut *self.way.borrow_mut() {
            polls.gone = Some(tell);
        }
    }

    /// Takes a poll, to be answered with all that waits as soon as anything does. Returns `false` when another poll
    /// waits already, or the session does not poll.
    pub fn poll(&self, answer: oneshot::Sender<Bytes>) -> bool {
        match &mut *self.way.borrow_mut() {
            Way::Polls(polls) if polls.waiting.as_ref().is_none_or(oneshot::Sender::is_closed) => {
                polls.waiting = Some(answer)
            }
            _ => return false,
        }
        self.answer_poll();
        true
    }

    /// Whether a poll waits.
    #[must_use]
    pub fn is_polled(&self) -> bool {
        self.is_waiting(|poll| !poll.is_closed())
    }

    /// Whether the client has given up the poll that waited.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.is_waiting(oneshot::Sender::is_closed)
    }

    fn is_waiting(&self, holds: impl FnOnce(&oneshot::Sender<Bytes>) -> bool) -> bool {
        matches!(&*self.way.borrow(), Way::Polls(polls) if polls.waiting.as_ref().is_some_and(holds))
    }

    /// Drops the poll that waits; returns who is to be told that the session is gone.
    pub(super) fn abandon_polls(&self) -> Option<Box<dyn FnOnce()>> {
        match &mut *self.way.borrow_mut() {
            Way::Polls(polls) => {
                polls.waiting.take();
                polls.gone.take()
            }
            Way::Socket(_) | Way::Stream(_) | Way::Taken => None,
        }
    }

    /// Notes why a session that polls is closing. Returns whether its last bytes were kept for a poll of their own: in
    /// one answer with messages they would be dealt with first, because clients look at messages a tick later. A client
    /// that was disconnected on purpose would then see a lost connection, and come back.
    pub(super) fn finish_polls(&self, last: &Bytes, why: Close) -> bool {
        let is_empty = self.is_empty();
        match &mut *self.way.borrow_mut() {
            Way::Polls(polls) => {
                polls.closing = Some(why);
                polls.last = (!is_empty).then(|| last.clone());
                !is_empty
            }
            Way::Socket(_) | Way::Stream(_) | Way::Taken => false,
        }
    }

    /// Answers the poll that waits with all that waits for it. The answer with the last bytes ends the session.
    pub(super) fn answer_poll(&self) {
        if self.is_empty() || !self.is_polled() {
            return;
        }
        let Some((poll, last)) = self.take_poll() else { return };
        let Some(queue) = self.queue.take() else { return };
        // `is_polled` has just seen that the client is there; should it be gone now, its session ends with its poll.
        let _ = poll.send(queue.join(&[engineio::SEPARATOR as u8]));
        match last {
            Some(last) => drop(self.queue.replace(Some(Queue::of(last)))),
            None if matches!(self.life(), Life::Closing(_)) => return self.close(Close::Lost),
            None => {}
        }
        self.wake_drained();
    }

    fn take_poll(&self) -> Option<(oneshot::Sender<Bytes>, Option<Bytes>)> {
        match &mut *self.way.borrow_mut() {
            Way::Polls(polls) => Some((polls.waiting.take()?, polls.last.take())),
            Way::Socket(_) | Way::Stream(_) | Way::Taken => None,
        }
    }

    /// Goes on over a WebSocket: what waited for a poll is encoded anew, and a good-bye is said again in the new form.
    pub fn upgrade(&self, socket: TcpStream) {
        let closing = match self.way.replace(Way::Socket(socket)) {
            Way::Polls(polls) => polls.closing,
            Way::Socket(_) | Way::Stream(_) | Way::Taken => None,
        };
        self.wire.set(Wire::SocketIo);
        let (queue, life) = (self.queue.take(), self.life.replace(Life::Open));
        let payload = queue.map(|queue| queue.join(&[engineio::SEPARATOR as u8])).unwrap_or_default();
        let text = std::str::from_utf8(&payload).unwrap_or_default();
        for packet in engineio::decode_payload(text, usize::MAX).unwrap_or_default() {
            if packet != engineio::Packet::Close {
                self.send(&engineio_frame(&packet));
            }
        }
        match (life, closing) {
            (Life::Closing(_), Some(why)) => self.finish(&self.wire().last_bytes(why), why),
            (Life::Asked(_), _) => self.life.set(life),
            _ => {}
        }
        if self.is_empty() {
            self.wake_drained();
        }
    }
}
