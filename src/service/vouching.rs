//! A log-in for who can write the shop's database and read the key beside it: `shopbell watch` on the shop's own machine.
//! Whoever can do that can make themselves an administrator anyway.

use std::time::Duration;

use super::{
    ServiceError,
    tokens::{TokenClaims, Tokens},
};
use crate::{
    domain::{SessionId, SessionSecret, Timestamp},
    store::Store,
};

/// How long such a log-in holds; another is made after it.
const TTL: Duration = Duration::from_hours(1);

/// Logs the oldest administrator in who may log in. `keys` as in [`Tokens::open`].
///
/// # Errors
/// [`ServiceError::NotFound`] when there is none; a store that failed.
pub async fn log_in(
    store: &dyn Store,
    keys: &[&str],
    now: Timestamp,
) -> Result<(SessionId, String), ServiceError> {
    let tokens = Tokens::open(store, keys, TTL).await?;
    let user = store.administrator().await?.ok_or(ServiceError::NotFound)?;
    let claims = TokenClaims { user, session: SessionSecret::from_random(rand::random()) };
    let (id, expires_at) = (claims.session.id(), now.plus(tokens.ttl()));
    if !store.open_session(&id, user, now, expires_at).await? {
        return Err(ServiceError::Banned);
    }
    Ok((id, tokens.sign(&claims, now, expires_at)?))
}
