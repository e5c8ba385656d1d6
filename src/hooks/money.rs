//! Amounts of other systems as minor units, without binary fractions.

use crate::domain::{Currency, Price, id::MAX_SAFE_INTEGER};

/// The most digits of an amount that are looked at: what has more is no price.
const MAX_DIGITS: usize = 30;

/// Reads what one piece costs; `None` as [`total`], and over the dearest goods.
pub(super) fn price(text: &str, currency: Currency) -> Option<Price> {
    total(text, currency).filter(|price| price.minor <= Price::MAX_MINOR)
}

/// Reads a sum in the major unit, as a string of digits or the text of a JSON number. What has more decimals than the
/// currency (WooCommerce divides the sum of a line by its pieces) is rounded, half up. `None` for what is negative, no
/// number, or more than JavaScript's integers hold.
pub(super) fn total(text: &str, currency: Currency) -> Option<Price> {
    let (digits, scale) = decimal(text.trim())?;
    at_scale(digits, scale, currency)
}

/// Reads a sum in units of which 10 to the power of `scale` are one of the major unit.
pub(super) fn units(text: &str, scale: i32, currency: Currency) -> Option<Price> {
    let (digits, 0) = decimal(text)? else { return None };
    at_scale(digits, scale, currency)
}

/// The sum of amounts of one currency; `None` for nothing, zero, and several currencies.
pub(super) fn sum(amounts: &[Price]) -> Option<Price> {
    let currency = amounts.first()?.currency;
    let minor = amounts.iter().try_fold(0_i64, |sum, amount| {
        (amount.currency == currency).then(|| sum.checked_add(amount.minor))?
    });
    minor.filter(|minor| (1..=MAX_SAFE_INTEGER).contains(minor)).map(|minor| Price { minor, currency })
}

fn at_scale(digits: i128, scale: i32, currency: Currency) -> Option<Price> {
    let shift = i32::from(currency.decimals()) - scale;
    let power = 10_i128.checked_pow(shift.unsigned_abs());
    let minor = match power {
        _ if digits == 0 => 0,
        Some(power) if shift >= 0 => digits.checked_mul(power)?,
        Some(power) => (digits + power / 2) / power,
        None if shift >= 0 => return None,
        None => 0,
    };
    let minor = i64::try_from(minor).ok().filter(|minor| *minor <= MAX_SAFE_INTEGER)?;
    Some(Price { minor, currency })
}

/// The digits of a decimal number and how many of them stand after the point.
fn decimal(text: &str) -> Option<(i128, i32)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || mantissa.ends_with('.') {
        return None;
    }
    let all = format!("{whole}{}", fraction.trim_end_matches('0'));
    let significant = all.trim_start_matches('0');
    if significant.len() > MAX_DIGITS {
        return None;
    }
    let scale = i32::try_from(fraction.trim_end_matches('0').len()).ok()? - i32::from(exponent);
    let value = if significant.is_empty() { 0 } else { significant.parse().ok()? };
    Some((value, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minor(text: &str, code: &str) -> Option<i64> {
        total(text, code.parse().unwrap()).map(|price| price.minor)
    }

    #[test]
    fn amounts_are_read_to_the_minor_unit() {
        for (text, code, cents) in [
            ("19.99", "USD", Some(1999)),
            ("19.9", "USD", Some(1990)),
            ("0.00", "USD", Some(0)),
            ("1500", "KRW", Some(1500)),
            ("1500.00", "KRW", Some(1500)),
            ("1.5", "KWD", Some(1500)),
            ("21.666666666666668", "USD", Some(2167)),
            ("0.005", "USD", Some(1)),
            ("0.00499999999999999999999999999", "USD", Some(0)),
            ("1e3", "USD", Some(100_000)),
            ("1.25E+2", "USD", Some(12_500)),
            ("12500e-4", "USD", Some(125)),
            ("0e999", "USD", Some(0)),
            ("90071992547409.91", "USD", Some(MAX_SAFE_INTEGER)),
            ("90071992547409.92", "USD", None),
            ("1e30", "USD", None),
            ("1e30000", "USD", None),
            ("1e-30000", "USD", Some(0)),
            ("1e99999", "USD", None),
            ("-1", "USD", None),
            ("", "USD", None),
            (".5", "USD", None),
            ("5.", "USD", None),
            ("1,000.00", "USD", None),
            ("NaN", "USD", None),
            ("１", "USD", None),
            (&"9".repeat(100_000), "USD", None),
        ] {
            assert_eq!(minor(text, code), cents, "{} {code}", &text[..text.len().min(40)]);
        }
    }

    #[test]
    fn units_of_another_scale_are_converted() {
        let of = |text, scale, code: &str| units(text, scale, code.parse().unwrap()).map(|p| p.minor);
        assert_eq!(of("500", 2, "ISK"), Some(5));
        assert_eq!(of("500", 0, "MGA"), Some(50_000));
        assert_eq!(of("1999", 2, "USD"), Some(1999));
        assert_eq!((of("19.5", 2, "USD"), of("-5", 2, "USD"), of("x", 2, "USD")), (None, None, None));
    }
}
