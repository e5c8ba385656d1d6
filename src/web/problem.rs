//! How a refusal looks on the wire: `application/problem+json` (RFC 9457), from whatever layer it comes.
//!
//! Handlers return `Result<_, Problem>`; the [`edge`](super::edge) writes it in the request's language. Outside of
//! actix-web's handlers (the WebSocket upgrade) [`Problem::parts`] gives the same answer as bytes.

use actix_web::{
    HttpResponse, ResponseError,
    body::BoxBody,
    http::{
        ConnectionType, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
            VARY, WWW_AUTHENTICATE,
        },
    },
};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    code::Code,
    messages::{self, Language},
};
use crate::{
    domain::{FieldError, GoodsId, Offset},
    limits::{RateExceeded, TooManyAttempts},
    protocol::shapes::Amount,
    service::ServiceError,
};

/// When there is no better guess: work that waits is done a second later.
const RETRY_SECONDS: u64 = 1;

/// A refusal or a failure.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    code: Code,
    detail: String,
    /// What the user's sentence is about.
    subject: String,
    errors: Vec<FieldError>,
    members: Members,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<ServiceError>,
}

/// Why something was refused, or failed (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
#[serde(rename_all = "camelCase")]
pub struct Wire<'a> {
    #[schema(examples("about:blank"))]
    r#type: &'static str,
    /// What its status is called.
    title: &'a str,
    status: u16,
    /// Why, for developers.
    detail: &'a str,
    /// Why, as a stable name.
    code: &'a str,
    /// A sentence for the user, Korean or English by `Accept-Language`.
    error_message: String,
    /// Every field that is wrong, with `validation`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldProblem<'a>>,
    #[serde(flatten)]
    members: &'a Members,
}

/// What some refusals say besides.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ProblemMembers)]
#[serde(rename_all = "camelCase")]
pub struct Members {
    /// With `out_of_stock`: of which goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    goods_id: Option<GoodsId>,
    /// With `price_changed`: what was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = f64, required = false)]
    expected_total: Option<Amount>,
    /// With `price_changed`: what it comes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = f64, required = false)]
    total: Option<Amount>,
    /// With `too_old`: the oldest offset that there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    oldest: Option<Offset>,
}

/// A field that is wrong.
#[derive(Serialize, ToSchema)]
struct FieldProblem<'a> {
    field: &'a str,
    /// Why, as a stable name.
    #[schema(examples("required"))]
    code: &'static str,
    /// Why, in the language of the user.
    message: &'static str,
}

impl<'a> FieldProblem<'a> {
    fn new(error: &'a FieldError, language: Language) -> Self {
        Self { field: &error.field, code: error.code, message: messages::rule(error, language) }
    }
}

