//! The event `WATCH_FIGURES`: an administrator's session is told the figures once a second.

use super::{
    client::Client,
    refusal::{Ack, Refusal, Reply},
};
use crate::{clock, domain::Role, service::ServiceError, web::Code};

/// Begins or ends it. The session hears of no figures before the store has said that its account is an administrator's;
/// it ends with the session, and that with the log-in or the role.
pub(super) fn watch(client: &Client, wanted: bool, answer: impl FnOnce(Reply) + 'static) {
    let (registry, session) = (&client.gateway.registry, &client.session);
    if !wanted {
        registry.end_watching(session);
        return answer(Ok(Ack::Done));
    }
    if !registry.ask_to_watch(session) {
        return answer(Ok(Ack::Done));
    }
    let client = client.clone();
    actix_rt::spawn(async move {
        let registry = &client.gateway.registry;
        answer(match admit(&client).await {
            Ok(()) => {
                registry.admit_watcher(&client.session);
                Ok(Ack::Done)
            }
            Err(refusal) => {
                registry.end_watching(&client.session);
                Err(refusal)
            }
        });
    });
}

async fn admit(client: &Client) -> Result<(), Refusal> {
    let Some(login) = client.session.login() else { return Err(Refusal::new(Code::Forbidden)) };
    let known = client.gateway.app.store.session(&login.id, clock::now()).await;
    let known = known.map_err(ServiceError::from)?;
    let is_admin = known.is_some_and(|known| known.user.role == Role::Admin);
    if is_admin { Ok(()) } else { Err(Refusal::new(Code::Forbidden)) }
}
