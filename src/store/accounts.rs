//! What a store does for accounts and their log-ins.

use async_trait::async_trait;

use super::{Denied, StoreError};
use crate::domain::{
    Actor, LoginSession, NewUser, Nickname, PasswordHash, SessionId, Timestamp, User, UserId, UserPatch,
};

/// Why an account was not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Another account has the address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// Another account has the nickname.
    #[error("the nickname is taken")]
    NicknameTaken,
    /// The owner lost the right meanwhile, or erased the account.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Accounts and log-ins.
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// Creates an account.
    async fn create_user(&self, user: NewUser) -> Result<User, AccountError>;
    /// Finds an account and its password by what someone typed as its e-mail address.
    async fn user_by_login(&self, typed: &str) -> Result<Option<(User, PasswordHash)>, StoreError>;
    /// The accounts whose address is this one in any spelling. There are several only where they are older than the rule
    /// that an address is one account.
    async fn users_with_address(&self, typed: &str) -> Result<Vec<UserId>, StoreError>;
    /// Finds the oldest administrator who may log in.
    async fn administrator(&self) -> Result<Option<UserId>, StoreError>;
    /// Whether an account has the nickname, or one that looks like it.
    async fn has_nickname(&self, nickname: &Nickname) -> Result<bool, StoreError>;
    /// Finds an account's password.
    async fn password_of(&self, user: UserId) -> Result<Option<PasswordHash>, StoreError>;
    /// Changes an account. A new password revokes all its log-ins but `keep`; who hides purchases is no longer named in
    /// past alerts.
    async fn change_user(
        &self,
        by: Actor,
        patch: UserPatch,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> Result<User, AccountError>;
    /// Replaces the hash of a password that stays the same, unless another came first.
    async fn rehash(&self, user: UserId, old: &PasswordHash, new: PasswordHash) -> Result<(), StoreError>;

    /// Records a log-in; `false` when the account is banned.
    async fn open_session(
        &self,
        id: &SessionId,
        user: UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Finds a log-in that is neither revoked nor expired, with its account.
    async fn session(&self, id: &SessionId, now: Timestamp) -> Result<Option<LoginSession>, StoreError>;
    /// Ends a log-in; the feed announces it, so that its sockets close.
    async fn revoke_session(&self, id: &SessionId, now: Timestamp) -> Result<(), StoreError>;
    /// Ends the log-ins of an account but that by which this is done, as [`revoke_session`](Self::revoke_session) does.
    async fn revoke_other_sessions(&self, by: Actor, now: Timestamp) -> Result<(), AccountError>;
    /// Forgets log-ins that ended before a moment, a few at a time. Returns how many.
    async fn forget_sessions(&self, before: Timestamp) -> Result<u64, StoreError>;
}
