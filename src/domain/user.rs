//! Accounts: who a shopper is, and the rules for what they may call themselves.

use unicode_normalization::UnicodeNormalization;

use super::{Invalid, Timestamp, UserId};

/// An e-mail address. Compared without regard to case.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Checks the form `local@domain.tld` with the lengths of RFC 5321 §4.5.3.1 (64 and 254 octets); mail is
    /// never sent, so that anything finer would refuse real addresses and prove nothing.
    ///
    /// # Errors
    /// Anything else, and whatever could become markup.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const BAD: Invalid = Invalid::new("invalid", "this must be an e-mail address");
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(BAD)?;
        let local_ok = (1..=64).contains(&local.len())
            && local.chars().all(|c| c.is_alphanumeric() || "!#$%&*+-/=?^_`{|}~.".contains(c))
            && !local.starts_with('.')
            && !local.ends_with('.');
        let label_ok = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if !local_ok || text.len() > 254 || !domain.contains('.') || !domain.split('.').all(label_ok) {
            return Err(BAD);
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two addresses are the same account.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }

    /// From a row that was parsed when it was written.
    #[must_use]
    pub(crate) fn trusted(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email(…)")
    }
}

/// What a shopper is called in alerts: 2–20 letters of any script, digits, `_ - .`, in NFC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nickname(String);

impl Nickname {
    /// Normalizes to NFC and checks.
    ///
    /// # Errors
    /// Another length or another character.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text: String = text.trim().nfc().take(64).collect();
        match text.chars().count() {
            0..2 => return Err(Invalid::new("too_short", "a nickname has 2 to 20 characters")),
            2..=20 => {}
            _ => return Err(Invalid::new("too_long", "a nickname has 2 to 20 characters")),
        }
        if !text.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) {
            return Err(Invalid::new("invalid_characters", "a nickname has letters, digits, _ - and . only"));
        }
        Ok(Self(text))
    }

    /// As it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two nicknames are the same.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase().nfc().collect()
    }

    /// From a row that was parsed when it was written.
    #[must_use]
    pub(crate) fn trusted(text: String) -> Self {
        Self(text)
    }
}

/// A password as it was typed: 8–128 characters, never shown and never stored.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Checks the length of a new password.
    ///
    /// # Errors
    /// Fewer than 8 or more than 128 characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.chars().count() {
            0..8 => Err(Invalid::new("too_short", "a password has 8 to 128 characters")),
            8..=128 => Ok(Self(text.to_owned())),
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

/// An Argon2id hash in PHC string format.
#[derive(Clone)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Buys.
    Member,
    /// Also changes the catalog and cancels orders.
    Admin,
}

/// An account, as its owner sees it.
#[derive(Clone, Debug)]
pub struct User {
    /// Its number.
    pub user_id: UserId,
    /// Its log-in.
    pub email: Email,
    /// Its name in alerts.
    pub nickname: Nickname,
    /// What it may do.
    pub role: Role,
    /// Its orders are not announced.
    pub hide_purchases: bool,
    /// Since when it exists.
    pub created_at: Timestamp,
}

/// An account to create.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Its log-in.
    pub email: Email,
    /// Its name in alerts.
    pub nickname: Nickname,
    /// Its password, hashed.
    pub password: PasswordHash,
    /// What it may do.
    pub role: Role,
    /// Now.
    pub created_at: Timestamp,
}

/// What its owner changes of an account; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct UserPatch {
    /// A new name.
    pub nickname: Option<Nickname>,
    /// Whether orders alert.
    pub hide_purchases: Option<bool>,
    /// A new password, hashed: all other log-ins end.
    pub password: Option<PasswordHash>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicknames_take_any_script_and_refuse_markup() {
        for good in ["kim", "김철수", "José", "a-b_c.9", "हिंदी"] {
            let _ = Nickname::parse(good).map_err(|e| panic!("{good}: {e:?}"));
        }
        for bad in [
            "k",
            "",
            " ",
            "<b>kim</b>",
            "kim lee",
            "a'b",
            &"x".repeat(21),
            "a\u{202e}b",
            &"y".repeat(1 << 20),
        ] {
            assert!(Nickname::parse(bad).is_err(), "{:?}", &bad[..bad.len().min(30)]);
        }
        assert_eq!(Nickname::parse("Jose\u{301}").unwrap().as_str(), "José");
        assert_eq!(Nickname::parse("KIM").unwrap().key(), Nickname::parse("kim").unwrap().key());
    }

    #[test]
    fn addresses_have_two_sides_and_a_dot() {
        for good in ["kim@example.com", "a.b+c@sub.example.co.kr", "ü@exämple.de"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "kim",
            "kim@",
            "@example.com",
            "kim@example",
            "a b@example.com",
            "<x>@example.com",
            "a@b..c",
            ".a@b.c",
        ] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }
}
