//! Accounts as administrators see them: a list along one index, bans and roles. What owners do with them is in `accounts`.

use async_trait::async_trait;
use serde_json::json;

use super::{
    SqlStore,
    audit::{self, By, of_account},
    authority::{self, end_sessions},
    conn::Conn,
    moderation,
    rows::PersonRow,
    statement,
    writer::Tx,
};
use crate::{
    domain::{Actor, Person, PersonPatch, Role, Timestamp, UserId, text},
    store::{Deed, PeopleQuery, PeopleStore, PersonError, StoreError},
};

#[async_trait]
impl PeopleStore for SqlStore {
    async fn people(&self, query: PeopleQuery, now: Timestamp) -> Result<Vec<Person>, StoreError> {
        let mut reader = self.reader().await?;
        let ids = list(&mut reader, &query).await?;
        persons(&mut reader, &ids, now).await
    }

    async fn person(&self, id: UserId, now: Timestamp) -> Result<Option<Person>, StoreError> {
        Ok(persons(&mut *self.reader().await?, &[id.0], now).await?.pop())
    }

    async fn change_person(
        &self,
        id: UserId,
        patch: PersonPatch,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Person, PersonError> {
        self.writer.write(move |tx| Box::pin(change(tx, id, patch, by, now))).await
    }

    async fn end_log_ins(&self, id: UserId, by: Option<Actor>, now: Timestamp) -> Result<(), PersonError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    authority::admin::<PersonError>(tx, by, now).await?;
                    find(tx, id, now).await?;
                    end_sessions(tx, id, None, now).await?;
                    Ok(audit::record(tx, by, now, of_account("user.logout", id)).await?)
                })
            })
            .await
    }
}

/// The ids of a page, newest first. The index holds all that is asked for.
async fn list(conn: &mut Conn, query: &PeopleQuery) -> Result<Vec<i64>, StoreError> {
    let (nickname, address) = match query.text.as_deref() {
        Some(text) => (text::likeness(text), text::fold_case(text.trim())),
        None => (String::new(), String::new()),
    };
    Ok(statement::query_scalar(
        "select user_id
         from users indexed by users_listed
         where
             user_id < $1 and erased_at is null
             and (role = $3 or $3 is null) and ((banned_at is not null) = $4 or $4 is null)
             and (
                 ($5 = '' and $6 = '')
                 or ($5 <> '' and instr(nickname_key, $5) > 0)
                 or ($6 <> '' and instr(email_key, $6) > 0)
             )
         order by user_id desc
         limit $2",
    )
    .bind(query.before.map_or(i64::MAX, |id| id.0))
    .bind(query.limit)
    .bind(query.role.map(Role::name))
    .bind(query.banned)
    .bind(nickname)
    .bind(address)
    .fetch_all(conn)
    .await?)
}

/// Accounts with what they have, newest first; those that were erased are left out.
async fn persons(conn: &mut Conn, ids: &[i64], now: Timestamp) -> Result<Vec<Person>, StoreError> {
    let found = statement::query_as::<PersonRow>(
        "select
             user_id, email, nickname, role, hide_purchases, created_at, banned_at,
             (select count(*) from orders where orders.user_id = users.user_id) as orders,
             (
                 select count(*)
                 from sessions
                 where sessions.user_id = users.user_id and revoked_at is null and expires_at > $2
             ) as log_ins
         from users
         where user_id in (select cast(value as bigint) from json_each($1)) and erased_at is null
         order by user_id desc",
    )
    .bind(json!(ids).to_string())
    .bind(now.as_millis())
    .fetch_all(conn)
    .await?;
    found.into_iter().map(PersonRow::person).collect()
}

async fn find(tx: &mut Tx, id: UserId, now: Timestamp) -> Result<Person, PersonError> {
    persons(&mut tx.conn, &[id.0], now).await?.pop().ok_or(PersonError::NotFound)
}

async fn change(
    tx: &mut Tx,
    id: UserId,
    patch: PersonPatch,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<Person, PersonError> {
    authority::admin::<PersonError>(tx, by, now).await?;
    let before = find(tx, id, now).await?;
    let role = patch.role.filter(|role| *role != before.user.role);
    let banned = patch.banned.filter(|banned| *banned != before.banned_at.is_some());
    if role == Some(Role::Member) || (banned == Some(true) && before.user.role == Role::Admin) {
        another_administrator(tx, id).await?;
    }
    statement::query(
        "update users
         set
             role = coalesce($2, role),
             banned_at = case when $3 then $4 when not $3 then null else banned_at end
         where user_id = $1",
    )
    .bind(id.0)
    .bind(role.map(Role::name))
    .bind(banned)
    .bind(now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    if role.is_some() || banned == Some(true) {
        end_sessions(tx, id, None, now).await?;
    }
    for deed in deeds(id, role, banned) {
        audit::record(tx, by, now, deed).await?;
    }
    if let Some(muted) = patch.muted {
        moderation::set_muted(tx, id, muted, By { actor: by, now }).await?;
    }
    find(tx, id, now).await
}

/// That somebody else is left who may administrate. An account that is banned may not.
async fn another_administrator(tx: &mut Tx, id: UserId) -> Result<(), PersonError> {
    let is_left: bool = statement::query_scalar(
        "select exists (
             select 1
             from users
             where role = 'admin' and banned_at is null and user_id <> $1
         )",
    )
    .bind(id.0)
    .fetch_one(&mut tx.conn)
    .await?;
    is_left.then_some(()).ok_or(PersonError::LastAdmin)
}

/// What was done, for the record.
fn deeds(id: UserId, role: Option<Role>, banned: Option<bool>) -> Vec<Deed> {
    let mut deeds = Vec::new();
    if let Some(role) = role {
        let details = json!({ "userId": id, "role": role.name() });
        deeds.push(Deed { details, ..of_account("user.role", id) });
    }
    if let Some(banned) = banned {
        deeds.push(of_account(if banned { "user.ban" } else { "user.unban" }, id));
    }
    deeds
}
