//! What people type has one identity: the same text typed on two systems is the same text. Here it is normalized, and
//! nowhere else is text compared that someone typed.
//!
//! There is a form for each question. [`nfc`] is how text is kept. [`fold`] is the same for what differs in case or form
//! only (`Tea`, `ＴＥＡ`). [`look`] and [`likeness`] are the same for what looks alike (UTS #39). [`search_form`] is what a
//! search compares, without accents. [`opaque`] is how a password is hashed (RFC 8265).

use icu_casemap::CaseMapper;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup, JoiningType, NoncharacterCodePoint,
    },
};
use unicode_normalization::{UnicodeNormalization, char::canonical_combining_class};
use unicode_security::skeleton;
use unicode_segmentation::UnicodeSegmentation;

/// The most combining marks that follow each other: Tibetan, Hebrew and Vietnamese need up to four, a name that covers the
/// lines above and below itself more (UTS #39 §5.4).
const MAX_MARKS: usize = 4;

/// Canonical combining classes (UAX #44 §5.7.4): of viramas; from here on accents, points and tones. Below are the marks
/// that make another letter of one: nukta (7), and the voicing of kana (8).
const VIRAMA: u8 = 9;
const FIRST_ACCENT: u8 = 10;

const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';
const DOT_ABOVE: char = '\u{307}';

/// What a character is.
pub(super) fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn is_letter(c: char) -> bool {
    GeneralCategoryGroup::Letter.contains(category(c)) || category(c) == GeneralCategory::LetterNumber
}

fn is_digit(c: char) -> bool {
    category(c) == GeneralCategory::DecimalNumber
}

/// A mark that is written over, under or beside the letter before it. Those that enclose it are for symbols.
fn is_mark(c: char) -> bool {
    matches!(category(c), GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark)
}

pub(super) fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Normalization form C, without white space around it: how text is kept.
#[must_use]
pub fn nfc(text: &str) -> String {
    text.trim().nfc().collect()
}

/// The form in which two texts are the same that differ in case or form: a compatibility caseless match (Unicode §3.13,
/// D146), for which what is ignorable is ignored, and the four letters that Turkish writes i and ı are one.
#[must_use]
pub fn fold(text: &str) -> String {
    let case = CaseMapper::new();
    let plain: String = text.nfd().filter(|c| !is_ignorable(*c)).collect();
    let folded: String = case.fold_string(&plain).nfkd().collect();
    let folded: String = case.fold_string(&folded).nfkd().collect();
    undotted(&folded).nfkc().filter(|c| !is_ignorable(*c)).collect()
}

/// `İ` folds to i with a dot, and ı to itself.
fn undotted(folded: &str) -> String {
    let mut before = ' ';
    let kept = folded.chars().map(|c| if c == 'ı' { 'i' } else { c }).filter(|c| {
        let extra = *c == DOT_ABOVE && before == 'i';
        before = *c;
        !extra
    });
    kept.collect()
}

/// The form in which two texts are the same that differ in case: a canonical caseless match (D145). For what machines
/// tell apart and people do not look at, such as addresses.
#[must_use]
pub fn fold_case(text: &str) -> String {
    let decomposed: String = text.nfd().collect();
    CaseMapper::new().fold_string(&decomposed).nfc().collect()
}

/// Latin small capitals: the skeletons of UTS #39 keep them apart from letters, and map Cyrillic and Greek letters to them
/// (`к` to `ĸ`, `м` to `ʍ`).
const SMALL_CAPITALS: &[(char, char)] = &[
    ('ᴀ', 'a'),
    ('ʙ', 'b'),
    ('ᴄ', 'c'),
    ('ᴅ', 'd'),
    ('ᴇ', 'e'),
    ('ꜰ', 'f'),
    ('ɢ', 'g'),
    ('ʜ', 'h'),
    ('ɪ', 'i'),
    ('ᴊ', 'j'),
    ('ᴋ', 'k'),
    ('ĸ', 'k'),
    ('ʟ', 'l'),
    ('ᴍ', 'm'),
    ('ʍ', 'm'),
    ('ɴ', 'n'),
    ('ᴏ', 'o'),
    ('ᴘ', 'p'),
    ('ʀ', 'r'),
    ('ꜱ', 's'),
    ('ᴛ', 't'),
    ('ᴜ', 'u'),
    ('ᴠ', 'v'),
    ('ᴡ', 'w'),
    ('ʏ', 'y'),
    ('ᴢ', 'z'),
];

