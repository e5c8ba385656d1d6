//! How the answer to an event looks to its client: an acknowledgement, or the event `error` for a refusal that nobody
//! asked an acknowledgement of.

use serde::Serialize;

use crate::{
    domain::{Offset, OrderId, Timestamp},
    protocol::{events::EventError, native::EnvelopeError},
    service::ServiceError,
    telemetry,
    web::{Code, edge::log_cause, messages::Language, problem::Problem},
};

/// What an event leads to.
pub(super) type Reply = Result<Ack, Refusal>;

/// The members of a good acknowledgement beside `ok`.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(super) enum Ack {
    /// Nothing more to say.
    Done,
    /// An order was placed; `id` is the offset of its alert, `null` when there is none.
    Order { order_id: OrderId, id: Option<Offset> },
    /// How many are in the room.
    Room { count: usize },
    /// The name in chat.
    Nickname { nickname: String },
    /// When the log-in ends.
    Session { expires_at: Timestamp },
}

/// A refusal: a stable code and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    code: Code,
    message: String,
}

#[derive(Serialize)]
struct Accepted<'a> {
    ok: bool,
    #[serde(flatten)]
    ack: Option<&'a Ack>,
}

#[derive(Serialize)]
struct Refused<'a> {
    ok: bool,
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct ErrorEvent<'a> {
    event: Option<&'a str>,
    code: &'a str,
    message: &'a str,
}

/// The acknowledgement of an event, as JSON.
pub(super) fn ack(reply: &Reply) -> String {
    match reply {
        // `Done` serializes as null, which cannot be flattened.
        Ok(Ack::Done) => json(&Accepted { ok: true, ack: None }),
        Ok(ack) => json(&Accepted { ok: true, ack: Some(ack) }),
        Err(Refusal { code, message }) => json(&Refused { ok: false, code: code.name(), message }),
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("structs of numbers and strings are always JSON")
}

impl Refusal {
    /// A payload that is not what the event takes.
    #[must_use]
    pub fn validation(message: &str) -> Self {
        Self::new(Code::Validation, message)
    }

    /// More than is taken at once.
    #[must_use]
    pub fn too_many_messages() -> Self {
        Self::new(Code::TooManyMessages, "Too many messages. Please wait a moment.")
    }

    /// A refusal with a code of its own. Counts it.
    #[must_use]
    pub fn new(code: Code, message: &str) -> Self {
        telemetry::refused(code.name());
        Self { code, message: message.to_owned() }
    }

    /// Its stable name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code.name()
    }

    /// Its sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The payload of the event `error`, naming the event that was refused, if it is known.
    #[must_use]
    pub fn error_event(&self, event: Option<&str>) -> String {
        json(&ErrorEvent { event, code: self.code.name(), message: &self.message })
    }
}

impl From<EnvelopeError> for Refusal {
    fn from(error: EnvelopeError) -> Self {
        Self::new(
            Code::MalformedMessage,
            match error {
                EnvelopeError::NotJson => "A message is a JSON text.",
                EnvelopeError::NotAnEnvelope => {
                    "A message is {\"type\": \"…\", \"payload\": …}, with an id that is a number or a short string."
                }
            },
        )
    }
}

impl From<EventError> for Refusal {
    fn from(error: EventError) -> Self {
        match error {
            EventError::Unknown => Self::new(Code::UnknownEvent, "There is no such event."),
            EventError::Payload(message) => Self::validation(message),
        }
    }
}

impl From<ServiceError> for Refusal {
    fn from(error: ServiceError) -> Self {
        Problem::from(error).into()
    }
}

impl From<Problem> for Refusal {
    /// The sentence that a page would show for the same refusal over HTTP.
    fn from(problem: Problem) -> Self {
        log_cause(&problem);
        Self { code: problem.code(), message: problem.message(Language::English) }
    }
}
