//! Passwords: the form in which they are hashed, what someone types, and the hash.

use super::{Invalid, text};

/// A password: 8–128 characters, in the form in which it is hashed, never shown and never stored.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Normalizes a new password (RFC 8265, OpaqueString) and checks it.
    ///
    /// # Errors
    /// Fewer than 8 or more than 128 characters; control characters and invisible ones.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        // Composing three code points to one is the most there is.
        if text.len() > 128 * 16 {
            return Err(Invalid::new("too_long", "a password has 8 to 128 characters"));
        }
        let text = text::opaque(text);
        match text.chars().count() {
            0..8 => Err(Invalid::new("too_short", "a password has 8 to 128 characters")),
            8..=128 if text.chars().all(text::is_opaque) => Ok(Self(text)),
            8..=128 => Err(Invalid::new("invalid_characters", "a password has no invisible characters")),
            _ => Err(Invalid::new("too_long", "a password has 8 to 128 characters")),
        }
    }

    /// The bytes to hash.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What someone types to prove who they are. Its form is not checked: what no account can have is a wrong password.
pub struct PasswordAttempt {
    normalized: String,
    typed: String,
}

impl PasswordAttempt {
    /// Of what was typed.
    #[must_use]
    pub fn new(typed: &str) -> Self {
        Self { normalized: text::opaque(typed), typed: typed.to_owned() }
    }

    /// In the form in which passwords are hashed.
    #[must_use]
    pub fn normalized(&self) -> Password {
        Password(self.normalized.clone())
    }

    /// As it was typed, where that differs: passwords of before they were normalized were hashed so.
    #[must_use]
    pub fn as_typed(&self) -> Option<&[u8]> {
        (self.typed != self.normalized).then_some(self.typed.as_bytes())
    }
}

/// An Argon2id hash in PHC string format.
#[derive(Clone)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_same_typed_in_any_form() {
        let hashed = |text: &str| Password::parse(text).unwrap().reveal().to_vec();
        assert_eq!(hashed("pässwörd"), hashed("pa\u{308}sswo\u{308}rd"));
        assert_eq!(hashed("pass word"), hashed("pass\u{a0}word"));
        assert_ne!(hashed("ｐassword"), hashed("password"));
        assert_ne!(hashed("Password"), hashed("password"));
        assert_eq!(hashed(" password "), b" password ");
        assert!(Password::parse("👨\u{200d}👩\u{200d}👧 and ❤\u{fe0f}").is_ok());
        for bad in ["1234567", "pass\u{7}word", "password\u{200b}", &"x".repeat(129)] {
            assert!(Password::parse(bad).is_err(), "{bad:?}");
        }
        assert!(PasswordAttempt::new("password").as_typed().is_none());
        assert_eq!(PasswordAttempt::new("pass\u{a0}word").as_typed(), Some("pass\u{a0}word".as_bytes()));
    }
}
