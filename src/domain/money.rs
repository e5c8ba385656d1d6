//! Money: integers of the minor unit inside, JSON numbers of the major unit outside.

use super::id::MAX_SAFE_INTEGER;

/// The currency of the shop, an ISO 4217 code and the decimals it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency {
    code: [u8; 3],
    decimals: u8,
}

/// The active codes of ISO 4217 by their number of decimals ("minor unit"); two for all others.
const NO_DECIMALS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";
const TWO_DECIMALS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN \
     BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
     HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR \
     MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE \
     SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG";

impl Currency {
    /// The code, `USD`.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).expect("only ASCII codes are parsed")
    }

    /// How many decimals a price may have, 0 to 3.
    #[must_use]
    pub fn decimals(&self) -> u8 {
        self.decimals
    }
}

impl std::str::FromStr for Currency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let holds = |list: &str| list.split_whitespace().any(|code| code == text);
        let decimals = match () {
            () if holds(TWO_DECIMALS) => 2,
            () if holds(NO_DECIMALS) => 0,
            () if holds(THREE_DECIMALS) => 3,
            () => return Err(format!("{text:?} is not a currency code of ISO 4217, such as USD or KRW")),
        };
        let code = text.as_bytes().try_into().map_err(|_| "a currency code has three letters".to_owned())?;
        Ok(Self { code, decimals })
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money: minor units of a currency, 0 up to [`Price::MAX_MINOR`] for one piece of goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Minor units (cents).
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

impl Price {
    /// The dearest piece of goods, in minor units. A hundred lines of 999 pieces of it stay within the integers
    /// that a JSON number holds exactly enough to show.
    pub const MAX_MINOR: i64 = 100_000_000_000;

    /// Reads the text of a JSON number (`6.2`, `6`, `1e3` is refused) exactly, without binary fractions.
    ///
    /// # Errors
    /// A negative or too large amount, more decimals than the currency has, or no number at all.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, PriceError> {
        Self::parse_up_to(Self::MAX_MINOR, text, currency)
    }

    /// As [`parse`](Self::parse), for the sum of an order, which may be as large as JavaScript's integers.
    ///
    /// # Errors
    /// As there.
    pub fn parse_total(text: &str, currency: Currency) -> Result<Self, PriceError> {
        Self::parse_up_to(MAX_SAFE_INTEGER, text, currency)
    }

    /// The amount as decimal text in the major unit, with all decimals of the currency.
    #[must_use]
    pub fn decimal(&self) -> String {
        let decimals = usize::from(self.currency.decimals);
        let digits = format!("{:0>width$}", self.minor, width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        if decimals == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
    }

    fn parse_up_to(most: i64, text: &str, currency: Currency) -> Result<Self, PriceError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
            return Err(PriceError::NotANumber);
        }
        let fraction = fraction.trim_end_matches('0');
        let missing =
            usize::from(currency.decimals).checked_sub(fraction.len()).ok_or(PriceError::TooManyDecimals)?;
        let minor = format!("{whole}{fraction}{}", "0".repeat(missing));
        match minor.parse() {
            Ok(minor) if minor <= most => Ok(Self { minor, currency }),
            _ => Err(PriceError::TooLarge),
        }
    }
}

/// Why a text is not a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceError {
    /// Not a plain non-negative decimal number.
    NotANumber,
    /// More decimals than the currency has.
    TooManyDecimals,
    /// More than [`Price::MAX_MINOR`].
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Result<i64, PriceError> {
        Price::parse(text, "USD".parse().unwrap()).map(|price| price.minor)
    }

    #[test]
    fn prices_are_read_exactly() {
        assert_eq!(usd("6.2"), Ok(620));
        assert_eq!(usd("0"), Ok(0));
        let text = |minor, code: &str| Price { minor, currency: code.parse().unwrap() }.decimal();
        assert_eq!([text(5, "USD"), text(1234, "USD"), text(7, "KRW")], ["0.05", "12.34", "7"]);
        assert_eq!([text(620, "USD"), text(0, "USD"), text(1500, "KRW")], ["6.20", "0.00", "1500"]);
        assert_eq!(text(7, "KWD"), "0.007");
        assert_eq!(usd("6.200"), Ok(620));
        assert_eq!(usd("19.99"), Ok(1999));
        assert_eq!(usd("6.205"), Err(PriceError::TooManyDecimals));
        assert_eq!(usd("-1"), Err(PriceError::NotANumber));
        assert_eq!(usd("1e3"), Err(PriceError::NotANumber));
        assert_eq!(usd("5."), Err(PriceError::NotANumber));
        assert_eq!(usd("99999999999999999999"), Err(PriceError::TooLarge));
        let sum = |text| Price::parse_total(text, "USD".parse().unwrap()).map(|price| price.minor);
        assert_eq!(sum("90071992547409.91"), Ok(MAX_SAFE_INTEGER));
        assert_eq!(sum("90071992547409.92"), Err(PriceError::TooLarge));
        assert_eq!(Price::parse("1500.5", "KRW".parse().unwrap()), Err(PriceError::TooManyDecimals));
    }
}
