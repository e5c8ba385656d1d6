//! What a client's events ask for (docs/contract.md §3), whatever transport they came by.

use super::{
    buy::buy,
    chat,
    client::Client,
    refusal::{Ack, Refusal, Reply},
    reports, visitor,
    watching::watch,
};
use crate::{
    clock,
    domain::LoginSession,
    outbox::Close,
    protocol::events::{ClientEvent, EventError},
    realtime::{Page, Person},
    web::{Code, problem::Problem},
};

/// Handles an event; who listens by a key may send none. `answer` gets the reply when there is one.
pub(super) fn handle(
    client: &Client,
    event: Result<ClientEvent, EventError>,
    answer: impl FnOnce(Reply) + 'static,
) {
    if matches!(client.session.person, Person::Listener(_)) {
        return answer(Err(Refusal::new(Code::ListenOnly)));
    }
    match event {
        Ok(ClientEvent::Buy(fields)) => buy(client, fields, answer),
        Ok(ClientEvent::Auth { token }) => authenticate(client, token, answer),
        Ok(ClientEvent::ChangedPage(location)) => answer(look_at(client, &location)),
        Ok(ClientEvent::Nickname(name)) => chat::name_guest(client, &name, answer),
        Ok(ClientEvent::EnterRoom(room)) => answer(chat::enter_room(client, &room)),
        Ok(ClientEvent::LeaveRoom(room)) => answer(chat::exit_room(client, &room)),
        Ok(ClientEvent::NewMessage { message, room }) => answer(chat::say(client, &message, &room)),
        Ok(ClientEvent::WatchFigures(wanted)) => watch(client, wanted, answer),
        Ok(ClientEvent::ReportMessage(reported)) => reports::report(client, &reported, answer),
        Err(error) => answer(Err(error.into())),
    }
}

/// The client is gone.
pub(super) fn leave(client: &Client) {
    chat::leave_rooms(client);
    client.leave();
}

fn look_at(client: &Client, location: &str) -> Reply {
    let page = Page::parse(location).ok_or(EventError::Payload(
        "CHANGED_PAGE takes the location of a page, \"/detail.html?goodsId=4\".",
    ))?;
    client.gateway.note_place(&client.session);
    client.gateway.registry.look_at(&client.session, page);
    Ok(Ack::Done)
}

/// A fresh token on the same connection, of the same account: the session lasts as long as that.
fn authenticate(client: &Client, token: String, answer: impl FnOnce(Reply) + 'static) {
    let client = client.clone();
    actix_rt::spawn(async move {
        let known = client.gateway.app.accounts.authenticate(&token, clock::now()).await;
        answer(match known {
            Ok(Some(fresh)) => extend(&client, fresh),
            Ok(None) => Err(Problem::login_required().into()),
            Err(error) => Err(error.into()),
        });
    });
}

fn extend(client: &Client, fresh: LoginSession) -> Reply {
    let session = &client.session;
    if session.login().is_none_or(|login| login.user_id != fresh.user.user_id) {
        return Err(Refusal::with_rule(
            Code::Forbidden,
            "This connection belongs to someone else: please open another.",
        ));
    }
    let (expires_at, id) = (fresh.expires_at, fresh.id);
    session.log_in(visitor::login(fresh));
    // The account may be called otherwise by now.
    client.gateway.registry.tell_name(session);
    if client.gateway.registry.is_revoked(&id) {
        // It ended while it was looked up.
        session.close(Close::LoggedOut);
    }
    Ok(Ack::Session { expires_at })
}
