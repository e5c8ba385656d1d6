//! Accounts, log-ins, and the settings that outlive restarts.

use sqlx::{Row, SqliteConnection};

use super::{rows, writer::Tx};
use crate::{
    domain::{
        Email, LoginSession, NewUser, Nickname, PasswordHash, SessionId, Timestamp, User, UserId, UserPatch,
    },
    store::{AccountError, StoreError, errors::is_taken},
};

/// The value of a setting, if it has one.
pub(super) async fn setting(conn: &mut SqliteConnection, key: &str) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "select value
         from settings
         where key = ?",
    )
    .bind(key)
    .fetch_optional(conn)
    .await?)
}

/// Gives a setting its first value, and answers with the one that holds.
pub(super) async fn first_setting(tx: &mut Tx, key: &str, default: String) -> Result<String, StoreError> {
    // The update of nothing makes `returning` answer for a row that was there before.
    Ok(sqlx::query_scalar(
        "insert into settings (key, value)
         values (?, ?)
         on conflict (key) do update set value = value
         returning value",
    )
    .bind(key)
    .bind(default)
    .fetch_one(&mut tx.conn)
    .await?)
}

/// Gives a setting a value.
pub(super) async fn change_setting(tx: &mut Tx, key: &str, value: String) -> Result<(), StoreError> {
    sqlx::query(
        "insert into settings (key, value)
         values (?, ?)
         on conflict (key) do update set value = excluded.value",
    )
    .bind(key)
    .bind(value)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

fn taken(error: sqlx::Error) -> AccountError {
    if is_taken(&error, "users.email_key") {
        AccountError::EmailTaken
    } else if is_taken(&error, "users.nickname_key") {
        AccountError::NicknameTaken
    } else {
        error.into()
    }
}

/// Creates an account.
pub(super) async fn create(tx: &mut Tx, user: NewUser) -> Result<User, AccountError> {
    let row = sqlx::query(
        "insert into users (email, email_key, nickname, nickname_key, password_hash, role, created_at)
         values (?, ?, ?, ?, ?, ?, ?)
         returning *",
    )
    .bind(user.email.as_str())
    .bind(user.email.key())
    .bind(user.nickname.as_str())
    .bind(user.nickname.key())
    .bind(user.password.0)
    .bind(rows::role_name(user.role))
    .bind(user.created_at.as_millis())
    .fetch_one(&mut tx.conn)
    .await
    .map_err(taken)?;
    Ok(rows::user(&row)?)
}

/// Finds an account and its password by its log-in.
pub(super) async fn by_email(
    conn: &mut SqliteConnection,
    email: &Email,
) -> Result<Option<(User, PasswordHash)>, StoreError> {
    let row = sqlx::query(
        "select *
         from users
         where email_key = ?",
    )
    .bind(email.key())
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok((rows::user(&row)?, PasswordHash(row.try_get("password_hash")?)))).transpose()
}

/// Whether an account has the nickname.
pub(super) async fn has_nickname(
    conn: &mut SqliteConnection,
    nickname: &Nickname,
) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "select 1
         from users
         where nickname_key = ?",
    )
    .bind(nickname.key())
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// Finds an account's password.
pub(super) async fn password_of(
    conn: &mut SqliteConnection,
    user: UserId,
) -> Result<Option<PasswordHash>, StoreError> {
    let hash = sqlx::query_scalar(
        "select password_hash
         from users
         where user_id = ?",
    )
    .bind(user.0)
    .fetch_optional(conn)
    .await?;
    Ok(hash.map(PasswordHash))
}

/// Changes an account. A new password revokes all its log-ins but `keep`.
pub(super) async fn change(
    tx: &mut Tx,
    user: UserId,
    patch: UserPatch,
    keep: SessionId,
    now: Timestamp,
) -> Result<User, AccountError> {
    let new_password = patch.password.is_some();
    let row = sqlx::query(
        "update users
         set
             nickname = ifnull(?, nickname),
             nickname_key = ifnull(?, nickname_key),
             hide_purchases = ifnull(?, hide_purchases),
             password_hash = ifnull(?, password_hash)
         where user_id = ?
         returning *",
    )
    .bind(patch.nickname.as_ref().map(|name| name.as_str().to_owned()))
    .bind(patch.nickname.as_ref().map(crate::domain::Nickname::key))
    .bind(patch.hide_purchases)
    .bind(patch.password.map(|hash| hash.0))
    .bind(user.0)
    .fetch_optional(&mut tx.conn)
    .await
    .map_err(taken)?
    // Accounts are never deleted: whoever is logged in has one.
    .ok_or_else(|| StoreError::Corrupt(format!("there is no account {user}")))?;
    if new_password {
        revoke_others(tx, user, &keep, now).await?;
    }
    Ok(rows::user(&row)?)
}

