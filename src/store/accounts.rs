//! What a store does for accounts and their log-ins.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{
    Email, LoginSession, NewUser, Nickname, PasswordHash, SessionId, Timestamp, User, UserId, UserPatch,
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
    /// Whether an account has the nickname, or one that looks like it.
    async fn has_nickname(&self, nickname: &Nickname) -> Result<bool, StoreError>;
    /// Finds an account's password.
    async fn password_of(&self, user: UserId) -> Result<Option<PasswordHash>, StoreError>;
    /// Changes an account. A new password revokes all its log-ins but `keep`.
    async fn change_user(
        &self,
        user: UserId,
        patch: UserPatch,
        keep: &SessionId,
        now: Timestamp,
    ) -> Result<User, AccountError>;
    /// Replaces the hash of a password that stays the same, unless another came first.
    async fn rehash(&self, user: UserId, old: &PasswordHash, new: PasswordHash) -> Result<(), StoreError>;
    /// Bans an account, which ends its log-ins, or lets it log in again. Returns whether there is such an account.
    async fn ban(&self, email: &Email, banned: bool, now: Timestamp) -> Result<bool, StoreError>;

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
    /// Forgets log-ins that ended before a moment, a few at a time. Returns how many.
    async fn forget_sessions(&self, before: Timestamp) -> Result<u64, StoreError>;
}
