//! The event `report_message`: a visitor shows administrators what was said in a room.

use std::{sync::Arc, time::Instant};

use super::{
    chat::{admit, parse_room, speaker},
    client::Client,
    refusal::{Ack, Refusal, Reply},
};
use crate::{clock, domain::NewReport, protocol::events::ReportedMessage, web::Code};

/// Keeps what was said for administrators, if it was said.
pub(super) fn report(client: &Client, reported: &ReportedMessage, answer: impl FnOnce(Reply) + 'static) {
    let report = match find(client, reported) {
        Ok(report) => report,
        Err(refusal) => return answer(Err(refusal)),
    };
    let moderation = Arc::clone(&client.gateway.app.moderation);
    actix_rt::spawn(async move {
        answer(moderation.report(report).await.map(|()| Ack::Done).map_err(Refusal::from));
    });
}

fn find(client: &Client, reported: &ReportedMessage) -> Result<NewReport, Refusal> {
    admit(client)?;
    let (by, now) = (speaker(client), Instant::now());
    let moderation = &client.gateway.app.moderation;
    if moderation.is_muted(by, now) {
        return Err(Refusal::new(Code::Muted));
    }
    let room = parse_room(&reported.room)?;
    // Who was never there has nothing to report, and what nobody said cannot be held against anyone.
    if !client.session.is_in(&room) {
        return Err(Refusal::new(Code::NotInRoom));
    }
    let said = client.gateway.talk.find(&room, &reported.nickname, &reported.message, clock::now());
    let said = said.ok_or_else(|| Refusal::new(Code::NotFound))?;
    moderation.admit_report(by, now).map_err(|_| Refusal::new(Code::TooManyMessages))?;
    Ok(NewReport { room: room.as_str().into(), said, by, at: clock::now() })
}
