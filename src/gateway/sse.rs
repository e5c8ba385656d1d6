//! Server-Sent Events (WHATWG HTML §9.2): the alerts for whoever cannot or need not speak back.

use std::{
    convert::Infallible,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Instant,
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use futures_util::{Stream, future::LocalBoxFuture};

use super::{Gateway, client::Shopper, cursor, visitor};
use crate::{
    outbox::Outbox,
    protocol::sse,
    realtime::{Person, Session, session::Feeding},
    service::ServiceError,
    transport::connection::Ended,
    web::{Listener, Problem, client},
};

/// Answers `GET /api/events`.
///
/// # Errors
/// Whoever asks is not of the audience, or asks for no offset.
pub async fn events(request: HttpRequest, listener: Listener) -> Result<HttpResponse, Problem> {
    let gateway = request.app_data::<Rc<Gateway>>().cloned().ok_or_else(Problem::not_found)?;
    gateway.app.readiness.admit()?;
    // A browser that reconnects repeats the address it began with, so that its header counts first.
    let after = match cursor::last_event_id(request.headers()) {
        None => cursor::after(request.query_string())?,
        seen => seen,
    };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-cache, no-store, no-transform"))
        // nginx would keep the events until its buffer is full.
        .insert_header((HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")));
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let address = client::address(&gateway.app.settings, request.peer_addr(), request.headers());
    let place = gateway.app.admissions.arrive(address, Instant::now()).map_err(ServiceError::from)?;
    let (login, person) = match listener.0 {
        Some(member) => {
            let login = visitor::login(member.login);
            let person = Person::Member(login.user_id);
            (Some(login), person)
        }
        None => (None, Person::Guest(rand::random())),
    };
    let places = gateway.places(Some(place), login.as_deref()).map_err(ServiceError::from)?;
    let connection = request.conn_data::<Ended>().cloned().unwrap_or_default();
    let ended = connection.wait();
    let cut = Box::new(move || connection.cut());
    let outbox = Outbox::to_stream(gateway.app.settings.outbox_limit, cut);
    let feeding = if after.is_some() { Feeding::Behind } else { Feeding::Live };
    let session = Session::new(&gateway.registry, login, person, Rc::clone(&outbox), feeding);
    if let Some(after) = after {
        session.set_position(gateway.within_log(after).await?);
    }
    outbox.send(&sse::RETRY);
    let shopper = Shopper::enter(gateway, session, places);
    shopper.session.read_on();
    Ok(response.streaming(Events { shopper, ended: Box::pin(ended) }))
}

/// The body of the answer.
struct Events {
    shopper: Rc<Shopper>,
    ended: LocalBoxFuture<'static, ()>,
}

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        self.shopper.session.outbox.poll_body(context).map(|bytes| bytes.map(Ok))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.shopper.session.outbox.abort();
        self.shopper.leave();
    }
}
