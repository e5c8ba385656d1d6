//! Accounts: registering, logging in and out, and what an owner changes.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    ServiceError,
    passwords::{Passwords, Turn, Verdict},
    tokens::{TokenClaims, Tokens},
};
use crate::{
    config::Settings,
    domain::{
        Email, Fields, LoginSession, NewUser, Nickname, Password, PasswordAttempt, Role, SessionId,
        SessionSecret, Timestamp, User, UserId, UserPatch, fields::flag,
    },
    limits::{LoginThrottle, Rates, network},
    store::{AccountStore, Store},
};

/// Minutes' worth of registrations that may come from a network at once.
const REGISTRATION_BURST: u8 = 3;
/// Where the operator's own accounts come from.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// An account that someone asks for.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its log-in.
    pub email: Email,
    /// Its name in alerts.
    pub nickname: Nickname,
    /// Its password.
    pub password: Password,
}

impl Registration {
    /// Reads `nickname, email, password, confirmPassword`, all fields before any is refused.
    ///
    /// # Errors
    /// Fields that are not valid, or passwords that differ.
    pub fn read(fields: Fields) -> Result<Self, ServiceError> {
        let nickname = fields.required("nickname", Nickname::parse);
        let email = fields.required("email", Email::parse);
        let password = fields.required("password", Password::parse);
        let confirmed = fields.required("confirmPassword", |text| Ok(PasswordAttempt::new(text)));
        let (nickname, email, password, confirmed) = fields.finish((nickname, email, password, confirmed))?;
        if confirmed.normalized().reveal() != password.reveal() {
            return Err(ServiceError::PasswordMismatch);
        }
        Ok(Self { email, nickname, password })
    }
}

/// What someone types to log in. Its form is not checked: what no account can have is a wrong password.
pub struct Credentials {
    email: String,
    password: PasswordAttempt,
}

impl Credentials {
    /// What failures are counted under: the same for all ways to write an address.
    fn account(&self) -> String {
        Email::parse(&self.email).map_or_else(|_| self.email.clone(), |email| email.key())
    }
}

impl Credentials {
    /// Reads `email, password`.
    ///
    /// # Errors
    /// A field that is missing or no text.
    pub fn read(fields: Fields) -> Result<Self, ServiceError> {
        let email = fields.required("email", |text| Ok(text.to_owned()));
        let password = fields.required("password", |text| Ok(PasswordAttempt::new(text)));
        let (email, password) = fields.finish((email, password))?;
        Ok(Self { email, password })
    }
}

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

/// The changes of an account that its owner asks for.
pub struct AccountChange {
    nickname: Option<Nickname>,
    hide_purchases: Option<bool>,
    /// The new password and what was typed as the current one.
    password: Option<(Password, PasswordAttempt)>,
}

impl AccountChange {
    /// Reads `nickname?, hidePurchases?, password? + currentPassword`.
    ///
    /// # Errors
    /// Fields that are not valid or not known.
    pub fn read(fields: Fields) -> Result<Self, ServiceError> {
        let nickname = fields.optional("nickname", Nickname::parse);
        let hide_purchases = fields.optional("hidePurchases", flag);
        let password = fields.optional("password", Password::parse);
        let current = if fields.has("password") {
            fields.required("currentPassword", |text| Ok(PasswordAttempt::new(text))).map(Some)
        } else {
            Ok(None)
        };
        let known = fields.only(&["nickname", "hidePurchases", "password", "currentPassword"]);
        let (nickname, hide_purchases, password, current, ()) =
            fields.finish((nickname, hide_purchases, password, current, known))?;
        Ok(Self { nickname, hide_purchases, password: password.zip(current) })
    }
}

/// The use cases of accounts.
pub struct Accounts {
    store: Arc<dyn AccountStore>,
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

    /// Changes an account. A new password needs the current one and ends all log-ins, that of the caller too; a new one
    /// takes their place.
    ///
    /// # Errors
    /// [`ServiceError::BadCredentials`] for a wrong current password, counted like a failed log-in; a taken
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
        let (password, renewed) = match change.password {
            None => (None, None),
            Some((new, current)) => {
                self.confirm(&login.user, current, address, now).await?;
                let hash = self.passwords.hash(Turn::log_in(address), new).await?;
                (Some(hash), Some(self.begin_login(login.user.clone(), now).await?))
            }
        };
        let patch = UserPatch { nickname: change.nickname, hide_purchases: change.hide_purchases, password };
        // The token of the new log-in is nobody's until the change has been made.
        let keep = renewed.as_ref().map_or(login.id, |(id, _)| *id);
        match (self.store.change_user(login.user.user_id, patch, &keep, now).await, renewed) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        Fields::new(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_registration_names_every_wrong_field() {
        let error = Registration::read(fields(r#"{"nickname": "k", "email": "kim", "password": "short"}"#));
        let Err(ServiceError::Validation(errors)) = error else { panic!("{error:?}") };
        let names: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(names, ["nickname", "email", "password", "confirmPassword"]);
    }

    #[test]
    fn a_password_is_typed_twice_the_same() {
        let json = r#"{"nickname": "kim", "email": "kim@example.com", "password": "12345678", "confirmPassword": "1234567"}"#;
        assert!(matches!(Registration::read(fields(json)), Err(ServiceError::PasswordMismatch)));
    }

    #[test]
    fn a_new_password_needs_the_current_one() {
        let error = AccountChange::read(fields(r#"{"password": "12345678"}"#)).err();
        assert!(
            matches!(error, Some(ServiceError::Validation(errors)) if errors[0].field == "currentPassword")
        );
        assert!(AccountChange::read(fields(r#"{"hidePurchases": true}"#)).is_ok());
    }
}
