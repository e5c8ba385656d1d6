//! Requests that arrived at another node, for connections of this thread. Their clients are somewhere else; that a channel
//! ends without a word means that the client went away, as a network connection that breaks means it here.

use std::{rc::Rc, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::sync::oneshot;

use super::{
    call::{Answer, Call, GOT, What},
    connection::Service,
    engine::Engine,
    tunnel,
    upgrade::UPGRADE_TIMEOUT,
    websocket,
};
use crate::{
    bus::peers::{Channel, Gone},
    protocol::engineio::ErrorCode,
};

/// Between two attempts to answer a poll at once that has its turn after another.
const AGAIN: Duration = Duration::from_millis(10);

/// Serves one.
pub(super) async fn serve<S: Service>(engine: Rc<Engine<S>>, call: Call, channel: Channel) {
    let served = match call.what {
        What::Poll => poll(&engine, &call, &channel).await,
        What::Post => post(&engine, &call, &channel).await,
        What::Upgrade => upgrade(&engine, &call, &channel).await,
    };
    match served {
        Ok(()) => channel.finish(),
        Err(error) => tracing::debug!(%error, "what arrived at another node was not served to its end"),
    }
}

async fn poll<S: Service>(engine: &Rc<Engine<S>>, call: &Call, channel: &Channel) -> Result<(), Gone> {
    let (answer, mut answered) = oneshot::channel();
    let taken =
        engine.check_owner(&call.sid, &call.owners).and_then(|()| engine.poll_carried(&call.sid, answer));
    if let Err(code) = taken {
        return Answer::No(code).say(channel).await;
    }
    let mut is_wanted = false;
    let body = loop {
        tokio::select! {
            // An answer that is there is delivered, or lost: never dropped in silence.
            biased;
            body = &mut answered => break body,
            heard = channel.next() => match heard {
                Ok(Some(_)) => {
                    is_wanted = true;
                    engine.release_poll(&call.sid);
                }
                Ok(None) | Err(_) => {
                    drop(answered);
                    engine.poll_aborted(&call.sid);
                    engine.carried_poll_over(&call.sid);
                    return Ok(());
                }
            },
            () = tokio::time::sleep(AGAIN), if is_wanted => engine.release_poll(&call.sid),
        }
    };
    // Without an answer the session went on over a WebSocket, or is gone.
    let Ok(body) = body else {
        engine.carried_poll_over(&call.sid);
        return Answer::No(ErrorCode::BadRequest).say(channel).await;
    };
    // As long as the connection itself has patience with its client, there and here.
    let patience = 2 * engine.sweeper.limits.stall_timeout;
    let delivered = tokio::time::timeout(patience, deliver(channel, body)).await.unwrap_or(Err(Gone::Lost));
    match delivered {
        Ok(()) => engine.carried_poll_over(&call.sid),
        Err(_) => engine.carried_poll_lost(&call.sid),
    }
    delivered
}

/// Sends the answer to a poll, and waits for the word that its client has it.
async fn deliver(channel: &Channel, body: Bytes) -> Result<(), Gone> {
    Answer::Yes.say(channel).await?;
    channel.send(body).await?;
    channel.finish();
    while let Some(said) = channel.next().await? {
        // That an answer was wanted at once may have crossed it.
        if said == GOT {
            return Ok(());
        }
    }
    Err(Gone::Lost)
}

async fn post<S: Service>(engine: &Rc<Engine<S>>, call: &Call, channel: &Channel) -> Result<(), Gone> {
    let limit = engine.check_owner(&call.sid, &call.owners).and_then(|()| engine.body_limit(&call.sid));
    let limit = match limit {
        Ok(limit) => limit,
        Err(code) => return Answer::No(code).say(channel).await,
    };
    Answer::Limit(limit).say(channel).await?;
    // Where the body arrived, it is on its client's account until it has left; here on the session's.
    let purse = engine.get(&call.sid).map(|connection| connection.outbox.purse().clone()).unwrap_or_default();
    let mut held = purse.charge();
    let collected = tokio::time::timeout(engine.limits.body_timeout, async {
        let mut body = BytesMut::new();
        while let Some(piece) = channel.next().await? {
            body.extend_from_slice(&piece);
            if body.len() > limit || held.set(body.capacity()).is_err() {
                return Err(Gone::Full);
            }
        }
        Ok(body.freeze())
    });
    let body = collected.await.map_err(|_| Gone::Lost)??;
    let answer = engine.post(&call.sid, &body).map_or_else(Answer::No, |()| Answer::Yes);
    answer.say(channel).await
}

async fn upgrade<S: Service>(engine: &Rc<Engine<S>>, call: &Call, channel: &Channel) -> Result<(), Gone> {
    let known = engine.check_owner(&call.sid, &call.owners);
    let known =
        known.and_then(|()| if engine.knows(&call.sid) { Ok(()) } else { Err(ErrorCode::UnknownSession) });
    if let Err(code) = known {
        return Answer::No(code).say(channel).await;
    }
    Answer::Yes.say(channel).await?;
    // When the client has its 101, what came behind its request is carried first.
    let begun = tokio::time::timeout(UPGRADE_TIMEOUT, channel.next()).await;
    let already_read = begun.map_err(|_| Gone::Lost)??.ok_or(Gone::Lost)?;
    let tunneled = async {
        let (here, its) = tunnel::pair()?;
        websocket::adopt(engine, &call.sid, its, None, &already_read);
        let purse =
            engine.get(&call.sid).map(|connection| connection.outbox.purse().clone()).unwrap_or_default();
        // Longer than the connection itself has patience with its client.
        let patience = 2 * engine.sweeper.limits.stall_timeout;
        tunnel::carry(&here, channel, patience, &mut purse.charge()).await
    };
    tunneled.await.map_err(|error: std::io::Error| {
        tracing::debug!(%error, "the WebSocket of another node ended");
        Gone::Lost
    })
}
