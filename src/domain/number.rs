//! Whole numbers as JSON, forms and queries write them.
//!
//! A JSON number is its value: `2`, `2.0` and `2e0` are one number to every reader of JSON, and reach this file as `2` or
//! `2.0`. What a string, a form or a query holds is text that someone typed, in which `2e0` is no way to write a quantity.

/// Reads a whole number: digits with a sign or none, and a fraction of zeros or none (`2`, `2.0`, `-3`), because there
/// is one kind of number in JSON and some clients write `2.0` for 2. `None` for anything else: `+5`, ` 5`, `1e3`, `2.5`,
/// `5.`, and what does not fit.
#[must_use]
pub fn whole(text: &str) -> Option<i64> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (number, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_whole = digits(number.strip_prefix('-').unwrap_or(number)) && digits(fraction);
    (is_whole && fraction.bytes().all(|b| b == b'0')).then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_written_with_or_without_a_fraction_of_zeros() {
        for (text, number) in
            [("2", 2), ("2.0", 2), ("2.000", 2), ("0", 0), ("-3", -3), ("-3.0", -3), ("007", 7)]
        {
            assert_eq!(whole(text), Some(number), "{text:?}");
        }
        for bad in [
            "",
            "-",
            ".",
            "5.",
            ".0",
            "+5",
            " 5",
            "5 ",
            "--5",
            "-+5",
            "1e3",
            "5e3",
            "2.5",
            "2.05",
            "2.0.0",
            "0x5",
            "5_0",
            "3,0",
            "３",
            "٣",
            "true",
            "null",
            "NaN",
            "9223372036854775808",
            "1.0e0",
        ] {
            assert_eq!(whole(bad), None, "{bad:?}");
        }
    }
}
