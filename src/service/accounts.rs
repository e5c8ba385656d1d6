//! Accounts: registering, logging in and out, and what an owner changes.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    ServiceError,
    account_forms::{AccountChange, Credentials, Registration},
    passwords::{Passwords, Turn, Verdict},
    tokens::{TokenClaims, Tokens},
};
use crate::{
    config::Settings,
    domain::{
        LoginSession, NewUser, Nickname, Password, PasswordAttempt, PasswordHash, Role, SessionId,
        SessionSecret, Timestamp, User, UserId, UserPatch,
    },
    limits::{LoginThrottle, Rates, network},
    store::{AccountStore, Store},
};

/// Minutes' worth of registrations that may come from a network at once.
const REGISTRATION_BURST: u8 = 3;
/// Where the operator's own accounts come from.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A log-in that was just made.
#[derive(Clone)]
pub struct LoggedIn {
    /// Its token.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whose it is.
    pub user: User,
}

impl std::fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoggedIn").field("user", &self.user.user_id).finish_non_exhaustive()
    }
}

/// An account that was just changed.
#[derive(Clone, Debug)]
pub struct Changed {
    /// As it is now.
    pub user: User,
    /// The log-in that takes the place of all earlier ones, when the password is new.
    pub login: Option<LoggedIn>,
}

/// The use cases of accounts.
pub struct Accounts {
    store: Arc<dyn Store>,
    tokens: Tokens,
    passwords: Passwords,
    throttle: LoginThrottle,
    registrations: Rates<IpAddr>,
}

impl Accounts {
    /// Over a store, with the settings' token key and life.
    ///
    /// # Errors
    /// The store failed.
    pub async fn open(store: Arc<dyn Store>, settings: &Settings) -> Result<Self, ServiceError> {
        let tokens = Tokens::open(&*store, &settings.token_keys(), settings.token_ttl).await?;
        Ok(Self {
            store,
            tokens,
            passwords: Passwords::default(),
            throttle: LoginThrottle::default(),
            registrations: Rates::new(settings.registration_rate, Duration::from_mins(1), REGISTRATION_BURST),
        })
    }

