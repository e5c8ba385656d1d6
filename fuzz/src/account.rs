//! What people say of themselves: nicknames, addresses, passwords. What was taken is taken again, as it is.

use serde_json::{Map, Value};
use shopbell::domain::{Email, FieldError, Fields, Nickname, Password};

/// Checks one input.
pub fn check(input: &[u8]) {
    let text = super::text(input);
    if let Ok(nickname) = Nickname::parse(text) {
        assert!((2..=80).contains(&nickname.as_str().chars().count()));
        assert!(!nickname.as_str().contains(['<', '>', '"', '\'', '&', '\u{200b}', '\u{202e}']));
        assert!(!nickname.key().is_empty() && !nickname.look().is_empty());
        assert!(nickname.is_like(&nickname));
        assert_eq!(Nickname::parse(nickname.as_str()), Ok(nickname.clone()));
        assert_eq!(Nickname::parse(&format!(" {text}\n")), Ok(nickname.clone()));
        // What is the same in another case is taken with it.
        for other in [nickname.as_str().to_lowercase(), nickname.as_str().to_uppercase()] {
            assert!(Nickname::parse(&other).map_or(true, |other| other.is_like(&nickname)), "{other}");
        }
    }
    if let Ok(email) = Email::parse(text) {
        assert!(email.as_str().len() <= 254 && email.as_str().contains('@'));
        assert!(!email.as_str().contains(['<', '>', '"', '\r', '\n', ' ']));
        assert_eq!(Email::parse(email.as_str()).map(|again| again.key()), Ok(email.key()));
        assert_eq!(Email::parse(email.as_str()), Ok(email));
    }
    if let Ok(password) = Password::parse(text) {
        let again = Password::parse(std::str::from_utf8(password.reveal()).expect("a text"));
        assert_eq!(again.map(|again| again.reveal().to_vec()), Ok(password.reveal().to_vec()));
    }
    let fields = Fields::new(Map::from_iter([("nickname".to_owned(), Value::from(text))]));
    let read = fields.required("nickname", Nickname::parse);
    assert_eq!(read.is_ok(), Nickname::parse(text).is_ok());
    assert_eq!(read.is_ok(), fields.finish((read, Ok::<_, FieldError>(()))).is_ok());
}
