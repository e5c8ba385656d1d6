//! Into the answers to polls, and on from there over a WebSocket.

use bytes::Bytes;
use tokio::{net::TcpStream, sync::oneshot};

use super::{Life, Outbox, Wire, way::Way};
use crate::protocol::{engineio, engineio_frame};

impl Outbox {
    /// Sets who is told when a session that polls is gone.
    pub fn when_gone(&self, tell: Box<dyn FnOnce()>) {
        if let Some(polls) = self.way.borrow_mut().polls_mut() {
            polls.gone = Some(tell);
        }
    }

    /// Takes a poll, to be answered with all that waits as soon as anything does. Returns `false` when another poll
    /// waits already, or the session does not poll.
    pub fn poll(&self, answer: oneshot::Sender<Bytes>) -> bool {
        match self.way.borrow_mut().polls_mut() {
            Some(polls) if !polls.is_polled() => polls.waiting = Some(answer),
            _ => return false,
        }
        self.answer_poll();
        true
    }

    /// Whether the client has given up the poll that waited.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        let way = self.way.borrow();
        way.polls().and_then(|polls| polls.waiting.as_ref()).is_some_and(oneshot::Sender::is_closed)
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
    }
}
