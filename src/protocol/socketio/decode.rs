//! From the text of one packet to its parts ("Packet encoding", "Format"):
//! `<packet type>[<# of binary attachments>-][<namespace>,][<acknowledgment id>][JSON-stringified payload without binary]`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Args, Body, Error, Event, Kind, MAIN, Packet, RESERVED_EVENTS, placeholder};

/// White space of JSON (RFC 8259 §2).
const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];

/// What stands in front of the payload.
struct Header<'a> {
    kind: Kind,
    attachments: usize,
    namespace: &'a str,
    id: Option<u64>,
}

/// Reads a packet, and the number of attachments that are to follow it: at most `max_attachments`.
pub(super) fn packet(text: &str, max_attachments: usize) -> Result<(Packet<'_>, usize), Error> {
    let (header, payload) = header(text, max_attachments)?;
    let body = match header.kind {
        Kind::Connect if payload.is_empty() => Body::Connect(None),
        Kind::Connect => Body::Connect(Some(json(payload, &['{'])?.into())),
        Kind::Disconnect if payload.is_empty() => Body::Disconnect,
        Kind::Disconnect => return Err(Error::InvalidPayload),
        Kind::ConnectError => Body::ConnectError(json(payload, &['{', '"'])?.into()),
        Kind::Event => {
            // The arguments are read once, by whoever knows what they should be: see `Args::parse`.
            let (name, args) = event(payload.trim_matches(BLANK))?;
            Body::Event(Event { name, args: args.into(), ack_id: header.id })
        }
        Kind::BinaryEvent => {
            let (name, args) = event(array(&header, payload)?)?;
            Body::Event(Event { name, args: args.into(), ack_id: header.id })
        }
        Kind::Ack | Kind::BinaryAck => Body::Ack {
            id: header.id.ok_or(Error::IllegalAckId)?,
            args: Args::from(inside(array(&header, payload)?).trim_matches(BLANK)),
        },
    };
    Ok((Packet { namespace: header.namespace.into(), body }, header.attachments))
}

fn header(text: &str, max_attachments: usize) -> Result<(Header<'_>, &str), Error> {
    let mut rest = text.chars();
    let kind = rest.next().and_then(Kind::from_digit).ok_or(Error::UnknownType)?;
    let (attachments, rest) = match kind {
        Kind::BinaryEvent | Kind::BinaryAck => attachments(rest.as_str(), max_attachments)?,
        _ => (0, rest.as_str()),
    };
    let (namespace, rest) = namespace(rest);
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (id, payload) = rest.split_at(digits);
    let id = match id {
        "" => None,
        id => Some(id.parse().map_err(|_| Error::IllegalAckId)?),
    };
    Ok((Header { kind, attachments, namespace, id }, payload))
}

fn attachments(text: &str, max: usize) -> Result<(usize, &str), Error> {
    let (count, rest) = text.split_once('-').ok_or(Error::IllegalAttachments)?;
    if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::IllegalAttachments);
    }
    match count.parse() {
        Ok(count) if count <= max => Ok((count, rest)),
        // A number of digits that does not fit is too many as well.
        _ => Err(Error::TooManyAttachments),
    }
}

/// "The namespace is only included if it is different from the main namespace"; it ends at a comma or with the packet,
/// as in `40/custom`. Some clients (python-socketio among them) let a query follow, which addresses nothing.
fn namespace(text: &str) -> (&str, &str) {
    if !text.starts_with('/') {
        return (MAIN, text);
    }
    let (namespace, rest) = text.split_once(',').unwrap_or((text, ""));
    (namespace.split_once('?').map_or(namespace, |(path, _)| path), rest)
}

/// One JSON value, without white space around it, that begins with one of the characters.
fn json<'a>(text: &'a str, begins: &[char]) -> Result<&'a str, Error> {
    let value: &RawValue = serde_json::from_str(text).map_err(|_| Error::InvalidPayload)?;
    if value.get().starts_with(begins) { Ok(value.get()) } else { Err(Error::InvalidPayload) }
}

/// The array of an event or an acknowledgement. Only a binary one has placeholders: elsewhere what looks like one is
/// data.
fn array<'a>(header: &Header<'_>, payload: &'a str) -> Result<&'a str, Error> {
    let array = json(payload, &['['])?;
    if matches!(header.kind, Kind::BinaryEvent | Kind::BinaryAck) {
        placeholder::check(array, header.attachments)?;
    }
    Ok(array)
}

/// What is between the brackets.
fn inside(array: &str) -> &str {
    array.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default()
}

/// Takes the name off the array of an event. What follows the name is not looked at.
fn event(array: &str) -> Result<(Cow<'_, str>, &str), Error> {
    /// Borrowed, unless it has escapes.
    #[derive(Deserialize)]
    struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

    let items =
        array.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or(Error::InvalidPayload)?;
    let mut values = serde_json::Deserializer::from_str(items).into_iter();
    let Some(Ok(Name(name))) = values.next() else { return Err(Error::InvalidPayload) };
    if RESERVED_EVENTS.contains(&&*name) {
        return Err(Error::ReservedEvent);
    }
    let rest = items.get(values.byte_offset()..).unwrap_or_default().trim_matches(BLANK);
    Ok((name, rest.strip_prefix(',').unwrap_or(rest).trim_start_matches(BLANK)))
}

impl Kind {
    fn from_digit(digit: char) -> Option<Self> {
        Some(match digit {
            '0' => Self::Connect,
            '1' => Self::Disconnect,
            '2' => Self::Event,
            '3' => Self::Ack,
            '4' => Self::ConnectError,
            '5' => Self::BinaryEvent,
            '6' => Self::BinaryAck,
            _ => return None,
        })
    }
}
