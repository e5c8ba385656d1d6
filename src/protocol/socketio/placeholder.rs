//! `{"_placeholder":true,"num":0}`: where in the JSON of a binary packet an attachment belongs ("Packet encoding").

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, ser::SerializeStruct};

use super::Error;

/// Stands for an attachment, by its number. A handler takes it as an argument type to find the attachment, and
/// serializes it to send one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placeholder(pub usize);

impl Serialize for Placeholder {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Placeholder", 2)?;
        object.serialize_field("_placeholder", &true)?;
        object.serialize_field("num", &self.0)?;
        object.end()
    }
}

impl<'de> Deserialize<'de> for Placeholder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match (Walk { attachments: usize::MAX }).deserialize(deserializer)? {
            Seen::Placeholder(number) => Ok(Self(number)),
            _ => Err(D::Error::custom("not a placeholder")),
        }
    }
}

/// Refuses an array in which a placeholder, however deep, has a number that none of the attachments has. (That an
/// attachment has no placeholder is no error, as in the reference.) JSON over 128 levels deep is refused.
pub(super) fn check(array: &str, attachments: usize) -> Result<(), Error> {
    let mut json = serde_json::Deserializer::from_str(array);
    match (Walk { attachments }).deserialize(&mut json) {
        Ok(_) => Ok(()),
        Err(error) if error.is_data() => Err(Error::IllegalPlaceholder),
        Err(_) => Err(Error::InvalidPayload),
    }
}

/// Goes through JSON without keeping any of it.
#[derive(Clone, Copy)]
struct Walk {
    attachments: usize,
}

/// What of a value matters to the object it is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    True,
    Number(u64),
    Placeholder(usize),
    Other,
}

#[derive(serde::Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "_placeholder")]
    Placeholder,
    #[serde(rename = "num")]
    Number,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for Walk {
    type Value = Seen;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Seen, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk {
    type Value = Seen;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Seen, E> {
        Ok(if value { Seen::True } else { Seen::Other })
    }

    fn visit_u64<E>(self, value: u64) -> Result<Seen, E> {
        Ok(Seen::Number(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_unit<E>(self) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Seen, A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(Seen::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Seen, A::Error> {
        let (mut marked, mut number) = (false, None);
        while let Some(key) = entries.next_key()? {
            let value = entries.next_value_seed(self)?;
            match key {
                Key::Placeholder => marked = value == Seen::True,
                Key::Number => number = Some(value),
                Key::Other => {}
            }
        }
        if !marked {
            return Ok(Seen::Other);
        }
        match number {
            Some(Seen::Number(number)) => usize::try_from(number).ok(),
            _ => None,
        }
        .filter(|number| *number < self.attachments)
        .map(Seen::Placeholder)
        .ok_or_else(|| A::Error::custom("a placeholder for no attachment"))
    }
}
