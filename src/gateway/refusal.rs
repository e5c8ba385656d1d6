//! How the refusal of an event looks to its client: stable code and sentence, in an acknowledgement or in the event
//! `error`.

use serde_json::{Value, json};

use crate::{
    protocol::native::EnvelopeError,
    service::ServiceError,
    telemetry,
    web::{edge::log_cause, messages::Language, problem::Problem},
};

/// The payload of a good acknowledgement, or why it is refused.
pub type Reply = Result<Value, Refusal>;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    /// No such event.
    #[must_use]
    pub fn unknown_event() -> Self {
        Self::new("unknown_event", "There is no such event.")
    }

    /// A payload that is not what the event takes.
    #[must_use]
    pub fn payload(message: &str) -> Self {
        Self::new("validation", message)
    }

    /// More than is taken at once.
    #[must_use]
    pub fn too_many_messages() -> Self {
        Self::new("too_many_messages", "Too many messages. Please wait a moment.")
    }

    /// A refusal with a code of its own.
    #[must_use]
    pub fn new(code: &'static str, message: &str) -> Self {
        telemetry::refused(code);
        Self { code, message: message.to_owned() }
    }

    /// Its stable name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Its sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// As an acknowledgement.
    #[must_use]
    pub fn ack(&self) -> Value {
        json!({"ok": false, "code": self.code, "message": self.message})
    }

    /// As the event `error`, naming the event that was refused, if it is known.
    #[must_use]
    pub fn event(&self, event: Option<&str>) -> Value {
        json!({"event": event, "code": self.code, "message": self.message})
    }
}

impl From<EnvelopeError> for Refusal {
    fn from(error: EnvelopeError) -> Self {
        Self::new(
            "malformed_message",
            match error {
                EnvelopeError::NotJson => "A message is a JSON text.",
                EnvelopeError::NotAnEnvelope => {
                    "A message is {\"type\": \"…\", \"payload\": …}, with an id that is a number or a short string."
                }
            },
        )
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
