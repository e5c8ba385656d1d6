//! The actor of a WebSocket, and the task that drives its socket.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use actix::{Actor, ActorContext, AsyncContext, StreamHandler};
use actix_web_actors::ws::{self, WebsocketContext};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

use super::{
    incoming::Incoming,
    socket::{Handler, WebSocket},
};
use crate::{
    outbox::Close,
    protocol::frame::{self, Message},
};

/// Runs a connection on this thread until it ends. `already_read` are bytes that came right behind the handshake.
pub fn run<H: Handler>(socket: WebSocket<H>, already_read: &[u8]) {
    let incoming = Incoming::new(socket.clone(), already_read);
    let actor = ConnectionActor(socket.clone());
    // The context wants a stream of bytes for the decoder of its own, which is laxer than RFC 6455 in what text it
    // takes and leaves fragments to be joined: it gets one without any, and our messages as a second stream.
    let context = WebsocketContext::with_factory(stream::pending(), move |context| {
        context.add_stream(incoming);
        actor
    });
    // In a box, because a task's size is rounded up to 128 bytes: with the context in it, that would be 640.
    actix_rt::spawn(Driver { socket, context: Box::new(context) });
}

/// The actor of a connection: hands messages to the handler, and answers the control frames of RFC 6455.
struct ConnectionActor<H: Handler>(WebSocket<H>);

impl<H: Handler> Actor for ConnectionActor<H> {
    type Context = WebsocketContext<Self>;
}

impl<H: Handler> StreamHandler<Result<Message, Close>> for ConnectionActor<H> {
    fn handle(&mut self, message: Result<Message, Close>, context: &mut Self::Context) {
        let Self(socket) = self;
        let (handler, outbox) = (&socket.0.handler, socket.outbox());
        match message {
            Ok(Message::Close(reason)) => {
                if !outbox.is_closing() {
                    context.close(reason.map(|(code, text)| (ws::CloseCode::from(code), text).into()));
                }
                context.stop();
            }
            _ if outbox.is_closing() => {}
            Err(why) => {
                socket.0.broken.set(true);
                outbox.close(why);
            }
            Ok(_) if !handler.admit() => {}
            Ok(Message::Text(text)) => handler.text(text, socket),
            Ok(Message::Binary(bytes)) => handler.binary(bytes, socket),
            // Not through the context: what that writes would leave after the handler's answers to later messages.
            Ok(Message::Ping(payload)) => outbox.send(&frame::pong(&payload)),
            Ok(Message::Pong(_)) => {}
        }
    }
}

/// The context's own decoder has nothing to decode, see [`run`].
impl<H: Handler> StreamHandler<Result<ws::Message, ws::ProtocolError>> for ConnectionActor<H> {
    fn handle(&mut self, _: Result<ws::Message, ws::ProtocolError>, _: &mut Self::Context) {}
}

impl<H: Handler> Drop for ConnectionActor<H> {
    fn drop(&mut self) {
        // Whatever still holds the outbox (an order under way) finds it gone.
        self.0.outbox().close(Close::Lost);
        self.0.0.handler.closed(&self.0);
    }
}

/// Drives one socket until it ends: the actor's context and the outbox.
struct Driver<H, C> {
    socket: WebSocket<H>,
    /// What the actor itself writes: the answer to a close frame.
    context: C,
}

impl<H: Handler, C, E> Future for Driver<H, C>
where
    C: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.socket.outbox().is_gone() {
            return Poll::Ready(());
        }
        while !self.socket.0.context_ended.get() {
            match self.context.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(frames))) => self.socket.outbox().send(&frames),
                Poll::Ready(_) => self.socket.0.context_ended.set(true),
                Poll::Pending => break,
            }
        }
        let outbox = self.socket.outbox();
        let flushed = outbox.poll_flush(context);
        if !outbox.is_overfull() && self.socket.0.held_back.take() {
            context.waker().wake_by_ref();
        }
        match flushed {
            Poll::Ready(Ok(())) if !self.socket.0.context_ended.get() => {
                if self.socket.0.broken.take() {
                    outbox.shut_down_write();
                }
                Poll::Pending
            }
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    }
}
