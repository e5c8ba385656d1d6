//! Reads JSON that others write, member by member: what is not what it should be is not there, and spoils nothing else.
//!
//! A number stays the text that it came as, because money is no binary fraction. Of members of one name the last counts,
//! as it does for the programs that write these bodies. Nothing here recurses into what is not asked for, however deep.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Refusal, foreign};
use crate::domain::Timestamp;

/// The members of an object, each still text.
#[derive(Debug)]
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// The body of a request.
    ///
    /// # Errors
    /// Not JSON, or JSON that is not an object.
    pub(super) fn body(bytes: &'a [u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(bytes).map_err(|_| Refusal::malformed("the body is not a JSON object"))
    }

    /// The objects of a body that is a list, each with its text.
    ///
    /// # Errors
    /// Not JSON, or JSON that is no list of objects.
    pub(super) fn list(bytes: &'a [u8]) -> Result<Vec<(Self, &'a str)>, Refusal> {
        let items: Option<Vec<&RawValue>> = serde_json::from_slice(bytes).ok();
        let objects = items.and_then(|items| {
            items.into_iter().map(|item| Some((Self::read(item.get())?, item.get()))).collect()
        });
        objects.ok_or_else(|| Refusal::malformed("the body is not a list of JSON objects"))
    }

    fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The text of a member as it came; `None` when it is absent or `null`.
    fn raw(&self, name: &str) -> Option<&'a str> {
        let (_, raw) = self.0.iter().rev().find(|(key, _)| key == name)?;
        (raw.get() != "null").then(|| raw.get())
    }

    /// Whether a member is there and not `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A string, or a number as it was written.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let raw = self.raw(name)?;
        match raw.as_bytes().first()? {
            b'"' => serde_json::from_str(raw).ok(),
            b'0'..=b'9' | b'-' => Some(Cow::Borrowed(raw)),
            _ => None,
        }
    }

    /// As [`text`](Self::text), read by `parse`.
    pub(super) fn read_as<T>(&self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        parse(&self.text(name)?)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.raw(name)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// An object.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        Self::read(self.raw(name)?)
    }

    /// The objects of a list, at most so many; what is no object is left out.
    pub(super) fn objects(&self, name: &str, most: usize) -> Vec<Self> {
        self.items(name).into_iter().filter_map(|raw| Self::read(raw.get())).take(most).collect()
    }

    /// The strings and numbers of a list, at most so many.
    pub(super) fn texts(&self, name: &str, most: usize) -> Vec<String> {
        let text = |raw: &RawValue| match raw.get().as_bytes().first()? {
            b'"' => serde_json::from_str(raw.get()).ok(),
            b'0'..=b'9' | b'-' => Some(raw.get().to_owned()),
            _ => None,
        };
        self.items(name).into_iter().filter_map(text).take(most).collect()
    }

    /// A list, whatever is in it.
    fn items(&self, name: &str) -> Vec<&'a RawValue> {
        self.raw(name).and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default()
    }

    /// A moment as [`foreign::moment`] reads it.
    pub(super) fn moment(&self, name: &str) -> Option<Timestamp> {
        self.read_as(name, foreign::moment)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(Object(members))
    }
}

/// A name, borrowed where it holds no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_what_it_should_be_is_not_there() {
        let body =
            br#"{"a": 19.990, "b": "x\u00e9", "c": null, "d": [1, {"x": 1}, "s", [2]], "e": {"f": true},
            "g": "\ud800", "n\u0061me": "n", "a2": 1e400}"#;
        let object = Object::body(body).unwrap();
        assert_eq!(object.text("a").as_deref(), Some("19.990"));
        assert_eq!(object.text("b").as_deref(), Some("xé"));
        assert_eq!(object.text("name").as_deref(), Some("n"));
        assert_eq!(object.text("a2").as_deref(), Some("1e400"));
        for absent in ["c", "d", "e", "g", "h"] {
            assert_eq!(object.text(absent), None, "{absent}");
        }
        assert_eq!(object.objects("d", 9).len(), 1);
        assert_eq!(object.texts("d", 9), ["1", "s"]);
        assert!(object.object("e").unwrap().flag("f").unwrap());
        assert!(object.object("d").is_none() && object.objects("e", 9).is_empty());
        assert!(!object.has("c") && object.has("g"));
    }

    #[test]
    fn of_members_of_one_name_the_last_counts() {
        let object = Object::body(br#"{"a": 1, "a": 2}"#).unwrap();
        assert_eq!(object.text("a").as_deref(), Some("2"));
    }

    #[test]
    fn a_body_is_one_object() {
        for bad in ["", "[]", "1", "null", "{", "{}{}", "{\"a\":}", "{\"a\":01}", "\u{feff}{}"] {
            assert!(Object::body(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Object::body(b"{\"a\": \"\xff\"}").is_err());
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!("{{\"a\": {}1{}, \"b\": 2}}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(Object::body(deep.as_bytes()).unwrap().text("b").as_deref(), Some("2"));
        let deep = "{\"a\":".repeat(200_000);
        assert!(Object::body(deep.as_bytes()).is_err());
    }
}
