//! Locations of pages and names of rooms: one page has one name.

use shopbell::realtime::{Page, Room};

/// Checks one input.
pub fn check(input: &[u8]) {
    let text = super::text(input);
    assert_eq!(Room::parse(text), Room::parse(text.trim()));
    if Room::parse(text).is_some() {
        let name = text.trim();
        assert!((1..=Room::MAX * 3).contains(&name.chars().count()));
        assert!(!name.contains(['<', '>', '\u{202e}']) && !name.contains(char::is_control));
    }
    let Some(page) = Page::parse(text) else { return };
    let bare = text.split('#').next().unwrap_or_default();
    assert!(bare.starts_with('/') && bare.len() <= Page::MAX);
    assert_eq!(Page::parse(bare), Some(page.clone()));
    let Some((path, query)) = bare.split_once('?') else {
        assert_eq!(Page::parse(&format!("{bare}?")), (bare.len() < Page::MAX).then_some(page));
        return;
    };
    let mut parameters: Vec<_> = query.split('&').collect();
    parameters.reverse();
    assert_eq!(Page::parse(&format!("{path}?{}", parameters.join("&"))), Some(page));
}
