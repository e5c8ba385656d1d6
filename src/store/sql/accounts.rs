//! Accounts and log-ins.

use async_trait::async_trait;

use super::{
    SqlStore,
    audit::{self, of_account},
    authority::{self, end_sessions},
    errors::is_taken,
    personal::unname,
    rows::{CredentialsRow, SessionRow, UserRow},
    statement::{self, either},
    text::old_key,
    writer::{STEP, Tx},
};
use crate::{
    domain::{
        Actor, Email, LoginSession, NewUser, Nickname, PasswordHash, Role, SessionId, Timestamp, User,
        UserId, UserPatch,
    },
    store::{AccountError, AccountStore, Denied, StoreError},
};

#[async_trait]
impl AccountStore for SqlStore {
    async fn create_user(&self, user: NewUser) -> Result<User, AccountError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    let row = statement::query_as::<UserRow>(
                        "insert into users
                             (email, email_key, nickname, nickname_key, nickname_look, password_hash, role,
                              created_at, named_at)
                         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
                         returning user_id, email, nickname, role, hide_purchases, created_at",
                    )
                    .bind(user.email.as_str())
                    .bind(user.email.key())
                    .bind(user.nickname.as_str())
                    .bind(user.nickname.key())
                    .bind(user.nickname.look())
                    .bind(user.password.0)
                    .bind(user.role.name())
                    .bind(user.created_at.as_millis())
                    .fetch_one(&mut tx.conn)
                    .await
                    .map_err(taken)?;
                    let user = row.user()?;
                    tx.news.named.push((user.user_id, user.nickname.clone()));
                    if user.role == Role::Admin {
                        let deed = of_account("user.create", user.user_id);
                        audit::record(tx, None, user.created_at, deed).await?;
                    }
                    Ok(user)
                })
            })
            .await
    }

    async fn user_by_login(&self, typed: &str) -> Result<Option<(User, PasswordHash)>, StoreError> {
        let row = statement::query_as::<CredentialsRow>(
            "select user_id, email, nickname, role, hide_purchases, created_at, password_hash
             from users
             where email_key in ($1, $2)
             order by email_key = $2
             limit 1",
        )
        .bind(old_key(typed))
        .bind(key_of(typed))
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        row.map(CredentialsRow::credentials).transpose()
    }

    async fn users_with_address(&self, typed: &str) -> Result<Vec<UserId>, StoreError> {
        // Keys of before are few, and say nothing of the other spellings.
        let found = statement::query_as::<(i64, String, String)>(
            "select user_id, email, email_key
             from users
             where email_key = $1 or email_key = $2 or (email_key >= 'old:' and email_key < 'old;')
             order by user_id",
        )
        .bind(old_key(typed))
        .bind(key_of(typed))
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let is_meant = |(_, email, key): &(i64, String, String)| {
            *key == old_key(typed) || key_of(email).is_some_and(|key| Some(key) == key_of(typed))
        };
        Ok(found.into_iter().filter(is_meant).map(|(id, ..)| UserId(id)).collect())
    }

    async fn administrator(&self) -> Result<Option<UserId>, StoreError> {
        let found: Option<i64> = statement::query_scalar(
            "select user_id
             from users
             where role = 'admin' and banned_at is null and erased_at is null
             order by user_id
             limit 1",
        )
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        Ok(found.map(UserId))
    }

    async fn has_nickname(&self, nickname: &Nickname) -> Result<bool, StoreError> {
        let found = statement::query_scalar(
            "select exists (select 1 from users where nickname_key = $1 or nickname_look = $2)",
        )
        .bind(nickname.key())
        .bind(nickname.look())
        .fetch_one(&mut *self.reader().await?)
        .await?;
        Ok(found)
    }

    async fn password_of(&self, user: UserId) -> Result<Option<PasswordHash>, StoreError> {
        let hash = statement::query_scalar(
            "select password_hash
             from users
             where user_id = $1",
        )
        .bind(user.0)
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        Ok(hash.map(PasswordHash))
    }

    async fn change_user(
        &self,
        by: Actor,
        patch: UserPatch,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> Result<User, AccountError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    let (revokes, renames) = (patch.password.is_some(), patch.nickname.is_some());
                    let hides = patch.hide_purchases == Some(true);
                    let user = by.user_id;
                    authority::holds::<AccountError>(tx, by, now).await?;
                    let changed = change(tx, user, patch, now).await?.user()?;
                    if renames {
                        tx.news.named.push((changed.user_id, changed.nickname.clone()));
                    }
                    if revokes {
                        end_sessions(tx, user, keep, now).await?;
                    }
                    // Without a log-in it is the operator who gives another password.
                    if revokes && by.session.is_none() {
                        audit::record(tx, None, now, of_account("user.password", user)).await?;
                    }
                    if hides {
                        unname(tx, user).await?;
                    }
                    Ok(changed)
                })
            })
            .await
    }

    async fn rehash(&self, user: UserId, old: &PasswordHash, new: PasswordHash) -> Result<(), StoreError> {
        let old = old.clone();
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    statement::query(
                        "update users set password_hash = $1 where user_id = $2 and password_hash = $3",
                    )
                    .bind(new.0)
                    .bind(user.0)
                    .bind(old.0)
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn open_session(
        &self,
        id: &SessionId,
        user: UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let id = id.to_string();
        self.writer
            .write_of(Some(user), move |tx| {
                Box::pin(async move {
                    let opened = statement::query(
                        "insert into sessions (session_id, user_id, created_at, expires_at)
                         select $1, user_id, $3, $4
                         from users
                         where user_id = $2 and banned_at is null",
                    )
                    .bind(id)
                    .bind(user.0)
                    .bind(now.as_millis())
                    .bind(expires_at.as_millis())
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(opened.rows_affected() == 1)
                })
            })
            .await
    }

    async fn session(&self, id: &SessionId, now: Timestamp) -> Result<Option<LoginSession>, StoreError> {
        let row = statement::query_as::<SessionRow>(
            "select
                 users.user_id, email, nickname, role, hide_purchases, users.created_at,
                 sessions.expires_at
             from sessions join users using (user_id)
             where session_id = $1 and revoked_at is null and expires_at > $2 and banned_at is null",
        )
        .bind(id.to_string())
        .bind(now.as_millis())
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        row.map(|row| row.session(*id)).transpose()
    }

    async fn revoke_session(&self, id: &SessionId, now: Timestamp) -> Result<(), StoreError> {
        let id = *id;
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    let ended = statement::query(
                        "update sessions
                         set revoked_at = $1
                         where session_id = $2 and revoked_at is null",
                    )
                    .bind(now.as_millis())
                    .bind(id.to_string())
                    .execute(&mut tx.conn)
                    .await?;
                    tx.news.revoked.extend((ended.rows_affected() > 0).then_some(id));
                    Ok(())
                })
            })
            .await
    }

    async fn revoke_other_sessions(&self, by: Actor, now: Timestamp) -> Result<(), AccountError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    authority::holds::<AccountError>(tx, by, now).await?;
                    Ok(end_sessions(tx, by.user_id, by.session, now).await?)
                })
            })
            .await
    }

    async fn forget_sessions(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    // The expression is that of the index `sessions_by_end`.
                    let forgotten = statement::query(either(
                        "delete from sessions
                         where session_id in (
                             select session_id
                             from sessions
                             where min(expires_at, ifnull(revoked_at, expires_at)) < $1
                             order by min(expires_at, ifnull(revoked_at, expires_at))
                             limit $2
                         )",
                        "delete from sessions
                         where session_id in (
                             select session_id
                             from sessions
                             where least(expires_at, coalesce(revoked_at, expires_at)) < $1
                             order by least(expires_at, coalesce(revoked_at, expires_at))
                             limit $2
                         )",
                    ))
                    .bind(before.as_millis())
                    .bind(STEP)
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(forgotten.rows_affected())
                })
            })
            .await
    }
}

