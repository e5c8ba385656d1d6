//! The record of what administrators did, written by the job that does it: neither is there without the other.

use async_trait::async_trait;
use serde_json::json;

use super::{
    SqlStore,
    rows::AuditRow,
    statement,
    writer::{STEP, Tx},
};
use crate::{
    domain::{Actor, Timestamp, UserId},
    store::{AuditEntry, AuditQuery, AuditStore, StoreError},
};

pub(super) use crate::store::Deed;

/// Who acts, and when.
#[derive(Clone, Copy)]
pub(super) struct By {
    pub(super) actor: Option<Actor>,
    pub(super) now: Timestamp,
}

/// What was done to an account. It names no one: an account may be erased, and its name with it.
pub(super) fn of_account(action: &'static str, id: UserId) -> Deed {
    Deed { action, subject: format!("account {id}"), details: json!({ "userId": id }) }
}

#[async_trait]
impl AuditStore for SqlStore {
    async fn audit(&self, query: AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let is_one = query.action.as_deref().is_some_and(|action| action.contains('.'));
        // A statement for each, because one that takes any action could not use the index of actions. The case of ASCII
        // letters does not count: `lower` of the columns knows no others, that of a parameter might.
        let statement = if is_one {
            statement::query_as::<AuditRow>(
                "select audit_id, at, audit.user_id, nickname, action, subject, details
                 from audit indexed by audit_of_action
                     left join users on users.user_id = audit.user_id and erased_at is null
                 where
                     action = $3 and audit_id < $1
                     and (
                         $4 = '' or instr(lower(subject), $4) > 0
                         or instr(lower(nickname), $4) > 0
                     )
                 order by audit_id desc
                 limit $2",
            )
        } else {
            statement::query_as::<AuditRow>(
                "select audit_id, at, audit.user_id, nickname, action, subject, details
                 from audit not indexed
                     left join users on users.user_id = audit.user_id and erased_at is null
                 where
                     audit_id < $1 and (substr(action, 1, length($3) + 1) = $3 || '.' or $3 is null)
                     and (
                         $4 = '' or instr(lower(subject), $4) > 0
                         or instr(lower(nickname), $4) > 0
                     )
                 order by audit_id desc
                 limit $2",
            )
        };
        let found = statement
            .bind(query.before.map_or(i64::MAX, |id| id.0))
            .bind(query.limit)
            .bind(query.action)
            .bind(query.text.unwrap_or_default().to_ascii_lowercase())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        found.into_iter().map(AuditRow::entry).collect()
    }

    async fn prune_audit(&self, before: Timestamp, keep: u64) -> Result<u64, StoreError> {
        let keep = i64::try_from(keep).unwrap_or(i64::MAX);
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    let pruned = statement::query(
                        "delete from audit
                         where audit_id in (
                             select audit_id
                             from (select audit_id, at from audit order by audit_id limit $3) as oldest
                             where at < $1 or audit_id <= (select max(audit_id) from audit) - $2
                         )",
                    )
                    .bind(before.as_millis())
                    .bind(keep)
                    .bind(STEP)
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(pruned.rows_affected())
                })
            })
            .await
    }
}

/// Records what was done in this transaction. `by` is `None` for the command line.
pub(super) async fn record(
    tx: &mut Tx,
    by: Option<Actor>,
    now: Timestamp,
    deed: Deed,
) -> Result<(), StoreError> {
    statement::query(
        "insert into audit (at, user_id, action, subject, details)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(now.as_millis())
    .bind(by.map(|by| by.user_id.0))
    .bind(deed.action)
    .bind(deed.subject)
    .bind(deed.details.to_string())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}
