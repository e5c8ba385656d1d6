//! What a store does for the record of what administrators did.

use async_trait::async_trait;
use serde_json::Value;

use super::StoreError;
use crate::domain::{AuditId, Timestamp, UserId};

/// Something that an administrator did.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// `user.ban`.
    pub action: &'static str,
    /// What it was done to, in a few words.
    pub subject: String,
    /// What changed: an object, with no secret in it.
    pub details: Value,
}

/// A deed as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Its number.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who, with the nickname of today; `None` for the command line, and for an account that was erased.
    pub admin: Option<(UserId, String)>,
    /// As [`Deed::action`].
    pub action: String,
    /// As [`Deed::subject`].
    pub subject: String,
    /// As [`Deed::details`].
    pub details: Value,
}

/// Which entries to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only those whose subject or administrator has this in its name, whatever the case of ASCII letters.
    pub text: Option<String>,
    /// Only this action, or with a name without a dot all that begin with it: `goods.update`, `goods`.
    pub action: Option<String>,
    /// Only ids below this one.
    pub before: Option<AuditId>,
    /// At most so many.
    pub limit: u32,
}

/// The record. It is written by what does it, in the same transaction.
#[async_trait]
pub trait AuditStore: Send + Sync + 'static {
    /// Lists entries.
    async fn audit(&self, query: AuditQuery) -> Result<Vec<AuditEntry>, StoreError>;
    /// Forgets what was recorded before a moment, and the oldest entries beyond `keep`, a few at a time. Returns how many.
    async fn prune_audit(&self, before: Timestamp, keep: u64) -> Result<u64, StoreError>;
}
