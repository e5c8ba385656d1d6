//! What happens to every request and every answer, whatever is in between: a number and a log line, CORS, the headers
//! of all answers, and that each refusal, even of a handler that panicked, is a problem in the user's language.

use std::{error::Error as _, panic::AssertUnwindSafe, time::Instant};

use actix_http::ConnectionType;
use actix_web::{
    Error, HttpResponse,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{ALLOW, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, RETRY_AFTER},
    },
    middleware::Next,
    web::Data,
};
use futures_util::FutureExt;
use tracing::{Instrument, Level, Span};

use super::{
    auth::{self, Identity},
    cors, event_stream,
    headers::{self, RequestId},
    listen,
    messages::Language,
    problem::{CONTENT_TYPE_VALUE, Problem},
};
use crate::{
    limits::{LimitExceeded, Standing},
    service::ServiceError,
    state::AppState,
    telemetry::{self, Repeated},
};

/// In the extensions of a response: a refusal that is to stay as it is, because another protocol (Engine.IO) or a
/// person (the page for 404) reads it.
#[derive(Clone, Copy, Debug)]
pub struct AsIs;

/// The outermost middleware. Needs [`AppState`] as `app_data`.
///
/// # Errors
/// Only after a panic, with an error that is the complete answer: the request that an answer needs is gone then.
pub async fn edge(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let id = RequestId::random();
    // A span takes longer than a request that goes well: without debugging only what fails has one.
    let span = if tracing::enabled!(Level::DEBUG) { span_of(id) } else { Span::none() };
    let language = Language::of(request.headers());
    let granted = granted(&request);
    let standing = request.conn_data::<Standing>().copied().unwrap_or(Standing::Served);
    let outcome = AssertUnwindSafe(pass(request, next)).catch_unwind().instrument(span.clone()).await;
    let failed = !matches!(&outcome, Ok(Ok(response)) if !response.status().is_server_error());
    let span = if span.is_none() && failed { span_of(id) } else { span };
    let _entered = span.enter();
    let path = uri.path();
    let outcome = match outcome {
        Ok(Ok(response)) => Ok(settle(response, language)),
        // No layer below answers with an error, but one may be added.
        Ok(Err(error)) => Err(as_problem(&error)),
        Err(_) => {
            tracing::error!(%method, path, "a handler panicked");
            Err(Problem::of_status(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR))
        }
    };
    let status = outcome.as_ref().map_or_else(Problem::status, ServiceResponse::status).as_u16();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    tracing::debug!(%method, path, status, micros, "answered");
    match outcome {
        Ok(mut response) => {
            finish(response.headers_mut(), id, &granted);
            // There may be a place for the next connection; for this one there will never be.
            let is_refused = standing == Standing::Reserved && response.status().is_server_error();
            if is_refused || matches!(standing, Standing::Refused(_)) {
                response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            }
            Ok(response)
        }
        Err(problem) => {
            let mut response = problem.respond(language);
            finish(response.headers_mut(), id, &granted);
            Err(actix_web::error::InternalError::from_response("panic", response).into())
        }
    }
}

async fn pass(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    let preflight = request.app_data::<Data<AppState>>().and_then(|state| {
        let (method, headers) = (request.method(), request.headers());
        let may_listen = *method == Method::OPTIONS
            && listen::is_page(state, request.path(), request.query_string(), headers);
        cors::preflight(&state.settings, method, headers, may_listen)
    });
    if let Some(response) = preflight {
        return Ok(request.into_response(response));
    }
    let admitted = match request.app_data::<Data<AppState>>() {
        Some(state) => admit(state, &request).await,
        None => Ok(()),
    };
    match admitted {
        Ok(()) => next.call(request).await,
        Err(problem) if request.path() == event_stream::PATH && event_stream::will_pass(&problem) => {
            log_cause(&problem);
            Ok(request.into_response(event_stream::postpone(&problem)))
        }
        Err(problem) => Ok(request.error_response(problem)),
    }
}