/// Which refusal a broken constraint means.
fn taken(error: sqlx::Error) -> AccountError {
    if is_taken(&error, "users.email_key") {
        AccountError::EmailTaken
    } else if is_taken(&error, "users.nickname_key") || is_taken(&error, "users.nickname_look") {
        AccountError::NicknameTaken
    } else {
        error.into()
    }
}

/// The key of an address, in whatever spelling; `None` for what is none.
fn key_of(typed: &str) -> Option<String> {
    Email::parse(typed).ok().map(|email| email.key())
}

async fn change(
    tx: &mut Tx,
    user: UserId,
    patch: UserPatch,
    now: Timestamp,
) -> Result<UserRow, AccountError> {
    statement::query_as::<UserRow>(
        "update users
         set
             nickname = coalesce($1, nickname),
             nickname_key = coalesce($2, nickname_key),
             nickname_look = coalesce($3, nickname_look),
             hide_purchases = coalesce($4, hide_purchases),
             password_hash = coalesce($5, password_hash),
             email = coalesce($6, email),
             email_key = coalesce($7, email_key),
             named_at = case when $1 is null then named_at else $8 end
         where user_id = $9 and erased_at is null
         returning user_id, email, nickname, role, hide_purchases, created_at",
    )
    .bind(patch.nickname.as_ref().map(|name| name.as_str().to_owned()))
    .bind(patch.nickname.as_ref().map(Nickname::key))
    .bind(patch.nickname.as_ref().map(Nickname::look))
    .bind(patch.hide_purchases)
    .bind(patch.password.map(|hash| hash.0))
    .bind(patch.email.as_ref().map(|email| email.as_str().to_owned()))
    .bind(patch.email.as_ref().map(Email::key))
    .bind(now.as_millis())
    .bind(user.0)
    .fetch_optional(&mut tx.conn)
    .await
    .map_err(taken)?
    .ok_or(Denied::LoggedOut.into())
}