impl Problem {
    /// A refusal that `detail` explains to a developer.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let status = code.status();
        let problem = Self(Box::new(Inner {
            status,
            code,
            detail: detail.into(),
            subject: String::new(),
            errors: Vec::new(),
            members: Members::default(),
            headers: Vec::new(),
            cause: None,
        }));
        match status {
            // RFC 9110 §15.5.2 demands a challenge.
            StatusCode::UNAUTHORIZED => {
                problem.with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                problem.with_header(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS))
            }
            _ => problem,
        }
    }

    /// The problem for a bare status, from a layer that knows no more.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        let (code, detail) = Code::of_status(status);
        let mut problem = Self::new(code, detail);
        problem.0.status = status;
        problem
    }

    /// 401: the client is not logged in.
    #[must_use]
    pub fn login_required() -> Self {
        Self::new(Code::LoginRequired, "log in with POST /api/auth and send its token or cookie")
    }

    /// 404.
    #[must_use]
    pub fn not_found() -> Self {
        Self::of_status(StatusCode::NOT_FOUND)
    }

    /// Sets a header of the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.retain(|(other, _)| *other != name);
        self.0.headers.push((name, value));
        self
    }

    /// Why it was refused.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What failed, for the log; never shown.
    #[must_use]
    pub fn cause(&self) -> Option<&ServiceError> {
        self.0.cause.as_ref()
    }

    /// The sentence for a page to show, also for acknowledgements.
    #[must_use]
    pub fn message(&self, language: Language) -> String {
        let inner = &self.0;
        let mut names: Vec<_> =
            inner.errors.iter().map(|error| messages::field(&error.field, language)).collect();
        names.dedup();
        let subject = if names.is_empty() { inner.subject.clone() } else { names.join(", ") };
        inner.code.sentence(language, &subject)
    }

    /// Status, headers (without `Content-Length`) and body, for answers that are written without actix-web.
    #[must_use]
    pub fn parts(&self, language: Language) -> (StatusCode, HeaderMap, Bytes) {
        let inner = &self.0;
        let body = serde_json::to_vec(&Wire {
            r#type: "about:blank",
            title: inner.status.canonical_reason().unwrap_or("Error"),
            status: inner.status.as_u16(),
            detail: &inner.detail,
            code: inner.code.name(),
            error_message: self.message(language),
            errors: inner.errors.iter().map(|error| FieldProblem::new(error, language)).collect(),
            members: &inner.members,
        })
        .unwrap_or_default();
        let mut headers: HeaderMap = inner.headers.iter().cloned().collect();
        for (name, value) in [
            (CONTENT_TYPE, CONTENT_TYPE_VALUE),
            (CONTENT_LANGUAGE, language.tag()),
            (VARY, "Accept-Language"),
            (CACHE_CONTROL, "no-store"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        (inner.status, headers, body.into())
    }

    /// The same as an answer of actix-web.
    #[must_use]
    pub fn respond(&self, language: Language) -> HttpResponse<BoxBody> {
        let (status, headers, body) = self.parts(language);
        let mut response = HttpResponse::with_body(status, BoxBody::new(body));
        *response.headers_mut() = headers;
        // The rest of the head is not read, and a connection over the limit must not stay.
        if matches!(self.0.code, Code::HeadersTooLarge | Code::ServerFull) {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        response
    }
}

/// What every problem is.
pub const CONTENT_TYPE_VALUE: &str = "application/problem+json";

impl<E: Into<ServiceError>> From<E> for Problem {
    fn from(error: E) -> Self {
        let error = error.into();
        let code = Code::from(&error);
        // What a store or a library says stays in the log.
        let detail = match &error {
            ServiceError::Validation(errors) => match errors.first() {
                Some(first) => format!("{}: {}", first.field, first.message),
                None => "the request is not valid".to_owned(),
            },
            ServiceError::OutOfStock { goods_id, name, left } => {
                format!("{name} (goods {goods_id}) is out of stock: {left} left")
            }
            other => match code {
                Code::Unavailable => "too much work waits, try again".to_owned(),
                Code::InternalError => "something went wrong".to_owned(),
                _ => other.to_string(),
            },
        };
        let mut problem = Self::new(code, detail);
        match error {
            ServiceError::Validation(errors) => problem.0.errors = errors,
            ServiceError::OutOfStock { goods_id, name, .. } => {
                problem.0.members.goods_id = Some(goods_id);
                problem.0.subject = name;
            }
            ServiceError::PriceChanged { expected, total } => {
                let members = &mut problem.0.members;
                (members.expected_total, members.total) = (Some(Amount(expected)), Some(Amount(total)));
            }
            // Nothing failed.
            ServiceError::Restarting | ServiceError::MailNotConfigured => {}
            ServiceError::TooOld { oldest } => problem.0.members.oldest = Some(oldest),
            ServiceError::TooManyAttempts(TooManyAttempts { retry_after })
            | ServiceError::TooManyOrders(RateExceeded { retry_after })
            | ServiceError::TooManyReceipts(RateExceeded { retry_after })
            | ServiceError::TooManyResets(RateExceeded { retry_after })
            | ServiceError::TooManyCounts(RateExceeded { retry_after })
            | ServiceError::TooManyRegistrations(RateExceeded { retry_after }) => {
                problem = problem.with_header(RETRY_AFTER, HeaderValue::from(retry_after.as_secs()));
            }
            ServiceError::Limit(limit) => {
                problem = problem.with_header(RETRY_AFTER, HeaderValue::from(limit.retry_after().as_secs()));
            }
            other if problem.status().is_server_error() => problem.0.cause = Some(other),
            _ => {}
        }
        problem
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.code.name())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    /// In English; the edge answers in the request's language, which is not known here.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.respond(Language::English)
    }
}

#[cfg(test)]
mod tests;
