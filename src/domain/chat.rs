//! Chat: who speaks, what was said, and what was reported of it.

use std::{net::IpAddr, sync::Arc};

use super::{ReportId, Timestamp, UserId};

/// Who speaks in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// Someone with an account.
    Member(UserId),
    /// Someone without.
    Guest {
        /// The number in the guest's cookie.
        visitor: u64,
        /// The network that the guest comes from, where it is known.
        network: Option<IpAddr>,
    },
}

/// What was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// Who said it.
    pub speaker: Speaker,
    /// Under which name.
    pub nickname: Box<str>,
    /// As the room was told it.
    pub message: Box<str>,
}

/// A message that somebody finds that administrators should see.
#[derive(Clone, Debug)]
pub struct NewReport {
    /// The room in which it was said.
    pub room: Box<str>,
    /// What was said.
    pub said: Arc<Said>,
    /// Who reports it.
    pub by: Speaker,
    /// When.
    pub at: Timestamp,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportOutcome {
    /// Nothing is wrong with the message.
    Dismissed,
    /// Who said it may not speak any more.
    Muted,
}

impl ReportOutcome {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Dismissed, Self::Muted];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dismissed => "dismissed",
            Self::Muted => "muted",
        }
    }
}

/// A report as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its number.
    pub report_id: ReportId,
    /// The room in which the message was said.
    pub room: String,
    /// What was said.
    pub said: Said,
    /// What the account of who said it is called now; `None` for a guest.
    pub author: Option<(UserId, String)>,
    /// The account that reported it; `None` for a guest.
    pub reported_by: Option<(UserId, String)>,
    /// When.
    pub reported_at: Timestamp,
    /// What became of it and when; `None` while it is open.
    pub closed: Option<(ReportOutcome, Timestamp)>,
}
