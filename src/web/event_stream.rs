//! How an event stream (WHATWG HTML §9.2) is refused. "If res's status is not 200 […] fail the connection": an EventSource
//! that gets any other status never comes back. So a refusal that will pass is a stream that ends at once and says when to
//! come back, and only one that will not pass is an error.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::{
        ConnectionType, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
    },
};

use super::{code::Code, messages::Language, problem::Problem};

/// Where the stream of alerts is.
pub const PATH: &str = "/api/events";
/// What a stream is.
pub const CONTENT_TYPE_VALUE: &str = "text/event-stream; charset=utf-8";
/// No cache may keep a stream.
pub const CACHE_CONTROL_VALUE: &str = "no-cache, no-store, no-transform";
/// When a refusal does not say when to come back.
const DEFAULT_RETRY: Duration = Duration::from_secs(2);
/// The most that is added to the time, at random, so that not all come back at once.
const SPREAD_MILLIS: u64 = 1000;

/// Whether a refusal of a stream will pass, so that the client has to come back.
#[must_use]
pub fn will_pass(problem: &Problem) -> bool {
    problem.status().is_server_error() || problem.status() == StatusCode::TOO_MANY_REQUESTS
}

/// A stream that ends at once, for a refusal that will pass.
#[must_use]
pub fn postpone(problem: &Problem) -> HttpResponse {
    let (_, headers, _) = problem.parts(Language::English);
    let seconds = headers.get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let after = seconds.map_or(DEFAULT_RETRY, Duration::from_secs);
    let millis = after.as_millis() + u128::from(rand::random_range(0..SPREAD_MILLIS));
    let mut response = HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, CONTENT_TYPE_VALUE))
        .insert_header((CACHE_CONTROL, CACHE_CONTROL_VALUE))
        .body(format!(": {}\nretry: {millis}\n\n", problem.code().name()));
    if problem.code() == Code::ServerFull {
        // A connection over the limit must not stay.
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    response
}
