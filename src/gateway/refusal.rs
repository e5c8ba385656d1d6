//! How the answer to an event looks to its client: an acknowledgement, or the event `error` for a refusal that nobody
//! asked an acknowledgement of.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{Offset, OrderId, Said, Timestamp},
    protocol::{events::EventError, native::EnvelopeError},
    service::ServiceError,
    telemetry,
    web::{
        Code,
        edge::log_cause,
        messages::{self, Language},
        problem::Problem,
    },
};

/// What an event leads to.
pub(super) type Reply = Result<Ack, Refusal>;

/// The members of a good acknowledgement beside `ok`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Ack {
    /// Nothing more to say.
    Done,
    /// An order was placed; `id` is the offset of its alert, `null` when there is none.
    #[serde(rename_all = "camelCase")]
    Order {
        /// Which.
        order_id: OrderId,
        /// The offset of its alert.
        id: Option<Offset>,
    },
    /// How many are in the room.
    Room {
        /// Sessions.
        count: usize,
    },
    /// How many are in the room, the names of the first of them, and what was said there lately.
    Entered {
        /// Sessions.
        count: usize,
        /// The names of the first of them.
        #[schema(value_type = Vec<String>)]
        people: Vec<Box<str>>,
        /// The oldest first.
        #[schema(value_type = Vec<Told<'static>>)]
        messages: Vec<ToldMessage>,
    },
    /// The name in chat.
    Nickname {
        /// As it is shown.
        nickname: String,
    },
    /// When the log-in ends.
    #[serde(rename_all = "camelCase")]
    Session {
        /// Then.
        expires_at: Timestamp,
    },
}

/// A message that was said before, as it is told.
#[derive(Serialize, ToSchema)]
struct Told<'a> {
    nickname: &'a str,
    message: &'a str,
    date: Timestamp,
}

/// A message that was said before.
#[derive(Clone, Debug)]
pub struct ToldMessage(pub(super) Arc<Said>);

impl Serialize for ToldMessage {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Said { nickname, message, at, .. } = &*self.0;
        Told { nickname, message, date: *at }.serialize(serializer)
    }
}

/// A refusal: a stable code and a sentence, in the language of whoever is told it.
#[derive(Debug)]
pub struct Refusal {
    code: Code,
    says: Says,
}

#[derive(Debug)]
enum Says {
    /// What its code says.
    Code,
    /// What the event takes.
    Rule(&'static str),
    /// What the same refusal says over HTTP.
    Problem(Problem),
}

#[derive(Serialize)]
struct Accepted<'a> {
    ok: bool,
    #[serde(flatten)]
    ack: Option<&'a Ack>,
}

/// The acknowledgement of an event that was refused.
#[derive(Serialize, ToSchema)]
pub struct Refused<'a> {
    /// `false`.
    ok: bool,
    /// Why, as a stable name.
    #[schema(examples("out_of_stock"))]
    code: &'a str,
    message: &'a str,
}

/// The payload of the event `error`.
#[derive(Serialize, ToSchema)]
pub struct ErrorEvent<'a> {
    /// Which event was refused, if that is known.
    event: Option<&'a str>,
    /// Why, as a stable name.
    code: &'a str,
    message: &'a str,
}

/// The acknowledgement of an event, as JSON.
pub(super) fn ack(reply: &Reply, language: Language) -> String {
    match reply {
        // `Done` serializes as null, which cannot be flattened.
        Ok(Ack::Done) => json(&Accepted { ok: true, ack: None }),
        Ok(ack) => json(&Accepted { ok: true, ack: Some(ack) }),
        Err(refusal) => {
            json(&Refused { ok: false, code: refusal.code(), message: &refusal.message(language) })
        }
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("structs of numbers and strings are always JSON")
}

impl Refusal {
    /// A payload that is not what the event takes, as a sentence of [`messages::of_event`] says.
    #[must_use]
    pub fn validation(rule: &'static str) -> Self {
        Self::with_rule(Code::Validation, rule)
    }

    /// A refusal that its code explains. Counts it.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self::says(code, Says::Code)
    }

    /// A refusal with a sentence of [`messages::of_event`] that says more than its code. Counts it.
    #[must_use]
    pub fn with_rule(code: Code, rule: &'static str) -> Self {
        Self::says(code, Says::Rule(rule))
    }

    fn says(code: Code, says: Says) -> Self {
        telemetry::refused(code.name());
        Self { code, says }
    }

    /// Whether it is the server's fault, which passes.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.code.status().is_server_error()
    }

    /// Its stable name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code.name()
    }

    /// Its sentence.
    #[must_use]
    pub fn message(&self, language: Language) -> String {
        match &self.says {
            Says::Code => self.code.sentence(language, ""),
            Says::Rule(rule) => messages::of_event(rule, language).to_owned(),
            Says::Problem(problem) => problem.message(language),
        }
    }

    /// The payload of the event `error`, naming the event that was refused, if it is known.
    #[must_use]
    pub fn error_event(&self, event: Option<&str>, language: Language) -> String {
        json(&ErrorEvent { event, code: self.code(), message: &self.message(language) })
    }
}

impl From<EnvelopeError> for Refusal {
    fn from(error: EnvelopeError) -> Self {
        Self::with_rule(
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
            EventError::Unknown => Self::new(Code::UnknownEvent),
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
    /// The sentence that a page would show for the same refusal over HTTP. It is counted with its cause.
    fn from(problem: Problem) -> Self {
        log_cause(&problem);
        Self { code: problem.code(), says: Says::Problem(problem) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::events::ClientEvent;

    #[test]
    fn what_an_event_takes_is_said_in_korean_too() {
        let events = ClientEvent::NAMES.iter().copied().chain(["HOP"]);
        let refusals = events
            .map(|event| Refusal::from(ClientEvent::read(event, [7.into()]).unwrap_err()))
            .chain([EnvelopeError::NotJson.into(), EnvelopeError::NotAnEnvelope.into()]);
        for refusal in refusals {
            let (english, korean) = (refusal.message(Language::English), refusal.message(Language::Korean));
            assert!(english.is_ascii() || english.contains('…'), "{english}");
            assert!(korean.chars().any(|c| ('가'..='힣').contains(&c)), "{english} is {korean}");
        }
    }
}
