//! The names of nodes.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Digits of a node's name: no two that look alike.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A node, from its start to its end: six digits, short because they are a part of what clients carry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId([u8; 6]);

impl NodeId {
    /// From 6 random bytes, of which 30 bits count.
    #[must_use]
    pub fn from_random(bytes: [u8; 6]) -> Self {
        Self(bytes.map(|byte| DIGITS[usize::from(byte) % DIGITS.len()]))
    }

    /// Reads its digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 6] = text.as_bytes().try_into().ok()?;
        digits.iter().all(|digit| DIGITS.contains(digit)).then_some(Self(digits))
    }

    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not the name of a node"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        let node = NodeId::from_random([0, 31, 32, 100, 200, 255]);
        assert_eq!(node.as_str(), "0z048z");
        assert_eq!(NodeId::parse("0z048z"), Some(node));
        for other in ["", "0z048", "0z048z0", "0Z048z", "0l048z", "ä0z04"] {
            assert_eq!(NodeId::parse(other), None, "{other:?}");
        }
    }
}
