//! Carts: what someone means to buy.

use super::{Goods, Invalid, number::whole};

/// How many pieces: 1 to 999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(u16);

impl Quantity {
    /// One piece.
    pub const ONE: Self = Self(1);
    /// The most pieces of one line.
    pub const MAX: i64 = 999;

    /// Reads a whole number.
    ///
    /// # Errors
    /// Not a whole number from 1 to 999.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        whole(text)
            .and_then(Self::new)
            .ok_or(Invalid::new("out_of_range", "quantity is a whole number from 1 to 999"))
    }

    /// From a number; `None` outside of 1 to 999.
    #[must_use]
    pub fn new(pieces: i64) -> Option<Self> {
        (1..=Self::MAX).contains(&pieces).then_some(())?;
        u16::try_from(pieces).ok().map(Self)
    }

    /// The number of pieces.
    #[must_use]
    pub fn get(self) -> i64 {
        i64::from(self.0)
    }
}

/// One line of a cart.
#[derive(Clone, Debug)]
pub struct CartLine {
    /// How many pieces.
    pub quantity: Quantity,
    /// Of what.
    pub goods: Goods,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_a_whole_number_however_it_is_written() {
        for (text, pieces) in [("2", 2), ("2.0", 2), ("1", 1), ("999.00", 999)] {
            assert_eq!(Quantity::parse(text).map(Quantity::get), Ok(pieces), "{text:?}");
        }
        for bad in ["0", "0.0", "1000", "-1", "+5", " 5", "5 ", "1e2", "2.5", "", "３"] {
            assert!(Quantity::parse(bad).is_err(), "{bad:?}");
        }
    }
}
