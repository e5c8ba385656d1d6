//! Locations of pages and names of rooms: one page has one name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shopbell::realtime::{Page, Room};

fuzz_target!(|text: &str| {
    assert_eq!(Room::parse(text), Room::parse(text.trim()));
    if Room::parse(text).is_some() {
        let name = text.trim();
        assert!((1..=Room::MAX).contains(&name.chars().count()));
        assert!(!name.contains(['<', '>', '"', '\'']) && !name.contains(char::is_control));
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
});
