//! What people say of themselves: nicknames, addresses, passwords. What was taken is taken again, as it is.

use serde_json::{Map, Value};
use shopbell::domain::{Email, FieldError, Fields, Nickname, Password};

/// Checks one input.
pub fn check(input: &[u8]) {
    let text = super::text(input);
    if let Ok(nickname) = Nickname::parse(text) {
        assert!((2..=20).contains(&nickname.as_str().chars().count()));
        assert!(!nickname.as_str().contains(['<', '>', '"', '\'', '&', ' ']));
        assert_eq!(Nickname::parse(nickname.as_str()), Ok(nickname.clone()));
        assert_eq!(Nickname::parse(&format!(" {text}\n")), Ok(nickname));
    }
    if let Ok(email) = Email::parse(text) {
        assert!(email.as_str().len() <= 254 && email.as_str().contains('@'));
        assert!(!email.as_str().contains(['<', '>', '"', '\r', '\n', ' ']));
        assert_eq!(Email::parse(email.as_str()), Ok(email));
    }
    if let Ok(password) = Password::parse(text) {
        assert_eq!(password.reveal(), text.as_bytes());
    }
    let fields = Fields::new(Map::from_iter([("nickname".to_owned(), Value::from(text))]));
    let read = fields.required("nickname", Nickname::parse);
    assert_eq!(read.is_ok(), Nickname::parse(text).is_ok());
    assert_eq!(read.is_ok(), fields.finish((read, Ok::<_, FieldError>(()))).is_ok());
}