fn without_small_capitals(c: char) -> char {
    SMALL_CAPITALS.iter().find(|(small, _)| *small == c).map_or(c, |(_, letter)| *letter)
}

/// The form in which two texts are the same that look alike (UTS #39 §4), whatever their case.
#[must_use]
pub fn likeness(text: &str) -> String {
    let folded = fold(text);
    let letters: String = skeleton(&folded).map(without_small_capitals).collect();
    // Once more: the prototype of a digit may be a capital (0 is O), that of a small capital is not a prototype.
    fold(&skeleton(&fold(&letters)).collect::<String>())
}

/// As [`likeness`], but of the letters as they are written: a capital I looks like a small L, and a small i does not. Two
/// texts look alike when they have either form in common.
#[must_use]
pub fn look(text: &str) -> String {
    let plain: String = text.nfkd().collect();
    likeness(&skeleton(&plain).collect::<String>())
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | 'ʼ')
}

/// What a search compares: folded, without accents, vowel points, tones and apostrophes, one space between words.
#[must_use]
pub fn search_form(text: &str) -> String {
    let bare = |c: &char| canonical_combining_class(*c) < FIRST_ACCENT && !is_apostrophe(*c);
    let bare: String = fold(text).nfkd().filter(bare).collect();
    let mut form = String::with_capacity(bare.len());
    for word in bare.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !form.is_empty() {
            form.push(' ');
        }
        for c in word.nfc() {
            match c {
                // Letters with a stroke and ligatures, which do not decompose and are looked for without.
                'ø' => form.push('o'),
                'ł' => form.push('l'),
                'đ' => form.push('d'),
                'ħ' => form.push('h'),
                'ŧ' => form.push('t'),
                'æ' => form.push_str("ae"),
                'œ' => form.push_str("oe"),
                c => form.push(c),
            }
        }
    }
    form
}

/// The words of a search, each once, the longest first: it is in the fewest names.
#[must_use]
pub fn search_words(text: &str) -> Vec<String> {
    let form = search_form(text);
    let mut words: Vec<String> = form.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    words.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    words.dedup();
    words
}

/// The form in which a password is hashed: the profile OpaqueString (RFC 8265 §4.2.2), in which all spaces are the ASCII one
/// and nothing else is taken for something else.
#[must_use]
pub fn opaque(text: &str) -> String {
    let space = |c| if category(c) == GeneralCategory::SpaceSeparator { ' ' } else { c };
    text.chars().map(space).nfc().collect()
}

/// Whether a password may hold a character: the FreeformClass of RFC 8264 §4.3, and the joiners and selectors that emoji
/// hold, because keyboards put them in.
#[must_use]
pub(super) fn is_opaque(c: char) -> bool {
    let joins = matches!(c, ZWNJ | ZWJ | '\u{fe0e}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}');
    let barred = matches!(category(c), GeneralCategory::Control | GeneralCategory::Unassigned)
        || CodePointSetData::new::<NoncharacterCodePoint>().contains(c)
        || is_ignorable(c);
    joins || !barred
}

/// How many characters a person counts.
#[must_use]
pub(super) fn clusters(text: &str) -> usize {
    text.graphemes(true).count()
}

/// The first character that a person counts.
#[must_use]
pub(super) fn initial(text: &str) -> &str {
    text.graphemes(true).next().unwrap_or_default()
}

/// Whether a name is written in letters with their marks and joiners, digits and the given signs, one at least a letter or
/// a digit, none of them invisible.
#[must_use]
pub(super) fn is_name(text: &str, signs: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let fits = |(index, c): (usize, &char)| match *c {
        c if is_joiner(c) => joins(&chars, index),
        c if is_ignorable(c) => false,
        c if is_mark(c) => continues(&chars, index),
        c => is_letter(c) || is_digit(c) || signs.contains(c),
    };
    chars.iter().enumerate().all(fits)
        && chars.iter().any(|c| !is_ignorable(*c) && (is_letter(*c) || is_digit(*c)))
}

/// Whether the part of an address before the `@` may hold a character beyond ASCII (RFC 6531 §3.3).
#[must_use]
pub(super) fn is_in_local_part(c: char) -> bool {
    !c.is_ascii() && !is_ignorable(c) && (is_letter(c) || is_digit(c) || is_mark(c))
}

fn is_joiner(c: char) -> bool {
    matches!(c, ZWNJ | ZWJ)
}

