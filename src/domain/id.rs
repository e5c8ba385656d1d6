//! Identifiers: integers that the database gives, each of a type of its own so that none is taken for another.

use serde::{Deserialize, Serialize};

/// The largest integer that JavaScript keeps exactly, `Number.MAX_SAFE_INTEGER`.
pub const MAX_SAFE_INTEGER: i64 = 9_007_199_254_740_991;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl $name {
            /// Reads a positive decimal integer that JavaScript can hold; `None` for anything else.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                let id = text.parse().ok().filter(|_| digits)?;
                (1..=MAX_SAFE_INTEGER).contains(&id).then_some(Self(id))
            }
        }
    };
}

id!(
    /// An account.
    UserId
);
id!(
    /// Goods of the catalog.
    GoodsId
);
id!(
    /// An order.
    OrderId
);
id!(
    /// A system of others that is told news.
    EndpointId
);
id!(
    /// A message to an endpoint.
    DeliveryId
);
id!(
    /// An entry of the record of what administrators did.
    AuditId
);
id!(
    /// An entry of the history of stocks.
    StockChangeId
);
id!(
    /// A report of what was said in a room.
    ReportId
);

/// A place in the log of notifications: the id of one, or 0 for "before the first".
///
/// The one integer behind Socket.IO's recovery offset, `Last-Event-ID`, `/ws?after=` and
/// `GET /api/notifications?after=`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub i64);

impl Offset {
    /// Before the first notification.
    pub const START: Self = Self(0);

    /// Reads a decimal integer from 0 up; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "0" { Some(Self::START) } else { GoodsId::parse(text).map(|id| Self(id.0)) }
    }
}

impl std::fmt::Display for Offset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Which log an [`Offset`] is one of: random, made with the database and anew when it was restored. An offset that was
/// kept together with another epoch says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// From 8 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }

    /// Reads its 16 hexadecimal digits, in lower case; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let epoch = Self(u64::from_str_radix(text, 16).ok()?);
        (epoch.to_string() == text).then_some(epoch)
    }
}

impl std::fmt::Display for Epoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_read_as_it_is_written() {
        let epoch = Epoch::from_random([0, 0x1F, 2, 3, 4, 5, 6, 0xFF]);
        assert_eq!(epoch.to_string(), "001f0203040506ff");
        assert_eq!(Epoch::parse("001f0203040506ff"), Some(epoch));
        for other in ["", "1f0203040506ff", "001F0203040506FF", "+01f0203040506ff"] {
            assert_eq!(Epoch::parse(other), None, "{other:?}");
        }
    }

    #[test]
    fn only_positive_safe_decimal_integers_are_ids() {
        assert_eq!(GoodsId::parse("4"), Some(GoodsId(4)));
        for bad in ["", "0", "-1", "+4", " 4", "4.0", "0x4", "9007199254740992", "99999999999999999999"] {
            assert_eq!(GoodsId::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Offset::parse("0"), Some(Offset::START));
    }
}
