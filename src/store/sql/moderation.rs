//! Reports and mutes.

use async_trait::async_trait;
use serde_json::json;

use super::{
    SqlStore,
    audit::{self, By, of_account},
    authority,
    conn::Conn,
    moderation_rows::{MutedGuestRow, ReportRow},
    statement,
    writer::Tx,
};
use crate::{
    domain::{Actor, NewReport, Report, ReportId, ReportOutcome, Speaker, Timestamp, UserId},
    store::{ModerationError, ModerationStore, MutedGuest, StoreError},
};

/// Which reports are wanted.
#[derive(Default)]
struct Wanted {
    only: Option<ReportId>,
    open: Option<bool>,
    of: Option<UserId>,
    before: Option<ReportId>,
}

#[async_trait]
impl ModerationStore for SqlStore {
    async fn muted(&self) -> Result<Vec<UserId>, StoreError> {
        let muted = statement::query_scalar(
            "select user_id
             from mutes",
        )
        .fetch_all(&mut *self.reader().await?)
        .await?;
        Ok(muted.into_iter().map(UserId).collect())
    }

    async fn muted_guests(&self, since: Timestamp) -> Result<Vec<MutedGuest>, StoreError> {
        // There are few reports: no index is worth it.
        let found = statement::query_as::<MutedGuestRow>(
            "select guest, network, closed_at
             from reports
             where outcome = 'muted' and guest is not null and closed_at > $1",
        )
        .bind(since.as_millis())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        found.into_iter().map(MutedGuestRow::guest).collect()
    }

    async fn report(&self, report: NewReport, most: u32) -> Result<(), StoreError> {
        self.writer.write(move |tx| Box::pin(keep(tx, report, most))).await
    }

    async fn reports(
        &self,
        open: Option<bool>,
        before: Option<ReportId>,
        limit: u32,
    ) -> Result<Vec<Report>, StoreError> {
        let wanted = Wanted { open, before, ..Wanted::default() };
        list(&mut *self.reader().await?, wanted, limit).await
    }

    async fn close_report(
        &self,
        id: ReportId,
        outcome: ReportOutcome,
        by: Actor,
        now: Timestamp,
    ) -> Result<Report, ModerationError> {
        self.writer.write(move |tx| Box::pin(close(tx, id, outcome, by, now))).await
    }

    async fn kept_reports(
        &self,
        user: UserId,
        before: Option<ReportId>,
        limit: u32,
    ) -> Result<Vec<Report>, StoreError> {
        let wanted = Wanted { of: Some(user), before, ..Wanted::default() };
        list(&mut *self.reader().await?, wanted, limit).await
    }
}

async fn list(
    conn: &mut Conn,
    Wanted { only, open, of, before }: Wanted,
    limit: u32,
) -> Result<Vec<Report>, StoreError> {
    let found = statement::query_as::<ReportRow>(
        "select
             report_id, room, reports.nickname, message, said_at, reports.user_id, guest, network,
             authors.nickname as author, reported_by, reporters.nickname as reporter, reported_at, outcome, closed_at
         from reports
         left join users as authors on authors.user_id = reports.user_id
         left join users as reporters on reporters.user_id = reported_by
         where
             report_id < $1
             and (report_id = $2 or $2 is null)
             and ((outcome is null) = $3 or $3 is null)
             and (reports.user_id = $4 or reported_by = $4 or $4 is null)
         order by report_id desc
         limit $5",
    )
    .bind(before.map_or(i64::MAX, |id| id.0))
    .bind(only.map(|id| id.0))
    .bind(open)
    .bind(of.map(|user| user.0))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    found.into_iter().map(ReportRow::report).collect()
}

/// Keeps a report, unless the account that said it was erased meanwhile: its name and its words went with it.
async fn keep(tx: &mut Tx, report: NewReport, most: u32) -> Result<(), StoreError> {
    let said = &report.said;
    let (user, guest, network) = match said.speaker {
        Speaker::Member(user) => (Some(user.0), None, None),
        Speaker::Guest { visitor, network } => {
            (None, Some(format!("{visitor:016x}")), network.map(|network| network.to_string()))
        }
    };
    let by = match report.by {
        Speaker::Member(user) => Some(user.0),
        Speaker::Guest { .. } => None,
    };
    // The conflict is not named, because the index of PostgreSQL has the message's hash in place of a long message.
    statement::query(
        "insert into reports (
             room, nickname, message, said_at, user_id, guest, network, reported_by, reported_at
         )
         select
             $1, $2, $3, $4, $5, $6, $7,
             (select user_id from users where user_id = $8 and erased_at is null), $9
         where not exists (select 1 from users where user_id = $5 and erased_at is not null)
         on conflict do nothing;

         delete from reports
         where report_id <= (select report_id from reports order by report_id desc limit 1 offset $10)",
    )
    .bind(&*report.room)
    .bind(&*said.nickname)
    .bind(&*said.message)
    .bind(said.at.as_millis())
    .bind(user)
    .bind(guest)
    .bind(network)
    .bind(by)
    .bind(report.at.as_millis())
    .bind(most)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

async fn close(
    tx: &mut Tx,
    id: ReportId,
    outcome: ReportOutcome,
    by: Actor,
    now: Timestamp,
) -> Result<Report, ModerationError> {
    authority::admin::<ModerationError>(tx, Some(by), now).await?;
    statement::query(
        "update reports
         set outcome = $2, closed_at = $3
         where report_id = $1",
    )
    .bind(id.0)
    .bind(outcome.name())
    .bind(now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    let wanted = Wanted { only: Some(id), ..Wanted::default() };
    let report = list(&mut tx.conn, wanted, 1).await?.pop().ok_or(ModerationError::NotFound)?;
    if let (ReportOutcome::Muted, Speaker::Member(user)) = (outcome, report.said.speaker) {
        let is_there = set_muted(tx, user, true, By { actor: Some(by), now }).await?;
        is_there.then_some(()).ok_or(ModerationError::NotFound)?;
    }
    let action = match outcome {
        ReportOutcome::Dismissed => "report.dismiss",
        ReportOutcome::Muted => "report.mute",
    };
    let deed = audit::Deed { action, subject: format!("report {id}"), details: json!({ "reportId": id }) };
    audit::record(tx, Some(by), now, deed).await?;
    Ok(report)
}

/// Keeps an account from speaking, or lets it speak again, if there is one.
pub(super) async fn set_muted(tx: &mut Tx, user: UserId, muted: bool, by: By) -> Result<bool, StoreError> {
    let found: Option<i64> = statement::query_scalar(
        "select user_id
         from users
         where user_id = $1 and erased_at is null",
    )
    .bind(user.0)
    .fetch_optional(&mut tx.conn)
    .await?;
    if found.is_none() {
        return Ok(false);
    }
    statement::query(
        "delete from mutes
         where user_id = $1 and not $2;

         insert into mutes (user_id, muted_at)
         select $1, $3
         where $2
         on conflict (user_id) do nothing",
    )
    .bind(user.0)
    .bind(muted)
    .bind(by.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    let deed = of_account(if muted { "user.mute" } else { "user.unmute" }, user);
    audit::record(tx, by.actor, by.now, deed).await?;
    Ok(true)
}
