//! Whether someone still may do what they asked for, looked at in the transaction that does it: a ban or a log-out that
//! was committed before holds. Placing an order has the same condition in its own statement.

use super::{rows::session_ids, statement, writer::Tx};
use crate::{
    domain::{Actor, Role, SessionId, Timestamp, UserId},
    store::{Denied, StoreError},
};

/// How a log-in is named in the database.
pub(super) fn session_key(session: Option<SessionId>) -> Option<String> {
    session.map(|id| id.to_string())
}

/// The role of who acts.
///
/// # Errors
/// The account is banned, or the log-in has ended.
pub(super) async fn role<E: From<Denied> + From<StoreError>>(
    tx: &mut Tx,
    by: Actor,
    now: Timestamp,
) -> Result<Role, E> {
    let role: Option<String> = statement::query_scalar(
        "select role
         from users
         where
             user_id = $1
             and banned_at is null
             and (
                 exists (
                     select 1
                     from sessions
                     where session_id = $2 and user_id = $1 and revoked_at is null and expires_at > $3
                 )
                 or $2 is null
             )",
    )
    .bind(by.user_id.0)
    .bind(session_key(by.session))
    .bind(now.as_millis())
    .fetch_optional(&mut tx.conn)
    .await
    .map_err(StoreError::from)?;
    let role = role.ok_or(Denied::LoggedOut)?;
    Ok(super::rows::role(&role)?)
}

/// Whether the log-in still holds by which an account is changed; one that needs none is the operator's.
///
/// # Errors
/// As [`role`].
pub(super) async fn holds<E: From<Denied> + From<StoreError>>(
    tx: &mut Tx,
    by: Actor,
    now: Timestamp,
) -> Result<(), E> {
    if by.session.is_some() {
        role::<E>(tx, by, now).await?;
    }
    Ok(())
}

/// Whether who acts is an administrator; `None` is the program itself.
///
/// # Errors
/// As [`role`], and for another role.
pub(super) async fn admin<E: From<Denied> + From<StoreError>>(
    tx: &mut Tx,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<(), E> {
    let Some(by) = by else { return Ok(()) };
    match role::<E>(tx, by, now).await? {
        Role::Admin => Ok(()),
        Role::Member => Err(Denied::NotAdmin.into()),
    }
}

/// Ends all log-ins of an account but `keep`.
pub(super) async fn end_sessions(
    tx: &mut Tx,
    user: UserId,
    keep: Option<SessionId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ended = statement::query_scalar(
        "update sessions
         set revoked_at = $1
         where user_id = $2 and revoked_at is null and (session_id <> $3 or $3 is null)
         returning session_id",
    )
    .bind(now.as_millis())
    .bind(user.0)
    .bind(keep.map(|id| id.to_string()))
    .fetch_all(&mut tx.conn)
    .await?;
    tx.news.revoked.extend(session_ids(&ended)?);
    Ok(())
}
