//! Links to a new password. That one is used once is the deletion in the transaction that uses it.

use async_trait::async_trait;

use super::{SqlStore, authority::end_sessions, statement, writer::STEP};
use crate::{
    domain::{PasswordHash, SessionId, Timestamp, UserId},
    store::{ResetStore, StoreError},
};

#[async_trait]
impl ResetStore for SqlStore {
    async fn keep_reset(
        &self,
        id: SessionId,
        user: UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write_of(Some(user), move |tx| {
                Box::pin(async move {
                    statement::query(
                        "delete from password_resets
                         where reset_id in (
                             select reset_id
                             from password_resets
                             where expires_at <= $1
                             order by expires_at
                             limit $2
                         )",
                    )
                    .bind(now.as_millis())
                    .bind(STEP)
                    .execute(&mut tx.conn)
                    .await?;
                    statement::query(
                        "insert into password_resets (reset_id, user_id, expires_at)
                         select $1, user_id, $3
                         from users
                         where user_id = $2 and erased_at is null",
                    )
                    .bind(id.to_string())
                    .bind(user.0)
                    .bind(expires_at.as_millis())
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn has_reset(&self, id: SessionId, now: Timestamp) -> Result<bool, StoreError> {
        Ok(statement::query_scalar(
            "select exists (select 1 from password_resets where reset_id = $1 and expires_at > $2)",
        )
        .bind(id.to_string())
        .bind(now.as_millis())
        .fetch_one(&mut *self.reader().await?)
        .await?)
    }

    async fn reset_password(
        &self,
        id: SessionId,
        password: PasswordHash,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    let user: Option<i64> = statement::query_scalar(
                        "delete from password_resets
                         where reset_id = $1 and expires_at > $2
                         returning user_id",
                    )
                    .bind(id.to_string())
                    .bind(now.as_millis())
                    .fetch_optional(&mut tx.conn)
                    .await?;
                    let Some(user) = user.map(UserId) else { return Ok(None) };
                    // A trigger deletes the account's other links.
                    statement::query("update users set password_hash = $1 where user_id = $2")
                        .bind(password.0)
                        .bind(user.0)
                        .execute(&mut tx.conn)
                        .await?;
                    end_sessions(tx, user, None, now).await?;
                    Ok(Some(user))
                })
            })
            .await
    }
}