/// What operators' machines ask is answered also when nothing else is.
const FOR_OPERATORS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

async fn admit(state: &AppState, request: &ServiceRequest) -> Result<(), Problem> {
    headers::check_size(request.head(), state.settings.max_head)?;
    let standing = request.conn_data::<Standing>().copied().unwrap_or(Standing::Served);
    let is_log_in = request.method() == Method::POST && request.path() == "/api/auth";
    if FOR_OPERATORS.contains(&request.path()) || standing == Standing::Reserved && is_log_in {
        return Ok(());
    }
    check_standing(state, standing, request.headers()).await
}

/// Whether a request may be served on a connection of this standing: a place that is kept for members serves nobody
/// else.
///
/// # Errors
/// The limit that leaves no place for it.
pub async fn check_standing(
    state: &AppState,
    standing: Standing,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    let limit = match standing {
        Standing::Served => return Ok(()),
        Standing::Reserved => match auth::identify(state, headers, false).await? {
            Identity::Member(_) => return Ok(()),
            Identity::Guest | Identity::Rejected => LimitExceeded::Connections,
        },
        Standing::Refused(limit) => limit,
    };
    Err(ServiceError::from(limit).into())
}

fn span_of(id: RequestId) -> Span {
    tracing::info_span!("request", %id)
}

/// What will be granted by the answer, whatever it is.
fn granted(request: &ServiceRequest) -> HeaderMap {
    let Some(state) = request.app_data::<Data<AppState>>() else { return HeaderMap::new() };
    let granted = cors::grants(&state.settings, request.headers());
    let listens = || listen::is_page(state, request.path(), request.query_string(), request.headers());
    if granted.is_empty() && listens() { cors::grants_to_listen(request.headers()) } else { granted }
}

fn finish(headers: &mut HeaderMap, id: RequestId, granted: &HeaderMap) {
    headers::secure(headers);
    headers.insert(headers::REQUEST_ID, id.into());
    cors::decorate(headers, granted);
}

/// Makes a problem of every refusal that is none yet, and logs the cause of a failure, here and nowhere else.
fn settle(response: ServiceResponse<BoxBody>, language: Language) -> ServiceResponse<BoxBody> {
    let inner = response.response();
    let status = inner.status();
    if !(status.is_client_error() || status.is_server_error()) || inner.extensions().get::<AsIs>().is_some() {
        return response;
    }
    if let Some(problem) = inner.error().and_then(|error| error.as_error::<Problem>()) {
        log_cause(problem);
        let answer = problem.respond(language);
        return response.into_response(answer);
    }
    if inner.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == CONTENT_TYPE_VALUE) {
        return response;
    }
    if let Some(error) = inner.error().filter(|_| status.is_server_error()) {
        tracing::error!(%error, "a request failed");
    }
    let problem = Problem::of_status(status);
    telemetry::refused(problem.code().name());
    let mut answer: HttpResponse = problem.respond(language);
    for name in [ALLOW, CONTENT_RANGE, RETRY_AFTER] {
        if let Some(value) = inner.headers().get(&name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    response.into_response(answer)
}

fn as_problem(error: &Error) -> Problem {
    let status = error.as_response_error().status_code();
    if status.is_server_error() {
        tracing::error!(%error, "a request failed");
    }
    let problem = Problem::of_status(status);
    telemetry::refused(problem.code().name());
    problem
}

/// Refusals come in floods: one line a second tells how many.
static TURNED_AWAY: Repeated = Repeated::new();

/// Counts a refusal, and logs why a request failed.
pub fn log_cause(problem: &Problem) {
    telemetry::refused(problem.code().name());
    let Some(cause) = problem.cause() else { return };
    let mut text = cause.to_string();
    let mut source = cause.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    if problem.status() == actix_web::http::StatusCode::SERVICE_UNAVAILABLE {
        if let Some(times) = TURNED_AWAY.tell(Instant::now()) {
            tracing::warn!(cause = text, times, "requests were turned away");
        }
    } else {
        tracing::error!(cause = text, "a request failed");
    }
}
