//! Accounts, for administrators: finding, banning, promoting and logging them out.

use std::sync::Arc;

use super::{Page, ServiceError};
use crate::{
    domain::{Actor, Fields, Person, PersonPatch, Role, Timestamp, UserId, fields::flag},
    store::{PeopleQuery, PeopleStore, PersonError},
};

/// Reads what an administrator changes of an account: `role?, banned?, muted?`.
///
/// # Errors
/// Fields that are not valid or not known.
pub fn read_patch(fields: Fields) -> Result<PersonPatch, ServiceError> {
    let known = fields.only(&["role", "banned", "muted"]);
    let role = fields.optional("role", Role::parse);
    let banned = fields.optional("banned", flag);
    let muted = fields.optional("muted", flag);
    let (role, banned, muted, ()) = fields.finish((role, banned, muted, known))?;
    Ok(PersonPatch { role, banned, muted })
}

/// The use cases of administrators who look after accounts.
pub struct People {
    store: Arc<dyn PeopleStore>,
}

impl People {
    /// Over a store.
    #[must_use]
    pub fn new(store: Arc<dyn PeopleStore>) -> Self {
        Self { store }
    }

    /// Lists accounts, newest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(
        &self,
        query: PeopleQuery,
        now: Timestamp,
    ) -> Result<Page<Person, UserId>, ServiceError> {
        let limit = query.limit;
        let found = self.store.people(PeopleQuery { limit: limit.saturating_add(1), ..query }, now).await?;
        Ok(Page::cut(found, limit, |person| person.user.user_id))
    }

    /// Finds an account.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; the store failed.
    pub async fn get(&self, id: UserId, now: Timestamp) -> Result<Person, ServiceError> {
        self.store.person(id, now).await?.ok_or(ServiceError::NotFound)
    }

    /// Changes an account. A ban ends its log-ins and their sessions within a second, and so does another role.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::LastAdmin`], someone who is no administrator any more.
    pub async fn change(
        &self,
        id: UserId,
        patch: PersonPatch,
        by: Actor,
        now: Timestamp,
    ) -> Result<Person, ServiceError> {
        Ok(self.store.change_person(id, patch, Some(by), now).await?)
    }

    /// Ends all log-ins of an account and their sessions.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], someone who is no administrator any more.
    pub async fn log_out(&self, id: UserId, by: Actor, now: Timestamp) -> Result<(), ServiceError> {
        Ok(self.store.end_log_ins(id, Some(by), now).await?)
    }
}

impl From<PersonError> for ServiceError {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::NotFound => Self::NotFound,
            PersonError::LastAdmin => Self::LastAdmin,
            PersonError::Denied(denied) => Self::Denied(denied),
            PersonError::Store(error) => Self::Store(error),
        }
    }
}
