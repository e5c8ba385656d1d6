//! The rows of reports.

use std::net::IpAddr;

use sqlx::FromRow;

use super::rows::corrupt;
use crate::{
    domain::{Report, ReportId, ReportOutcome, Said, Speaker, Timestamp, UserId},
    store::{MutedGuest, StoreError},
};

#[derive(FromRow)]
pub(super) struct ReportRow {
    report_id: i64,
    room: String,
    nickname: String,
    message: String,
    said_at: i64,
    user_id: Option<i64>,
    guest: Option<String>,
    network: Option<String>,
    author: Option<String>,
    reported_by: Option<i64>,
    reporter: Option<String>,
    reported_at: i64,
    outcome: Option<String>,
    closed_at: Option<i64>,
}

impl ReportRow {
    pub(super) fn report(self) -> Result<Report, StoreError> {
        let speaker = match self.user_id {
            Some(user) => Speaker::Member(UserId(user)),
            None => {
                let (visitor, network) =
                    guest(self.guest.as_deref().unwrap_or_default(), self.network.as_deref())?;
                Speaker::Guest { visitor, network }
            }
        };
        let outcome = self.outcome.map(|name| {
            let known = ReportOutcome::ALL.into_iter().find(|outcome| outcome.name() == name);
            known.ok_or_else(|| corrupt("the outcome of a report", name))
        });
        let outcome = outcome.transpose()?;
        Ok(Report {
            report_id: ReportId(self.report_id),
            room: self.room,
            said: Said {
                at: Timestamp::from_millis(self.said_at),
                speaker,
                nickname: self.nickname.into(),
                message: self.message.into(),
            },
            author: self.user_id.map(UserId).zip(self.author),
            reported_by: self.reported_by.map(UserId).zip(self.reporter),
            reported_at: Timestamp::from_millis(self.reported_at),
            closed: outcome.zip(self.closed_at.map(Timestamp::from_millis)),
        })
    }
}

#[derive(FromRow)]
pub(super) struct MutedGuestRow {
    guest: String,
    network: Option<String>,
    closed_at: i64,
}

impl MutedGuestRow {
    pub(super) fn guest(self) -> Result<MutedGuest, StoreError> {
        let (visitor, network) = guest(&self.guest, self.network.as_deref())?;
        Ok(MutedGuest { visitor, network, at: Timestamp::from_millis(self.closed_at) })
    }
}

fn guest(visitor: &str, network: Option<&str>) -> Result<(u64, Option<IpAddr>), StoreError> {
    let visitor = u64::from_str_radix(visitor, 16).map_err(|_| corrupt("a guest", visitor))?;
    let network = network.map(|text| text.parse().map_err(|_| corrupt("a guest's network", text)));
    Ok((visitor, network.transpose()?))
}