    /// Creates the account of someone who asks for one.
    ///
    /// # Errors
    /// [`ServiceError::TooManyRegistrations`] beyond `--registration-rate`; what [`Accounts::register`] says.
    pub async fn sign_up(
        &self,
        wanted: Registration,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<User, ServiceError> {
        let taken = self.registrations.take(network(address), Instant::now());
        taken.map_err(ServiceError::TooManyRegistrations)?;
        create_from(address, &*self.store, &self.passwords, wanted, Role::Member, now).await
    }

    /// Creates an account for the operator.
    ///
    /// # Errors
    /// A taken e-mail address or nickname; too much work.
    pub async fn register(
        &self,
        wanted: Registration,
        role: Role,
        now: Timestamp,
    ) -> Result<User, ServiceError> {
        create(&*self.store, &self.passwords, wanted, role, now).await
    }

    /// What slows the guessing of passwords, for the other nodes of the shop.
    #[must_use]
    pub fn throttle(&self) -> &LoginThrottle {
        &self.throttle
    }

    /// Opens a log-in session, if the password is right. An unknown e-mail address gets the same answer after the same time.
    ///
    /// # Errors
    /// [`ServiceError::BadCredentials`], [`ServiceError::TooManyAttempts`], too much work.
    pub async fn log_in(
        &self,
        who: Credentials,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<LoggedIn, ServiceError> {
        let attempt = self.throttle.attempt(&who.account(), address, now)?;
        let checked = self.check(who, address).await;
        // Only a wrong password counts, and an attempt whose client left before it was verified.
        match &checked {
            Ok(_) => attempt.succeed(),
            Err(ServiceError::BadCredentials) => {}
            Err(_) => attempt.refund(),
        }
        self.open_login(checked?, now).await
    }

    /// Hashes a new password for someone who proved otherwise whose account it is for.
    ///
    /// # Errors
    /// Too much work.
    pub(super) async fn hash(&self, address: IpAddr, new: Password) -> Result<PasswordHash, ServiceError> {
        self.passwords.hash(Turn::log_in(address), new).await
    }

    async fn check(&self, who: Credentials, address: IpAddr) -> Result<User, ServiceError> {
        let (user, stored) = self.store.user_by_login(&who.email).await?.unzip();
        let verdict = self.passwords.verify(Turn::log_in(address), who.password, stored.clone()).await?;
        match (verdict, user) {
            (Verdict::Right { rehashed }, Some(user)) => {
                if let (Some(new), Some(old)) = (rehashed, stored) {
                    self.store.rehash(user.user_id, &old, new).await?;
                }
                Ok(user)
            }
            _ => Err(ServiceError::BadCredentials),
        }
    }

    async fn open_login(&self, user: User, now: Timestamp) -> Result<LoggedIn, ServiceError> {
        Ok(self.begin_login(user, now).await?.1)
    }

    async fn begin_login(&self, user: User, now: Timestamp) -> Result<(SessionId, LoggedIn), ServiceError> {
        let claims = TokenClaims { user: user.user_id, session: SessionSecret::from_random(rand::random()) };
        let expires_at = now.plus(self.tokens.ttl());
        let id = claims.session.id();
        if !self.store.open_session(&id, claims.user, now, expires_at).await? {
            return Err(ServiceError::Banned);
        }
        Ok((id, LoggedIn { token: self.tokens.sign(&claims, now, expires_at)?, expires_at, user }))
    }

    /// Whose token it is, without a look at whether the log-in still holds: for requests of a session that ends with its
    /// log-in.
    #[must_use]
    pub fn owner_of(&self, token: &str, now: Timestamp) -> Option<UserId> {
        self.tokens.read(token, now).map(|claims| claims.user)
    }

    /// Whether an account has the nickname.
    ///
    /// # Errors
    /// The store failed.
    pub async fn is_taken(&self, nickname: &Nickname) -> Result<bool, ServiceError> {
        Ok(self.store.has_nickname(nickname).await?)
    }

    /// Ends a log-in and all sockets that were opened with it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn log_out(&self, session: &SessionId, now: Timestamp) -> Result<(), ServiceError> {
        Ok(self.store.revoke_session(session, now).await?)
    }

    /// The log-in session that a token names; `None` when it is not valid, expired or revoked.
    ///
    /// # Errors
    /// The store failed.
    pub async fn authenticate(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<LoginSession>, ServiceError> {
        let Some(claims) = self.tokens.read(token, now) else { return Ok(None) };
        let session = self.store.session(&claims.session.id(), now).await?;
        Ok(session.filter(|session| session.user.user_id == claims.user))
    }

    /// Changes an account. A new password or address needs the current password. A new password ends all log-ins, that of
    /// the caller too; a new one takes their place.
    ///
    /// # Errors
    /// [`ServiceError::BadCredentials`] for a wrong current password, counted like a failed log-in; a taken address or
    /// nickname; too much work.
    pub async fn change(
        &self,
        login: &LoginSession,
        change: AccountChange,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Changed, ServiceError> {
        let renames = change.nickname.as_ref().filter(|name| !name.is_like(&login.user.nickname));
        if renames.is_some_and(Nickname::is_reserved) {
            return Err(ServiceError::NicknameTaken);
        }
        let AccountChange { nickname, hide_purchases, email, password, current } = change;
        if let Some(current) = current {
            self.confirm(&login.user, current, address, now).await?;
        }
        let (password, renewed) = match password {
            None => (None, None),
            Some(new) => {
                let hash = self.passwords.hash(Turn::log_in(address), new).await?;
                (Some(hash), Some(self.begin_login(login.user.clone(), now).await?))
            }
        };
        let patch = UserPatch { nickname, email, hide_purchases, password };
        // The token of the new log-in is nobody's until the change has been made.
        let keep = renewed.as_ref().map_or(login.id, |(id, _)| *id);
        match (self.store.change_user(login.into(), patch, Some(keep), now).await, renewed) {
            (Ok(user), renewed) => {
                let login = renewed.map(|(_, login)| LoggedIn { user: user.clone(), ..login });
                Ok(Changed { user, login })
            }
            (Err(error), Some((id, _))) => {
                self.store.revoke_session(&id, now).await?;
                Err(error.into())
            }
            (Err(error), None) => Err(error.into()),
        }
    }

    /// Ends all log-ins of an account but the caller's.
    ///
    /// # Errors
    /// The caller's has ended meanwhile; the store failed.
    pub async fn log_out_elsewhere(&self, login: &LoginSession, now: Timestamp) -> Result<(), ServiceError> {
        Ok(self.store.revoke_other_sessions(login.into(), now).await?)
    }

    /// Erases an account, if the password is right.
    ///
    /// # Errors
    /// [`ServiceError::BadCredentials`] for a wrong password, counted like a failed log-in; too much work.
    pub async fn erase(
        &self,
        login: &LoginSession,
        password: PasswordAttempt,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        self.confirm(&login.user, password, address, now).await?;
        Ok(self.store.erase_user(login.into(), now).await?)
    }

    async fn confirm(
        &self,
        user: &User,
        current: PasswordAttempt,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let attempt = self.throttle.attempt(&user.email.key(), address, now)?;
        let stored = self.store.password_of(user.user_id).await;
        let right = match stored {
            Ok(stored) => self.passwords.verify(Turn::log_in(address), current, stored).await,
            Err(error) => Err(error.into()),
        };
        match right {
            Ok(Verdict::Wrong) => Err(ServiceError::BadCredentials),
            other => {
                attempt.refund();
                other.map(drop)
            }
        }
    }
}

/// Creates an account without the rest of the service: what `shopbell admin create` needs.
///
/// # Errors
/// A taken e-mail address or nickname; too much work.
pub async fn create(
    store: &dyn AccountStore,
    passwords: &Passwords,
    wanted: Registration,
    role: Role,
    now: Timestamp,
) -> Result<User, ServiceError> {
    create_from(HERE, store, passwords, wanted, role, now).await
}

/// Gives an account a new password, which ends its log-ins: what `shopbell admin password` needs.
///
/// # Errors
/// No such account; too much work.
pub async fn replace_password(
    store: &dyn AccountStore,
    passwords: &Passwords,
    user: UserId,
    password: Password,
    now: Timestamp,
) -> Result<User, ServiceError> {
    let hash = passwords.hash(Turn::registration(HERE), password).await?;
    let patch = UserPatch { password: Some(hash), ..UserPatch::default() };
    Ok(store.change_user(user.into(), patch, None, now).await?)
}

/// What is taken is refused before the hash, which costs a thousand times as much.
async fn create_from(
    address: IpAddr,
    store: &dyn AccountStore,
    passwords: &Passwords,
    wanted: Registration,
    role: Role,
    now: Timestamp,
) -> Result<User, ServiceError> {
    if role != Role::Admin && wanted.nickname.is_reserved() {
        return Err(ServiceError::NicknameTaken);
    }
    if store.user_by_login(wanted.email.as_str()).await?.is_some() {
        return Err(ServiceError::EmailTaken);
    }
    if store.has_nickname(&wanted.nickname).await? {
        return Err(ServiceError::NicknameTaken);
    }
    let password = passwords.hash(Turn::registration(address), wanted.password).await?;
    let user = NewUser { email: wanted.email, nickname: wanted.nickname, password, role, created_at: now };
    Ok(store.create_user(user).await?)
}
