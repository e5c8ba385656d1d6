//! A WebSocket, as its handler and its tasks share it.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use crate::{limits::ConnectionPermit, outbox::Outbox};

/// What a client may send.
#[derive(Clone, Copy, Debug)]
pub struct MessageLimits {
    /// Bytes of one message.
    pub bytes: usize,
    /// Time for it to come.
    pub time: Duration,
}

/// What the messages of a WebSocket mean.
pub trait Handler: Sized + 'static {
    /// What the client may send now. Asked for each piece that comes.
    fn limits(&self) -> MessageLimits;
    /// A frame came, whatever it is, and completed a message or was a part of one. Returns whether it may be looked at.
    fn admit(&self) -> bool {
        true
    }
    /// A text message came.
    fn text(&self, text: String, socket: &WebSocket<Self>);
    /// A binary message came.
    fn binary(&self, bytes: Vec<u8>, socket: &WebSocket<Self>);
    /// The connection is gone.
    fn closed(&self, socket: &WebSocket<Self>);
}

/// A WebSocket: its handler, and the outbox that writes to it, which is another one after an upgrade from polling.
pub struct WebSocket<H>(pub(super) Rc<Inner<H>>);

impl<H> Clone for WebSocket<H> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

pub(super) struct Inner<H> {
    pub(super) handler: H,
    outbox: RefCell<Rc<Outbox>>,
    /// The actor has ended.
    pub(super) context_ended: Cell<bool>,
    /// Nothing more is taken from the client, which broke the protocol for example: what it may still send is not understood, its close frame neither, so that the
    /// connection ends after ours.
    pub(super) broken: Cell<bool>,
    /// The client is not read from, because it does not take what it is sent.
    pub(super) held_back: Cell<bool>,
    /// Given back with the last of the connection.
    _permit: Option<ConnectionPermit>,
}

impl<H: Handler> WebSocket<H> {
    /// With the outbox that writes to it, and the connection's permit.
    #[must_use]
    pub fn new(handler: H, outbox: Rc<Outbox>, permit: Option<ConnectionPermit>) -> Self {
        Self(Rc::new(Inner {
            handler,
            outbox: RefCell::new(outbox),
            context_ended: Cell::new(false),
            broken: Cell::new(false),
            held_back: Cell::new(false),
            _permit: permit,
        }))
    }

    /// The outbox that writes to it.
    #[must_use]
    pub fn outbox(&self) -> Rc<Outbox> {
        Rc::clone(&self.0.outbox.borrow())
    }

    /// Sets another outbox.
    pub fn set_outbox(&self, outbox: Rc<Outbox>) {
        self.0.outbox.replace(outbox);
    }
}
