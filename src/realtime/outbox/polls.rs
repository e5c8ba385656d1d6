//! Into the answers to polls, and on from there over a WebSocket.

use std::{collections::VecDeque, rc::Rc};

use bytes::Bytes;
use tokio::{net::TcpStream, sync::oneshot};

use super::{Outbox, Queue, Way, Wire};
use crate::protocol::{self, engineio};

/// Good-bye to a client that polls.
pub(super) const CLOSE: Bytes = Bytes::from_static(b"1");

impl Outbox {
    /// Takes a poll, to be answered with all that waits as soon as anything does. Answers `false` when another poll
    /// waits already, or there are no polls on this way out.
    pub fn poll(&self, answer: oneshot::Sender<Bytes>) -> bool {
        match &mut *self.way.borrow_mut() {
            Way::Polls(waiting) if waiting.as_ref().is_none_or(oneshot::Sender::is_closed) => {
                *waiting = Some(answer)
            }
            _ => return false,
        }
        self.release_poll();
        true
    }

    /// Whether a poll waits.
    #[must_use]
    pub fn is_polled(&self) -> bool {
        matches!(&*self.way.borrow(), Way::Polls(Some(poll)) if !poll.is_closed())
    }

    /// Whether the poll that waited was given up by its client.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        matches!(&*self.way.borrow(), Way::Polls(Some(poll)) if poll.is_closed())
    }

    /// Answers the poll that waits with all that waits for it.
    pub(super) fn release_poll(&self) {
        let poll = match &mut *self.way.borrow_mut() {
            Way::Polls(poll) if !self.is_empty() => poll.take(),
            _ => None,
        };
        let Some(poll) = poll else { return };
        let body = {
            let queue = self.queue.borrow();
            join(&queue.pieces)
        };
        if poll.send(body).is_ok() {
            self.queue.replace(Queue::default());
            if self.farewell.take() {
                let mut queue = self.queue.borrow_mut();
                queue.bytes += CLOSE.len();
                queue.pieces.push_back(CLOSE);
            }
            self.tell_drained();
        }
    }

    /// Goes on over a WebSocket: what waited for a poll is written down anew, a good-bye too.
    ///
    /// # Panics
    /// Never: what waits was encoded here.
    pub fn upgrade(&self, socket: Rc<TcpStream>) {
        self.way.replace(Way::Socket(socket));
        self.wire.set(Wire::SocketIo);
        let waiting = self.queue.replace(Queue::default());
        self.stalled_since.set(None);
        let closing = self.closing_since.take();
        let payload = join(&waiting.pieces);
        let text = std::str::from_utf8(&payload).unwrap_or_default();
        for packet in engineio::decode_payload(text, usize::MAX).unwrap_or_default() {
            if packet != engineio::Packet::Close {
                self.send(protocol::engineio_frame(&packet));
            }
        }
        if closing.is_some() {
            self.close(1000, "");
        }
        if self.is_empty() {
            self.tell_drained();
        }
    }
}

fn join(pieces: &VecDeque<Bytes>) -> Bytes {
    if let [only] = pieces.as_slices().0
        && pieces.len() == 1
    {
        return only.clone();
    }
    let mut joined = Vec::new();
    for piece in pieces {
        if !joined.is_empty() {
            joined.push(engineio::SEPARATOR as u8);
        }
        joined.extend_from_slice(piece);
    }
    joined.into()
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Weak};

    use super::*;
    use crate::{protocol::frame, realtime::outbox::Drained};

    const LIMIT: usize = 1024;

    #[derive(Default)]
    struct Reader(Cell<u32>);

    impl Drained for Reader {
        fn drained(self: Rc<Self>) {
            self.0.set(self.0.get() + 1);
        }
    }

    fn poll(outbox: &Outbox) -> oneshot::Receiver<Bytes> {
        let (answer, answered) = oneshot::channel();
        assert!(outbox.poll(answer));
        answered
    }

    #[test]
    fn good_bye_to_a_poll_comes_after_what_waits_and_alone() {
        let outbox = Outbox::to_polls(LIMIT);
        outbox.send(Bytes::from_static(b"41"));
        outbox.close(4001, "the log-in ended");
        assert_eq!(poll(&outbox).try_recv().unwrap(), "41");
        assert_eq!(poll(&outbox).try_recv().unwrap(), "1");
        assert!(poll(&outbox).try_recv().is_err());
    }

    #[actix_rt::test]
    async fn an_upgrade_takes_what_waits_and_good_bye_along_and_says_that_it_left() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let (outbox, reader) = (Outbox::to_polls(LIMIT), Rc::new(Reader::default()));
        let observer: Weak<dyn Drained> = Rc::downgrade(&(Rc::clone(&reader) as Rc<dyn Drained>));
        outbox.observe(observer);
        outbox.send(Bytes::from_static(b"41"));
        outbox.close(4001, "the log-in ended");
        outbox.upgrade(Rc::new(socket));
        assert_eq!(reader.0.get(), 1);
        let expected = [&frame::text("41")[..], &frame::close(1000, "")[..]].concat();
        let mut heard = Vec::new();
        while heard.len() < expected.len() {
            client.readable().await.unwrap();
            drop(client.try_read_buf(&mut heard));
        }
        assert_eq!(heard, expected);
    }
}
