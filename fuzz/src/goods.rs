//! What administrators write: names, prices, pictures, stock; and the key that makes an order repeatable.

use shopbell::{
    domain::{
        Category, GoodsName, IdempotencyKey, Price, ThumbnailUrl,
        fields::flag,
        goods::{MAX_STOCK, parse_price, parse_stock},
        text::{fold, search_form, search_words},
    },
    protocol::shapes::Amount,
};

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains(['<', '>', '\n', '\0', '\u{202e}'])
}

/// Checks one input.
pub fn check(input: &[u8]) {
    let text = super::text(input);
    for currency in ["KRW", "USD", "KWD"] {
        let currency = currency.parse().expect("a currency");
        let Ok(price) = parse_price(text, currency) else { continue };
        assert!((0..=Price::MAX_MINOR).contains(&price.minor));
        let written = serde_json::to_string(&Amount(price)).expect("prices are JSON");
        assert_eq!(parse_price(&written, currency), Ok(price), "{written}");
    }
    if let Ok(name) = GoodsName::parse(text) {
        assert!(is_plain(name.as_str()) && name.as_str().chars().count() <= 200);
        assert!(search_words(name.as_str()).iter().all(|word| name.search_form().contains(word)));
        assert_eq!(search_form(&name.search_form()), name.search_form());
        assert_eq!(fold(&fold(text)), fold(text));
        assert_eq!(GoodsName::parse(name.as_str()), Ok(name));
    }
    assert!(Category::parse(text).is_err() || GoodsName::parse(text).is_ok());
    if let Ok(url) = ThumbnailUrl::parse_url(text) {
        let (lower, text) = (url.as_str().to_ascii_lowercase(), url.as_str());
        assert!(is_plain(text) && !text.contains(char::is_whitespace) && !text.contains(['"', '\'']));
        assert!(
            lower.starts_with("http://")
                || lower.starts_with("https://")
                || lower.starts_with('/') && !lower.starts_with("//")
        );
        assert_eq!(ThumbnailUrl::parse_url(text), Ok(url));
    }
    assert!(parse_stock(text).map_or(true, |stock| (0..=MAX_STOCK).contains(&stock)));
    if let Ok(key) = IdempotencyKey::parse(text) {
        assert_eq!(key.as_str(), text);
        assert!((1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    assert!(flag(text).is_err() || text.len() <= 5);
}
