//! Accounts: who a shopper is, and the rules for what they may call themselves.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::{Invalid, PasswordHash, Timestamp, UserId, text};

/// An e-mail address, its domain in the ASCII of IDNA. Compared without regard to case.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Checks the form `local@domain.tld`: a dot-string of RFC 5321 §4.1.2 (of RFC 6531, what is beyond ASCII in NFC), and
    /// a domain that IDNA (UTS #46) can write in ASCII, with the lengths of RFC 5321 §4.5.3.1 (64 and 254 octets).
    ///
    /// # Errors
    /// Anything else; a quoted local part and an address literal, too, which nobody has and pages stumble over.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const BAD: Invalid = Invalid::new("invalid", "this must be an e-mail address");
        if text.len() > 2000 {
            return Err(BAD);
        }
        let text = text::nfc(text);
        // A full-width sign is what some keyboards type.
        let text = text.replace('＠', "@");
        let (local, domain) = text.rsplit_once('@').ok_or(BAD)?;
        let is_atom = |atom: &str| {
            let fits = |c: char| {
                c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || text::is_in_local_part(c)
            };
            !atom.is_empty() && atom.chars().all(fits)
        };
        let domain = Uts46::new()
            .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
            .map_err(|_| BAD)?;
        let email = format!("{local}@{domain}");
        let fits = local.len() <= 64 && email.len() <= 254 && domain.contains('.');
        if fits && local.split('.').all(is_atom) { Ok(Self(email)) } else { Err(BAD) }
    }

    /// As it was given, but for the form of its domain.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two addresses are the same account.
    #[must_use]
    pub fn key(&self) -> String {
        text::fold_case(&self.0)
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

/// Names that make people believe what is said under them, or that programs take for nobody.
const RESERVED: [&str; 9] =
    ["admin", "administrator", "shopkeeper", "shopbell", "guest", "anon", "null", "undefined", "system"];

/// Signs in a nickname beside letters and digits. An apostrophe is kept as the typographic one, which no page takes
/// for the end of an attribute.
const SIGNS: &str = "_-.·’ ";

/// What a shopper is called in alerts: 2–20 characters as people count them, in NFC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nickname(String);

impl Nickname {
    /// Normalizes and checks: letters of any script with their marks and joiners, digits, `_ - . ·`, apostrophes and single
    /// inner spaces; a letter or a digit at least.
    ///
    /// # Errors
    /// Another length or another character.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const LONG: Invalid = Invalid::new("too_long", "a nickname has 2 to 20 characters");
        const BAD: Invalid = Invalid::new(
            "invalid_characters",
            "a nickname has letters, digits, single spaces, apostrophes and _ - . · only, a letter or a digit at least",
        );
        /// Code points: a cluster of some scripts has several, and one of a name that is drawn has no end.
        const MAX: usize = 80;
        // A text that is longer than this before it is composed is longer than `MAX` after it.
        if text.len() > MAX * 16 {
            return Err(LONG);
        }
        let text: String = text::nfc(text).chars().map(typed_sign).collect();
        match text::clusters(&text) {
            0..2 => return Err(Invalid::new("too_short", "a nickname has 2 to 20 characters")),
            2..=20 if text.chars().count() <= MAX => {}
            _ => return Err(LONG),
        }
        if text.contains("  ") || !text::is_name(&text, SIGNS) { Err(BAD) } else { Ok(Self(text)) }
    }

    /// As it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two nicknames are the same without regard to case, form and look-alikes.
    #[must_use]
    pub fn key(&self) -> String {
        text::likeness(&self.0)
    }

    /// The form in which two nicknames look the same as they are written.
    #[must_use]
    pub fn look(&self) -> String {
        text::look(&self.0)
    }

    /// Whether it is, or looks like, a name that only `shopbell admin create` gives.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        let letters: String = self.0.chars().filter(|c| !SIGNS.contains(*c)).collect();
        let (key, look) = (text::likeness(&letters), text::look(&letters));
        RESERVED.iter().any(|name| text::likeness(name) == key || text::look(name) == look)
    }

    /// Whether two nicknames are the same, or look it.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.key() == other.key() || self.look() == other.look()
    }

    /// From a row that was parsed when it was written.
    #[must_use]
    pub(crate) fn trusted(text: String) -> Self {
        Self(text)
    }
}

/// The sign that is kept for what keyboards have for it.
fn typed_sign(c: char) -> char {
    match c {
        '\'' | '‘' | 'ʼ' | '＇' | '`' | '´' => '’',
        '\u{a0}' | '\u{3000}' | '\u{202f}' => ' ',
        '\u{2010}' | '\u{2011}' => '-',
        c => c,
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

impl Role {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }

    /// Reads its name.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "member" => Ok(Self::Member),
            "admin" => Ok(Self::Admin),
            _ => Err(Invalid::new("invalid", "role is member or admin")),
        }
    }
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

/// An account as administrators see it.
#[derive(Clone, Debug)]
pub struct Person {
    /// The account.
    pub user: User,
    /// Since when it may not log in.
    pub banned_at: Option<Timestamp>,
    /// How many orders it has placed.
    pub orders: i64,
    /// How many of its log-ins hold.
    pub log_ins: i64,
}

/// What an administrator changes of an account; `None` leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PersonPatch {
    /// What it may do from now on; another role ends its log-ins.
    pub role: Option<Role>,
    /// Whether it may not log in; a ban ends its log-ins.
    pub banned: Option<bool>,
    /// Whether it may not speak in rooms.
    pub muted: Option<bool>,
}

impl PersonPatch {
    /// Bans, or lets in again.
    #[must_use]
    pub fn banned(banned: bool) -> Self {
        Self { banned: Some(banned), ..Self::default() }
    }
}

