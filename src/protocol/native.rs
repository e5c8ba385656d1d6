//! The JSON envelope of `/ws` (docs/contract.md §3b): `{"type": "BUY", "payload": {…}, "id": 7}`.

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::frame;

/// What a client says.
#[derive(Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The event's name.
    pub event: String,
    /// Its arguments: "several arguments come as an array in `payload`" (docs/contract.md §3b), this way round too.
    pub args: Vec<Value>,
    /// The client's number for it, when it wants an answer: a JSON number or string, given back as it came.
    pub id: Option<Value>,
}

/// Why a text is no envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopeError {
    /// Not JSON.
    NotJson,
    /// JSON, but not `{"type": "…"}`, or an `id` that is neither a number nor a short string.
    NotAnEnvelope,
}

const MAX_EVENT_NAME: usize = 128;
const MAX_ID: usize = 128;

#[derive(Deserialize)]
struct Incoming {
    #[serde(rename = "type")]
    event: String,
    #[serde(default)]
    payload: Value,
    #[serde(default)]
    id: Option<Value>,
}

/// Reads an envelope.
///
/// # Errors
/// The text is something else.
pub fn decode(text: &str) -> Result<Envelope, EnvelopeError> {
    let incoming: Incoming = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => EnvelopeError::NotAnEnvelope,
        _ => EnvelopeError::NotJson,
    })?;
    let id_fits = match &incoming.id {
        None | Some(Value::Number(_)) => true,
        Some(Value::String(id)) => id.len() <= MAX_ID,
        Some(_) => false,
    };
    if !id_fits || incoming.event.is_empty() || incoming.event.len() > MAX_EVENT_NAME {
        return Err(EnvelopeError::NotAnEnvelope);
    }
    let args = match incoming.payload {
        Value::Array(args) => args,
        payload => vec![payload],
    };
    Ok(Envelope { event: incoming.event, args, id: incoming.id })
}

/// Appends an event, its payload given as JSON, as a WebSocket frame.
pub fn put_event(out: &mut BytesMut, event: &str, payload: &str) {
    // Names of events are ours: letters and underscores, nothing to escape.
    frame::put_text(out, &format!(r#"{{"type":"{event}","payload":{payload}}}"#));
}

/// Encodes an event, its payload given as JSON, as a WebSocket frame.
#[must_use]
pub fn event(event: &str, payload: &str) -> Bytes {
    let mut out = BytesMut::new();
    put_event(&mut out, event, payload);
    out.freeze()
}

/// Encodes the answer to an envelope with an `id` as a WebSocket frame.
#[must_use]
pub fn ack(id: &Value, payload: &str) -> Bytes {
    #[derive(Serialize)]
    struct Ack<'a> {
        #[serde(rename = "type")]
        event: &'static str,
        id: &'a Value,
        payload: &'a RawValue,
    }
    let payload: &RawValue = serde_json::from_str(payload).expect("payloads are JSON of our own making");
    let text = serde_json::to_string(&Ack { event: "ack", id, payload });
    frame::text(&text.expect("strings, numbers and JSON are always JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_has_a_type_and_perhaps_the_rest() {
        let envelope = decode(r#"{"type": "BUY", "payload": {"goodsId": 4}, "id": 7, "more": 1}"#).unwrap();
        assert_eq!((envelope.event.as_str(), envelope.id), ("BUY", Some(7.into())));
        assert_eq!(decode(r#"{"type": "PING"}"#).unwrap().args, [Value::Null]);
        assert_eq!(decode("rubbish"), Err(EnvelopeError::NotJson));
        assert_eq!(decode(""), Err(EnvelopeError::NotJson));
        for bad in ["[]", "7", "{}", r#"{"type": 7}"#, r#"{"type": ""}"#, r#"{"type": "BUY", "id": {}}"#] {
            assert_eq!(decode(bad), Err(EnvelopeError::NotAnEnvelope), "{bad}");
        }
    }

    #[test]
    fn an_ack_gives_the_id_back_as_it_came() {
        let frame = ack(&"a\"b".into(), r#"{"ok":true}"#);
        assert_eq!(&frame[2..], br#"{"type":"ack","id":"a\"b","payload":{"ok":true}}"#);
        let id = decode(r#"{"type": "BUY", "id": 4444444444444444444444444444444444444444444}"#).unwrap().id;
        let frame = ack(&id.unwrap(), "1");
        assert_eq!(&frame[2..], br#"{"type":"ack","id":4.4444444444444445e+42,"payload":1}"#);
    }
}