/// Whether a mark has a letter to stand with, and not too many others; the same one twice cannot be told from one.
fn continues(chars: &[char], index: usize) -> bool {
    let before = &chars[..index];
    let marks = before.iter().rev().take_while(|c| is_mark(**c)).count();
    let twice =
        before.last() == Some(&chars[index]) && category(chars[index]) == GeneralCategory::NonspacingMark;
    let base = before.iter().rev().find(|c| !is_mark(**c) && !is_joiner(**c));
    marks < MAX_MARKS && !twice && base.is_some_and(|c| is_letter(*c) || is_digit(*c))
}

/// Whether a joiner does something where it stands: RFC 5892 appendices A.1 and A.2.
fn joins(chars: &[char], index: usize) -> bool {
    let (before, after) = (&chars[..index], &chars[index + 1..]);
    if before.last().is_some_and(|c| canonical_combining_class(*c) == VIRAMA) {
        return after.first().is_some_and(|c| is_letter(*c));
    }
    let joining = |c: &&char| CodePointMapData::<JoiningType>::new().get(**c);
    let shows = |c: &&char| joining(c) != JoiningType::Transparent;
    let left = before.iter().rev().find(shows).as_ref().map(joining);
    let right = after.iter().find(shows).as_ref().map(joining);
    chars[index] == ZWNJ
        && matches!(left, Some(JoiningType::LeftJoining | JoiningType::DualJoining))
        && matches!(right, Some(JoiningType::RightJoining | JoiningType::DualJoining))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_form_are_folded_and_accents_are_not() {
        for (one, other) in [
            ("Tea", "ＴＥＡ"),
            ("Straße", "STRASSE"),
            ("ẞ", "ss"),
            ("ΟΔΟΣ", "οδος"),
            ("İstanbul", "istanbul"),
            ("ISPARTA", "ısparta"),
            ("é", "E\u{301}"),
            ("\u{1100}\u{1161}", "가"),
            ("tea\u{200b}", "tea"),
        ] {
            assert_eq!(fold(one), fold(other), "{one}");
            assert_eq!(fold(&fold(one)), fold(one), "{one}");
        }
        assert_ne!(fold("the"), fold("thé"));
        assert_ne!(fold_case("ＴＥＡ"), fold_case("tea"));
    }

    #[test]
    fn what_looks_alike_has_a_form_in_common() {
        let alike = |a: &str, b: &str| likeness(a) == likeness(b) || look(a) == look(b);
        for (one, other) in [
            ("kim", "KIM"),
            ("kim", "кіm"),
            ("kim", "КІМ"),
            ("kim", "ｋｉｍ"),
            ("kim", "kirn"),
            ("kim", "ᴋɪᴍ"),
            ("kim", "𝐤𝐢𝐦"),
            ("paul", "PauI"),
            ("paul", "pau1"),
            ("HELEN", "ΗELEN"),
            ("user0", "userO"),
            ("shopkeeper", "shоpkeeper"),
            ("م\u{200c}ن", "من"),
        ] {
            assert!(
                alike(one, other),
                "{one} {other}: {} {} {} {}",
                likeness(one),
                likeness(other),
                look(one),
                look(other)
            );
        }
        for (one, other) in
            [("kim", "kin"), ("kim", "kím"), ("will", "wiil"), ("가나", "가니"), ("user1", "user2")]
        {
            assert!(!alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn an_initial_is_a_whole_character() {
        assert_eq!(["कृष्ण", "kim", ""].map(initial), ["कृ", "k", ""]);
    }

    #[test]
    fn searches_know_neither_case_nor_accents_nor_order() {
        for (name, search) in [
            ("Éclair", "éclair"),
            ("Éclair", "eclair"),
            ("E\u{301}clair", "Écl"),
            ("Sparkling lemonade", "lemonade  SPARKLING"),
            ("Levi's 501", "levis"),
            ("Levi's 501", "501 Levi’s"),
            ("Smørrebrød", "smorrebrod"),
            ("İzmir üzümü", "IZMIR UZUMU"),
            ("한국 김치", "김치"),
            ("한국 김치", "\u{1100}\u{1175}\u{11b7}"),
            ("100% juice", "100%"),
            ("a_b", "_"),
        ] {
            let form = search_form(name);
            let words = search_words(search);
            assert!(!words.is_empty() && words.iter().all(|word| form.contains(word)), "{form} {words:?}");
        }
        for (name, search) in [("100 juice", "100%"), ("ab", "_"), ("か", "が"), ("कि", "की")] {
            assert!(!search_words(search).iter().all(|word| search_form(name).contains(word)), "{name}");
        }
        assert!(search_words(" \u{301} \u{200b}").is_empty());
        assert_eq!(search_form("Levi ' 501 '"), "levi 501");
    }
}