/// What its owner changes of an account; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct UserPatch {
    /// A new name.
    pub nickname: Option<Nickname>,
    /// A new address to log in with.
    pub email: Option<Email>,
    /// Whether orders alert. Hiding them takes the name off past alerts, too.
    pub hide_purchases: Option<bool>,
    /// A new password, hashed: all other log-ins end.
    pub password: Option<PasswordHash>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicknames_take_any_script_with_its_marks_and_joiners() {
        for good in [
            "kim",
            "김철수",
            "José",
            "a-b_c.9",
            "हिंदी",
            "कृष्ण",
            "น้ำฝน",
            "می\u{200c}نا",
            "Mary Ann",
            "Nguyễn Văn Ả",
            "ශ්\u{200d}රී",
            "שָׁלוֹם",
            "முருகன்",
            "བཀྲ་ཤིས".split('་').next().unwrap_or_default(),
            "Ян·Ли",
            "12",
            "٣٤",
            "ㅋㅋ",
            "Dvořák",
            "ＫＩＭ",
            "ß9",
            "O’Neil",
            &"é".repeat(20),
        ] {
            let name = Nickname::parse(good).map_err(|e| panic!("{good}: {e:?}")).unwrap();
            assert_eq!(Nickname::parse(name.as_str()), Ok(name));
        }
        assert_eq!(Nickname::parse("Jose\u{301}").unwrap().as_str(), "José");
        assert_eq!(Nickname::parse(" O'Neil ").unwrap().as_str(), "O’Neil");
        assert_eq!(Nickname::parse("Mary\u{a0}Ann").unwrap().as_str(), "Mary Ann");
    }

    #[test]
    fn nicknames_refuse_markup_and_what_cannot_be_seen() {
        for bad in [
            "k",
            "",
            " ",
            "<b>kim</b>",
            "Mary  Ann",
            "kim\tlee",
            "a\"b",
            "a&b",
            "....",
            "_-",
            "’’",
            &"x".repeat(21),
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200f}b",
            "\u{3164}\u{3164}",
            "a\u{3164}",
            "ki\u{200b}m",
            "\u{2800}\u{2800}",
            "kim\u{fe0f}",
            "kim\u{e0041}",
            "ki\u{200d}m",
            "ki\u{200c}m",
            "\u{200c}می",
            "می\u{200c}",
            "\u{301}\u{301}",
            "a\u{34f}b",
            "a \u{301}b",
            "ab\u{324}\u{316}\u{317}\u{318}\u{319}",
            "ab\u{324}\u{324}",
            "👍👍",
            "k😀",
            "ab\u{20dd}",
            &"y".repeat(1 << 20),
        ] {
            assert!(Nickname::parse(bad).is_err(), "{:?}", bad.chars().take(30).collect::<String>());
        }
        assert_eq!(Nickname::parse(&"x".repeat(21)).map_err(|e| e.code), Err("too_long"));
        assert_eq!(Nickname::parse("김").map_err(|e| e.code), Err("too_short"));
    }

    #[test]
    fn nicknames_are_taken_with_their_look_alikes() {
        let name = |text: &str| Nickname::parse(text).unwrap();
        for (one, other) in [
            ("kim", "KIM"),
            ("kim", "кіm"),
            ("kim", "ｋｉｍ"),
            ("paul", "PauI"),
            ("می\u{200c}نا", "مینا"),
            ("İlker", "ilker"),
            ("ılker", "Ilker"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("O'Neil", "O’NEIL"),
            ("Straße", "STRASSE"),
        ] {
            assert!(name(one).is_like(&name(other)), "{one} {other}");
        }
        assert!(!name("Mary Ann").is_like(&name("Mary Anne")));
        for reserved in [
            "admin",
            "Admin",
            "аdmin",
            "ADMIN",
            "ad.min",
            "shоpkeeper",
            "nuII",
            "ｇｕｅｓｔ",
            "S Y S T E M",
            "an0n",
        ] {
            assert!(name(reserved).is_reserved(), "{reserved}");
        }
        for free in ["kim", "adminka", "guestbook", "Anonymous"] {
            assert!(!name(free).is_reserved(), "{free}");
        }
    }

    #[test]
    fn addresses_have_two_sides_and_a_dot() {
        for good in [
            "kim@example.com",
            "a.b+c@sub.example.co.kr",
            "ü@exämple.de",
            "sean.o'malley@example.ie",
            "कृष्ण@उदाहरण.भारत",
        ] {
            let email = Email::parse(good).map_err(|e| panic!("{good}: {e:?}")).unwrap();
            assert_eq!(Email::parse(email.as_str()), Ok(email));
        }
        let long = format!("{}@example.com", "ü".repeat(33));
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
            "a.@b.c",
            "a..b@b.c",
            "\"a\"@b.c",
            "a@-b.c",
            "a@b_c.d",
            "a\u{200b}@b.c",
            "a@[127.0.0.1]",
            "a,b@c.d",
            &long,
        ] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_one_account_however_it_is_written() {
        let key = |text: &str| Email::parse(text).unwrap().key();
        for (one, other) in [
            ("jo@bücher.example", "jo@xn--bcher-kva.example"),
            ("Jo@BÜCHER.example", "jo@bu\u{308}cher.example"),
            ("Sean.O'Malley@example.ie", "sean.o'malley@EXAMPLE.IE"),
            ("é@example.com", "E\u{301}@example.com"),
            ("jo@例え。テスト", "jo@例え.テスト"),
        ] {
            assert_eq!(key(one), key(other), "{one}");
        }
        assert_ne!(key("kim@example.com"), key("кіm@example.com"));
    }
}
