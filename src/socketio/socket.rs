//! A client in a namespace, as the handlers see it.

use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

use tokio::sync::oneshot;

use crate::{
    outbox::Outbox,
    protocol::{
        engineio::Packet as Frame,
        socketio::{Args, Body, Event, Packet},
    },
};

/// The most acknowledgements that one client may owe.
const MAX_ACKS: usize = 1024;

/// Why no acknowledgement came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AckError {
    /// Not in time.
    #[error("no acknowledgement in time")]
    TimedOut,
    /// The client left.
    #[error("the client left")]
    Disconnected,
    /// It owes too many already.
    #[error("the client owes too many acknowledgements")]
    TooMany,
}

/// A client in a namespace.
pub struct Socket<D> {
    /// Which namespace.
    pub namespace: &'static str,
    /// What the handlers keep of it.
    pub data: D,
    outbox: Rc<Outbox>,
    /// Made with the first acknowledgement that is asked for.
    acks: RefCell<Option<Box<Acks>>>,
}

/// The acknowledgements that a client owes, by their ids.
#[derive(Default)]
struct Acks {
    waiting: HashMap<u64, oneshot::Sender<Args<'static>>>,
    next: u64,
}

impl<D> Socket<D> {
    pub(super) fn new(namespace: &'static str, data: D, outbox: Rc<Outbox>) -> Rc<Self> {
        Rc::new(Self { namespace, data, outbox, acks: RefCell::default() })
    }

    /// Sends an event. The arguments are JSON values joined by commas, with their attachments.
    pub fn emit(&self, name: &str, args: Args<'_>) {
        self.send(Body::Event(Event { name: name.into(), args, ack_id: None }));
    }

    /// Acknowledges an event.
    pub fn ack(&self, id: u64, args: Args<'_>) {
        self.send(Body::Ack { id, args });
    }

    /// Sends an event and waits for its acknowledgement.
    ///
    /// # Errors
    /// None comes in time, or ever.
    pub async fn request(
        &self,
        name: &str,
        args: Args<'_>,
        timeout: Duration,
    ) -> Result<Args<'static>, AckError> {
        let (id, acknowledged) = self.expect_ack().ok_or(AckError::TooMany)?;
        self.send(Body::Event(Event { name: name.into(), args, ack_id: Some(id) }));
        let acknowledged = tokio::time::timeout(timeout, acknowledged).await;
        self.take_ack(id);
        acknowledged.map_err(|_| AckError::TimedOut)?.map_err(|_| AckError::Disconnected)
    }

    fn expect_ack(&self) -> Option<(u64, oneshot::Receiver<Args<'static>>)> {
        let mut acks = self.acks.borrow_mut();
        let acks = acks.get_or_insert_default();
        if acks.waiting.len() >= MAX_ACKS {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        let id = acks.next;
        acks.next += 1;
        acks.waiting.insert(id, sender);
        Some((id, receiver))
    }

    /// Who waits for an acknowledgement, if anyone does.
    pub(super) fn take_ack(&self, id: u64) -> Option<oneshot::Sender<Args<'static>>> {
        self.acks.borrow_mut().as_mut()?.waiting.remove(&id)
    }

    /// Nobody will acknowledge anything any more.
    pub(super) fn forget_acks(&self) {
        self.acks.take();
    }

    fn send(&self, body: Body<'_>) {
        send(&self.outbox, self.namespace, body);
    }
}

/// Sends a packet with its attachments, all in one write.
pub(super) fn send(outbox: &Outbox, namespace: &str, body: Body<'_>) {
    let packet = Packet { namespace: namespace.into(), body };
    let mut text = String::new();
    packet.put(&mut text);
    let attachments = packet.attachments().iter().cloned().map(Frame::Binary);
    let frames: Vec<Frame<'_>> = std::iter::once(Frame::Message(&text)).chain(attachments).collect();
    outbox.send(&outbox.wire().packets(&frames));
}
