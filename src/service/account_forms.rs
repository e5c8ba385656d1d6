//! What people write to get, change and end an account.

use super::ServiceError;
use crate::domain::{Email, Fields, Invalid, Nickname, Password, PasswordAttempt, fields::flag};

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
        let confirmed = fields.required("confirmPassword", attempt);
        let (nickname, email, password, confirmed) = fields.finish((nickname, email, password, confirmed))?;
        if confirmed.normalized().reveal() != password.reveal() {
            return Err(ServiceError::PasswordMismatch);
        }
        Ok(Self { email, nickname, password })
    }
}

/// What someone types to log in. Its form is not checked: what no account can have is a wrong password.
pub struct Credentials {
    pub(super) email: String,
    pub(super) password: PasswordAttempt,
}

impl Credentials {
    /// What failures are counted under: the same for all ways to write an address.
    pub(super) fn account(&self) -> String {
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
        let password = fields.required("password", attempt);
        let (email, password) = fields.finish((email, password))?;
        Ok(Self { email, password })
    }
}

/// The changes of an account that its owner asks for.
pub struct AccountChange {
    pub(super) nickname: Option<Nickname>,
    pub(super) hide_purchases: Option<bool>,
    pub(super) email: Option<Email>,
    pub(super) password: Option<Password>,
    /// What was typed as the current password, which a new address or password needs.
    pub(super) current: Option<PasswordAttempt>,
}

impl AccountChange {
    /// Reads `nickname?, hidePurchases?, password? + currentPassword, email? + currentPassword`.
    ///
    /// # Errors
    /// Fields that are not valid or not known.
    pub fn read(fields: Fields) -> Result<Self, ServiceError> {
        let nickname = fields.optional("nickname", Nickname::parse);
        let hide_purchases = fields.optional("hidePurchases", flag);
        let email = fields.optional("email", Email::parse);
        let password = fields.optional("password", Password::parse);
        let current = if fields.has("password") || fields.has("email") {
            fields.required("currentPassword", attempt).map(Some)
        } else {
            Ok(None)
        };
        let known = fields.only(&["nickname", "hidePurchases", "email", "password", "currentPassword"]);
        let (nickname, hide_purchases, email, password, current, ()) =
            fields.finish((nickname, hide_purchases, email, password, current, known))?;
        Ok(Self { nickname, hide_purchases, email, password, current })
    }
}

/// Reads what someone types to erase their account: `password`.
///
/// # Errors
/// A password that is missing or no text.
pub fn read_erasure(fields: &Fields) -> Result<PasswordAttempt, ServiceError> {
    Ok(fields.required("password", attempt)?)
}

fn attempt(text: &str) -> Result<PasswordAttempt, Invalid> {
    Ok(PasswordAttempt::new(text))
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
    fn a_new_password_or_address_needs_the_current_one() {
        let error = AccountChange::read(fields(r#"{"password": "12345678"}"#)).err();
        assert!(
            matches!(error, Some(ServiceError::Validation(errors)) if errors[0].field == "currentPassword")
        );
        let error = AccountChange::read(fields(r#"{"email": "kim@example.com"}"#)).err();
        assert!(
            matches!(error, Some(ServiceError::Validation(errors)) if errors[0].field == "currentPassword")
        );
        assert!(AccountChange::read(fields(r#"{"hidePurchases": true}"#)).is_ok());
    }
}
