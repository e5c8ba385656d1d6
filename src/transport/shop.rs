//! What the shop's events ask for, whatever transport they came by.

use serde_json::{Value, json};

use crate::{
    clock,
    domain::Fields,
    protocol::native::EnvelopeError,
    realtime::Login,
    service::{ServiceError, orders::OrderRequest},
    state::AppState,
    web::{edge::log_cause, messages::Language, problem::Problem},
};

/// The payload of a good acknowledgement, or why it is refused.
pub(super) type Reply = Result<Value, Refusal>;

/// A refusal: stable code and sentence, as an acknowledgement or the event `error` gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    /// No such event.
    pub(super) fn unknown_event() -> Self {
        Self::new("unknown_event", "There is no such event.")
    }

    /// A payload that is not what the event takes.
    pub(super) fn payload(message: &str) -> Self {
        Self::new("validation", message)
    }

    fn new(code: &'static str, message: &str) -> Self {
        Self { code, message: message.to_owned() }
    }

    /// As an acknowledgement.
    pub(super) fn ack(&self) -> Value {
        json!({"ok": false, "code": self.code, "message": self.message})
    }

    /// As the event `error`, naming the event that was refused, if it is known.
    pub(super) fn event(&self, event: Option<&str>) -> Value {
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

/// The event `BUY` (CONTRACT §3, "`BUY` rules").
pub(super) async fn buy(app: &AppState, login: Option<&Login>, payload: Value) -> Reply {
    let login = login.ok_or_else(|| Refusal::from(Problem::login_required()))?;
    let Value::Object(payload) = payload else {
        return Err(Refusal::payload("BUY takes an object with goodsId or items."));
    };
    let request = OrderRequest::read_buy(Fields::new(payload))?;
    let placed = app.orders.place(login.user_id, request, clock::now()).await?;
    Ok(json!({"ok": true, "orderId": placed.order.order_id, "id": placed.notification}))
}
