//! Server-Sent Events (WHATWG HTML §9.2): the alerts for clients that cannot or need not speak back.

use std::{
    convert::Infallible,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    http::{
        Method,
        header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue},
    },
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, future::LocalBoxFuture};
use utoipa::IntoParams;

use super::{
    bursts,
    client::Client,
    events,
    hello::hello,
    resume,
    thread::Gateway,
    visitor::{self, Who},
};
use crate::{
    domain::Offset,
    outbox::Close,
    protocol::sse,
    realtime::Person,
    service::ServiceError,
    transport::connection::ConnectionHandle,
    web::{Listener, Problem, client, edge::log_cause, event_stream},
};

/// Where a stream begins.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "`resume` reads them; the contract's document tells them")]
struct StreamStart {
    /// First what came after this one.
    after: Option<Offset>,
    /// As the header `Last-Event-ID`, for clients that can set none.
    last_event_id: Option<Offset>,
    /// So many alerts a second each by itself, the rest of them as `BUY_DIGEST`.
    #[param(minimum = 1, maximum = 100)]
    digest: Option<u8>,
    /// The `epoch` of the greeting that came with the offset; another database answers with a `gap`.
    epoch: Option<String>,
}

/// Where a stream goes on.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "`resume` reads it; the contract's document tells it")]
struct StreamResume {
    /// The `id:` of the last event that was seen. Browsers send it when they reconnect.
    #[param(rename = "Last-Event-ID")]
    last_event_id: Option<Offset>,
}

/// Hear the events as they happen.
///
/// Server-Sent Events; what each says is in the document of the events. What will pass (a restart, a rate, no room) is
/// answered with 200, `retry:` and the end of the stream, because a browser gives up for good at anything else.
#[utoipa::path(
    get, path = "/api/events", security(("audience" = [])),
    params(StreamStart, StreamResume),
    responses((status = 200, body = String, content_type = "text/event-stream")),
)]
pub(super) async fn events(request: HttpRequest) -> Result<HttpResponse, Problem> {
    match open(&request).await {
        Err(problem) if event_stream::will_pass(&problem) => {
            log_cause(&problem);
            Ok(event_stream::postpone(&problem))
        }
        outcome => outcome,
    }
}

async fn open(request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let gateway = request.app_data::<Rc<Gateway>>().cloned().ok_or_else(Problem::not_found)?;
    gateway.app.readiness.admit()?;
    let listener = Listener::extract(request).await?;
    let cursor = resume::of_stream(request.query_string(), request.headers())?;
    let digest = bursts::from_query(request.query_string())?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, event_stream::CONTENT_TYPE_VALUE))
        .insert_header((CACHE_CONTROL, event_stream::CACHE_CONTROL_VALUE))
        // nginx would keep the events until its buffer is full.
        .insert_header((HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")));
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let address = client::address(&gateway.app.settings, request.peer_addr(), request.headers());
    let who = match listener {
        Listener::Member(member) => Who::member(visitor::login(member.login)),
        Listener::Key(key) => Who::listener(&key),
        Listener::Guest => Who::guest(Person::Guest(rand::random())),
    };
    let permits = gateway.session_permits(address, who.login.as_deref()).map_err(ServiceError::from)?;
    let start = gateway.start(cursor).await?;
    let connection = request.conn_data::<ConnectionHandle>().cloned().unwrap_or_default();
    let ended = connection.ended();
    let outbox = gateway.sweeper.to_stream(Box::new(move || connection.cut()), Gateway::purse(&permits));
    let mut new = gateway.new_session(outbox, who, start, permits);
    new.digest = digest;
    let client = Client::enter(gateway, new);
    greet(&client);
    client.start(start);
    Ok(response.streaming(Events { client, connection_ended: Box::pin(ended), is_finished: false }))
}

/// The greeting has an offset, so that there is a place to resume from before any alert.
fn greet(client: &Client) {
    let mut greeting = BytesMut::from(&sse::RETRY[..]);
    sse::put_event(&mut greeting, Some(client.session.position().0), "hello", &hello(client));
    client.session.send(&greeting.freeze());
}

/// The body of the response.
struct Events {
    client: Client,
    connection_ended: LocalBoxFuture<'static, ()>,
    /// It was read to its end: the connection has to write it yet, and must not be cut.
    is_finished: bool,
}

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.connection_ended.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        let body = self.client.session.outbox.poll_body(context);
        self.is_finished = matches!(body, Poll::Ready(None));
        body.map(|bytes| bytes.map(Ok))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if !self.is_finished {
            self.client.session.close(Close::Lost);
        }
        events::leave(&self.client);
    }
}
