//! Accounts: registering, logging in and out, and what an owner changes.

use std::{net::IpAddr, sync::Arc};

use super::{
    ServiceError,
    passwords::Passwords,
    tokens::{Named, Tokens},
};
use crate::{
    config::Settings,
    domain::{
        Email, Fields, LoginSession, NewUser, Nickname, Password, Role, SessionId, Timestamp, User,
        UserPatch, fields::flag,
    },
    limits::login_attempts::Throttle,
    store::Store,
};

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
    pub fn read(mut fields: Fields) -> Result<Self, ServiceError> {
        let nickname = fields.required("nickname", Nickname::parse);
        let email = fields.required("email", Email::parse);
        let password = fields.required("password", Password::parse);
        let confirmed = fields.required("confirmPassword", |text| Ok(text.to_owned()));
        fields.finish()?;
        match (nickname, email, password, confirmed) {
            (Some(nickname), Some(email), Some(password), Some(confirmed)) => {
                if confirmed.as_bytes() != password.reveal() {
                    return Err(ServiceError::PasswordMismatch);
                }
                Ok(Self { email, nickname, password })
            }
            _ => Err(ServiceError::Validation(Vec::new())),
        }
    }
}

/// What someone types to log in. Not checked for form: what no account can have is answered as a wrong password.
pub struct LogIn {
    email: String,
    password: String,
}

impl LogIn {
    /// Reads `email, password`.
    ///
    /// # Errors
    /// A field that is missing or no text.
    pub fn read(mut fields: Fields) -> Result<Self, ServiceError> {
        let email = fields.required("email", |text| Ok(text.to_owned()));
        let password = fields.required("password", |text| Ok(text.to_owned()));
        fields.finish()?;
        Ok(Self { email: email.unwrap_or_default(), password: password.unwrap_or_default() })
    }
}

/// A log-in that was just made.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// Its token.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whose it is.
    pub user: User,
}

/// What an owner wants changed.
pub struct Change {
    nickname: Option<Nickname>,
    hide_purchases: Option<bool>,
    /// The new password and what was typed as the current one.
    password: Option<(Password, String)>,
}

impl Change {
    /// Reads `nickname?, hidePurchases?, password? + currentPassword`.
    ///
    /// # Errors
    /// Fields that are not valid.
    pub fn read(mut fields: Fields) -> Result<Self, ServiceError> {
        let nickname = fields.optional("nickname", Nickname::parse);
        let hide_purchases = fields.optional("hidePurchases", flag);
        let password = fields.optional("password", Password::parse);
        let current = if fields.has("password") {
            fields.required("currentPassword", |text| Ok(text.to_owned()))
        } else {
            None
        };
        fields.finish()?;
        Ok(Self { nickname, hide_purchases, password: password.zip(current) })
    }
}

/// The use cases of accounts.
pub struct Accounts {
    store: Arc<dyn Store>,
    tokens: Tokens,
    passwords: Passwords,
    throttle: Throttle,
}

impl Accounts {
    /// Over a store, with the settings' token key and life.
    ///
    /// # Errors
    /// The store failed.
    pub async fn open(store: Arc<dyn Store>, settings: &Settings) -> Result<Self, ServiceError> {
        let secret = settings.jwt_secret.as_ref().map(|secret| secret.0.as_str());
        let tokens = Tokens::open(&*store, secret, settings.token_ttl).await?;
        Ok(Self { store, tokens, passwords: Passwords::default(), throttle: Throttle::default() })
    }

    /// Creates an account.
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

    /// Opens a log-in, if the password is right. An unknown e-mail address gets the same answer after the same time.
    ///
    /// # Errors
    /// [`ServiceError::BadCredentials`], [`ServiceError::TooManyAttempts`], too much work.
    pub async fn log_in(
        &self,
        who: LogIn,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<LoggedIn, ServiceError> {
        let attempt = self.throttle.attempt(&who.email, address, now)?;
        let checked = self.check(who).await;
        // Only a wrong password counts; whoever leaves while it is verified does not learn, and does count.
        if !matches!(checked, Err(ServiceError::BadCredentials)) {
            attempt.give_back();
        }
        self.open_login(checked?, now).await
    }

    async fn check(&self, who: LogIn) -> Result<User, ServiceError> {
        let found = match Email::parse(&who.email) {
            Ok(email) => self.store.user_by_email(&email).await?,
            Err(_) => None,
        };
        let (user, stored) = found.unzip();
        let right = self.passwords.verify(who.password, stored).await?;
        user.filter(|_| right).ok_or(ServiceError::BadCredentials)
    }

    async fn open_login(&self, user: User, now: Timestamp) -> Result<LoggedIn, ServiceError> {
        let named = Named { user: user.user_id, session: SessionId::from_random(rand::random()) };
        let expires_at = now.plus(self.tokens.ttl());
        if !self.store.open_session(&named.session, named.user, now, expires_at).await? {
            return Err(ServiceError::Banned);
        }
        Ok(LoggedIn { token: self.tokens.sign(&named, now, expires_at)?, expires_at, user })
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

    /// Whose token this is; `None` when it is not valid, over or revoked.
    ///
    /// # Errors
    /// The store failed.
    pub async fn who(&self, token: &str, now: Timestamp) -> Result<Option<LoginSession>, ServiceError> {
        let Some(named) = self.tokens.read(token, now) else { return Ok(None) };
        let session = self.store.session(&named.session, now).await?;
        Ok(session.filter(|session| session.user.user_id == named.user))
    }

    /// Changes an account. A new password needs the current one and ends the other log-ins.
    ///
    /// # Errors
    /// [`ServiceError::BadCredentials`] for a wrong current password, counted like a failed log-in; a taken
    /// nickname; too much work.
    pub async fn change(
        &self,
        login: &LoginSession,
        change: Change,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<User, ServiceError> {
        let password = match change.password {
            None => None,
            Some((new, current)) => {
                self.confirm(&login.user, current, address, now).await?;
                Some(self.passwords.hash(new).await?)
            }
        };
        let patch = UserPatch { nickname: change.nickname, hide_purchases: change.hide_purchases, password };
        Ok(self.store.change_user(login.user.user_id, patch, &login.id, now).await?)
    }

    async fn confirm(
        &self,
        user: &User,
        current: String,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let attempt = self.throttle.attempt(user.email.as_str(), address, now)?;
        let stored = self.store.password_of(user.user_id).await;
        let right = match stored {
            Ok(stored) => self.passwords.verify(current, stored).await,
            Err(error) => Err(error.into()),
        };
        match right {
            Ok(false) => Err(ServiceError::BadCredentials),
            other => {
                attempt.give_back();
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
    store: &dyn Store,
    passwords: &Passwords,
    wanted: Registration,
    role: Role,
    now: Timestamp,
) -> Result<User, ServiceError> {
    let password = passwords.hash(wanted.password).await?;
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
        let error = Change::read(fields(r#"{"password": "12345678"}"#)).err();
        assert!(
            matches!(error, Some(ServiceError::Validation(errors)) if errors[0].field == "currentPassword")
        );
        assert!(Change::read(fields(r#"{"hidePurchases": true}"#)).is_ok());
    }
}
