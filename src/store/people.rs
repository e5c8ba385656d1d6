//! What a store does for administrators who look after accounts.

use async_trait::async_trait;

use super::{Denied, StoreError};
use crate::domain::{Actor, Person, PersonPatch, Role, Timestamp, UserId};

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// There is no such account, or no longer.
    #[error("there is no such account")]
    NotFound,
    /// Nobody would be left who could do it again.
    #[error("the last administrator must stay one")]
    LastAdmin,
    /// The caller may not, or no longer.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which accounts to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct PeopleQuery {
    /// Only those whose nickname or address contains this, without regard to case; nicknames without regard to look-alikes.
    pub text: Option<String>,
    /// Only those who may do this.
    pub role: Option<Role>,
    /// Only those that are banned, or those that are not.
    pub banned: Option<bool>,
    /// Only ids below this one.
    pub before: Option<UserId>,
    /// At most so many.
    pub limit: u32,
}

/// Accounts as administrators see them. Who changes them must still be one when it is done; `None` is the program itself.
#[async_trait]
pub trait PeopleStore: Send + Sync + 'static {
    /// Lists accounts that were not erased.
    async fn people(&self, query: PeopleQuery, now: Timestamp) -> Result<Vec<Person>, StoreError>;
    /// Finds one.
    async fn person(&self, id: UserId, now: Timestamp) -> Result<Option<Person>, StoreError>;
    /// Changes an account. A ban ends its log-ins, and so does another role. One administrator who may log in is left.
    async fn change_person(
        &self,
        id: UserId,
        patch: PersonPatch,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Person, PersonError>;
    /// Ends all log-ins of an account; the feed announces it, so that its sessions close.
    async fn end_log_ins(&self, id: UserId, by: Option<Actor>, now: Timestamp) -> Result<(), PersonError>;
}