async fn revoke_others(
    tx: &mut Tx,
    user: UserId,
    keep: &SessionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let revoked: Vec<String> = sqlx::query_scalar(
        "update sessions
         set revoked_at = ?
         where user_id = ? and revoked_at is null and session_id <> ?
         returning session_id",
    )
    .bind(now.as_millis())
    .bind(user.0)
    .bind(keep.to_string())
    .fetch_all(&mut tx.conn)
    .await?;
    tx.news.revoked.extend(log_ins(&revoked)?);
    Ok(())
}

/// Records a log-in.
pub(super) async fn open_session(
    tx: &mut Tx,
    id: SessionId,
    user: UserId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let opened = sqlx::query(
        "insert into sessions (session_id, user_id, created_at, expires_at)
         select $1, user_id, $3, $4
         from users
         where user_id = $2 and banned_at is null",
    )
    .bind(id.to_string())
    .bind(user.0)
    .bind(now.as_millis())
    .bind(expires_at.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(opened.rows_affected() == 1)
}

/// Finds a log-in that is neither revoked nor expired, with its account.
pub(super) async fn session(
    conn: &mut SqliteConnection,
    id: &SessionId,
    now: Timestamp,
) -> Result<Option<LoginSession>, StoreError> {
    let row = sqlx::query(
        "select users.*, sessions.expires_at
         from sessions join users using (user_id)
         where session_id = ? and revoked_at is null and expires_at > ? and banned_at is null",
    )
    .bind(id.to_string())
    .bind(now.as_millis())
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let expires_at = rows::time(&row, "expires_at")?;
        Ok(LoginSession { id: *id, user: rows::user(&row)?, expires_at })
    })
    .transpose()
}

/// Ends a log-in, once.
pub(super) async fn revoke(tx: &mut Tx, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
    let ended = sqlx::query(
        "update sessions
         set revoked_at = ?
         where session_id = ? and revoked_at is null",
    )
    .bind(now.as_millis())
    .bind(id.to_string())
    .execute(&mut tx.conn)
    .await?;
    if ended.rows_affected() > 0 {
        tx.news.revoked.push(id);
    }
    Ok(())
}

/// Lists the log-ins that were ended lately.
pub(super) async fn revoked_since(
    conn: &mut SqliteConnection,
    moment: Timestamp,
) -> Result<Vec<SessionId>, StoreError> {
    let ended: Vec<String> = sqlx::query_scalar(
        "select session_id
         from sessions
         where revoked_at >= ?",
    )
    .bind(moment.as_millis())
    .fetch_all(conn)
    .await?;
    log_ins(&ended)
}

fn log_ins(texts: &[String]) -> Result<Vec<SessionId>, StoreError> {
    let read = |text: &String| {
        SessionId::parse(text).ok_or_else(|| StoreError::Corrupt(format!("{text:?} is no log-in")))
    };
    texts.iter().map(read).collect()
}

/// Bans an account and ends its log-ins, or lets it in again.
pub(super) async fn ban(tx: &mut Tx, email: Email, banned: bool, now: Timestamp) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "update users
         set banned_at = ?
         where email_key = ?
         returning user_id",
    )
    .bind(banned.then_some(now.as_millis()))
    .bind(email.key())
    .fetch_optional(&mut tx.conn)
    .await?;
    let Some(user) = found.filter(|_| banned) else { return Ok(found.is_some()) };
    let ended: Vec<String> = sqlx::query_scalar(
        "update sessions
         set revoked_at = ?
         where user_id = ? and revoked_at is null
         returning session_id",
    )
    .bind(now.as_millis())
    .bind(user)
    .fetch_all(&mut tx.conn)
    .await?;
    tx.news.revoked.extend(log_ins(&ended)?);
    Ok(true)
}
