//! Socket.IO 5: packets between the namespaces of a client and of a server, as text and binary attachments. Who is
//! connected to what, and what events mean, is not for here.
//!
//! Arguments stay the JSON text that came, checked but not taken apart: they go out again byte for byte whatever their
//! numbers and their order of keys, a handler reads them straight into its own types, and a packet takes no more
//! memory than its text. (The features of serde_json that keep numbers and order, `arbitrary_precision` and
//! `preserve_order`, would change `Value` for the whole program and all that it depends on.)
//!
//! What is quoted comes from the protocol document, `docs/socket.io-protocol/v5-current.md` of socketio/socket.io.

mod args;
mod decode;
mod decoder;
mod encode;
mod placeholder;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bytes::Bytes;
use serde::de::{DeserializeOwned, value::SeqAccessDeserializer};

pub use decoder::{Decoder, Limits};
pub use encode::{put_ack, put_connect, put_connect_error, put_disconnect, put_event};
pub use placeholder::Placeholder;

/// The main namespace, which packets don't name.
pub const MAIN: &str = "/";

/// Names that no event may have: the reference parser of 4.8 refuses them.
pub const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// "A Socket.IO packet contains a packet type, a namespace, optionally a payload, optionally an acknowledgment id"
/// ("Exchange protocol").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Begins with `/`, has no comma and no query.
    pub namespace: Cow<'a, str>,
    /// The type and what comes with it.
    pub body: Body<'a>,
}

/// The packet types. `BINARY_EVENT` and `BINARY_ACK` are [`Body::Event`] and [`Body::Ack`] with attachments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// "Used during the connection to a namespace": from a client perhaps with the JSON object of its credentials, from
    /// a server with `{"sid":…}`.
    Connect(Option<Cow<'a, str>>),
    /// "Used when disconnecting from a namespace".
    Disconnect,
    /// "Used to send data to the other side".
    Event(Event<'a>),
    /// "Used to acknowledge an event", with the id that the event had.
    Ack {
        /// Which event is acknowledged.
        id: u64,
        /// "The payload is mandatory and MUST be an array (possibly empty)".
        args: Args<'a>,
    },
    /// "Used during the connection to a namespace": from a server, a JSON object with a `message`, or a JSON string.
    ConnectError(Cow<'a, str>),
}

/// "The payload is mandatory and MUST be a non-empty array": a name, then arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// None of [`RESERVED_EVENTS`]. The reference takes numbers too; this codec takes strings.
    pub name: Cow<'a, str>,
    /// What comes after the name.
    pub args: Args<'a>,
    /// "The sender MAY include an event ID in order to request an acknowledgement from the receiver."
    pub ack_id: Option<u64>,
}

/// The arguments of an event or an acknowledgement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args<'a> {
    /// JSON values joined by commas; empty for none. A [`Placeholder`] stands for each attachment. Of an event without
    /// attachments they are not checked before [`Args::parse`].
    pub json: Cow<'a, str>,
    /// "Binary attachments extracted", in the order of their placeholders' numbers.
    pub attachments: Vec<Bytes>,
}

/// Why a text or a sequence of messages is no packet: "if that's not the case, then the receiver MUST close the
/// connection" ("Sending and receiving data").
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No digit from 0 to 6 in front.
    #[error("an unknown Socket.IO packet type")]
    UnknownType,
    /// A binary packet that does not say how many attachments it has.
    #[error("an illegal number of attachments")]
    IllegalAttachments,
    /// More attachments than the limit.
    #[error("too many attachments")]
    TooManyAttachments,
    /// A binary packet over the limit, its attachments counted.
    #[error("a binary packet over the limit")]
    TooBig,
    /// A placeholder for an attachment that the packet does not have.
    #[error("a placeholder for no attachment")]
    IllegalPlaceholder,
    /// Text where an attachment is due.
    #[error("text where an attachment should come")]
    AttachmentExpected,
    /// Bytes where no attachment is due.
    #[error("an attachment of no packet")]
    AttachmentUnexpected,
    /// An id that is over 64 bits, or missing from an acknowledgement.
    #[error("an illegal acknowledgement id")]
    IllegalAckId,
    /// A payload that is not JSON, or not what the packet type has.
    #[error("an invalid payload")]
    InvalidPayload,
    /// An event with a name of [`RESERVED_EVENTS`].
    #[error("a reserved event name")]
    ReservedEvent,
}

impl Packet<'_> {
    /// The attachments, to be sent after the text in this order.
    #[must_use]
    pub fn attachments(&self) -> &[Bytes] {
        match &self.body {
            Body::Event(Event { args, .. }) | Body::Ack { args, .. } => &args.attachments,
            Body::Connect(_) | Body::Disconnect | Body::ConnectError(_) => &[],
        }
    }

    /// The same packet, independent of the text it was read from.
    #[must_use]
    pub fn into_owned(self) -> Packet<'static> {
        let body = match self.body {
            Body::Connect(auth) => Body::Connect(auth.map(owned)),
            Body::Disconnect => Body::Disconnect,
            Body::Event(event) => Body::Event(event.into_owned()),
            Body::Ack { id, args } => Body::Ack { id, args: args.into_owned() },
            Body::ConnectError(error) => Body::ConnectError(owned(error)),
        };
        Packet { namespace: owned(self.namespace), body }
    }
}

impl Event<'_> {
    /// The same event, independent of the text it was read from.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        Event { name: owned(self.name), args: self.args.into_owned(), ack_id: self.ack_id }
    }
}

impl<'a> From<&'a str> for Args<'a> {
    /// From JSON values joined by commas, without attachments.
    fn from(json: &'a str) -> Self {
        Self { json: json.into(), attachments: Vec::new() }
    }
}

impl Args<'_> {
    /// Reads the arguments as a tuple, a struct (by position, missing ones by `#[serde(default)]`) or a `Vec`. As with
    /// a JavaScript handler, arguments that nobody asks for are no error.
    ///
    /// # Errors
    /// One of the arguments is missing, is something else, or is not JSON.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(SeqAccessDeserializer::new(args::Items::new(&self.json)))
    }

    /// The same arguments, independent of the text they were read from.
    #[must_use]
    pub fn into_owned(self) -> Args<'static> {
        Args { json: owned(self.json), attachments: self.attachments }
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// The types on the wire ("Exchange protocol"), where the binary ones are types of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
    BinaryEvent,
    BinaryAck,
}
