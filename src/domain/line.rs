//! A line of text that is shown: what it may hold, and what is left of a line of another system.

use icu_properties::{
    CodePointSetData,
    props::{BidiControl, GeneralCategoryGroup},
};
use unicode_segmentation::UnicodeSegmentation;

use super::{
    Invalid,
    fields::REQUIRED,
    text::{category, is_ignorable, nfc},
};

/// A line of text about the shop: `max` characters, nothing that becomes markup in a page that inserts it as HTML, that
/// ends the line or that turns other text around, and something to see.
///
/// # Errors
/// Nothing to see, too much, a character that is not allowed.
pub fn plain_text(text: &str, max: usize) -> Result<String, Invalid> {
    const BAD: Invalid =
        Invalid::new("invalid_characters", "control characters and < > are not allowed here");
    // Composing makes nothing longer than three times, so that more than this is never looked at.
    if text.len() > max * 16 {
        return Err(Invalid::new("too_long", "this field is too long"));
    }
    let text = nfc(text);
    if text.is_empty() {
        return Err(REQUIRED);
    }
    if text.chars().count() > max {
        return Err(Invalid::new("too_long", "this field is too long"));
    }
    let bad = |c: char| c.is_control() || matches!(c, '<' | '>' | '\u{2028}' | '\u{2029}') || reorders(c);
    if text.chars().any(bad) || !text.chars().any(is_visible) {
        return Err(BAD);
    }
    Ok(text)
}

/// Text of another system as [`plain_text`] takes it: `‹ ›` for `< >`, one space for white space of any kind, without what is
/// a control character or turns other text around, and cut with `…` where it is longer than `max` characters. `None` where
/// nothing is left to see.
#[must_use]
pub fn cleaned(text: &str, max: usize) -> Option<String> {
    let shown = |c: char| match c {
        '<' => Some('‹'),
        '>' => Some('›'),
        '\u{2028}' | '\u{2029}' => Some(' '),
        c if c.is_whitespace() => Some(' '),
        c if c.is_control() || reorders(c) => None,
        c => Some(c),
    };
    // What is never shown is not looked at, however much it is.
    let kept: String = text.chars().take(max * 8).filter_map(shown).collect();
    let words: Vec<&str> = kept.split(' ').filter(|word| !word.is_empty()).collect();
    let line = nfc(&words.join(" "));
    let short = if line.chars().count() > max { cut(&line, max) } else { line };
    plain_text(&short, max).ok()
}

/// The first characters of a line, as people count them, and `…`: together at most `max` of Unicode's.
fn cut(line: &str, max: usize) -> String {
    let mut room = max.saturating_sub(1);
    let fits = |cluster: &&str| {
        let length = cluster.chars().count();
        let fits = length <= room;
        room = if fits { room - length } else { 0 };
        fits
    };
    let kept: String = line.graphemes(true).take_while(fits).collect();
    format!("{}…", kept.trim_end())
}

/// Whether a character changes the direction of what stands beside it.
fn reorders(c: char) -> bool {
    CodePointSetData::new::<BidiControl>().contains(c)
}

/// Whether there is something to be seen where the character stands. U+2800 is a Braille pattern without dots.
fn is_visible(c: char) -> bool {
    let hidden =
        GeneralCategoryGroup::Separator.union(GeneralCategoryGroup::Other).union(GeneralCategoryGroup::Mark);
    c != '\u{2800}' && !is_ignorable(c) && !hidden.contains(category(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_something_to_see_and_nothing_that_turns_it_around() {
        for good in ["Levi's 501", "12\" vinyl", "Salt & vinegar", "👩\u{200d}🌾 eggs", "عطر", "1"] {
            assert_eq!(plain_text(good, 40).as_deref(), Ok(good));
        }
        for bad in [
            "",
            " ",
            "\u{200b}",
            "\u{3164}\u{3164}",
            "\u{2800}",
            "\u{301}",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200f}b",
            "<b>",
            "a\nb",
            "a\u{2028}b",
            "\u{e0041}",
            "\u{fe0f}",
        ] {
            assert!(plain_text(bad, 40).is_err(), "{bad:?}");
        }
        assert!(plain_text(&"é".repeat(40), 40).is_ok() && plain_text(&"e\u{301}".repeat(40), 40).is_ok());
        assert!(plain_text(&"é".repeat(41), 40).is_err() && plain_text(&"x".repeat(1 << 20), 40).is_err());
    }
}
