//! The user's language, and what pages call the fields of their forms in it. The sentences of refusals are in
//! [`Code`](super::Code).

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};

/// A language in which we have sentences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// What everyone gets who asks for nothing else.
    #[default]
    English,
    /// For those who prefer it.
    Korean,
}

impl Language {
    /// The language that a request prefers (RFC 9110 §12.5.4); the earlier of two preferred alike.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(ACCEPT_LANGUAGE).filter_map(|value| value.to_str().ok());
        let (mut best, mut found) = (0, Self::English);
        for (language, quality) in ranges.flat_map(|value| value.split(',')).filter_map(range) {
            if quality > best {
                (best, found) = (quality, language);
            }
        }
        found
    }

    /// Its tag (RFC 5646), for `Content-Language`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }
}

/// One range of `Accept-Language` that we can satisfy, and its weight in thousandths.
fn range(text: &str) -> Option<(Language, u32)> {
    let mut parts = text.split(';').map(str::trim);
    let tag = parts.next()?.to_ascii_lowercase();
    let language = match tag.split('-').next()? {
        "ko" => Language::Korean,
        "en" | "*" => Language::English,
        _ => return None,
    };
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let quality: f32 = weight.map_or(Ok(1.0), str::parse).ok().filter(|q| (0.0..=1.0).contains(q))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    let thousandths = (quality * 1000.0).round() as u32;
    Some((language, thousandths))
}

/// What a page calls a field; its own name when there is no other.
#[must_use]
pub fn field(name: &str, language: Language) -> &str {
    let (english, korean) = match name {
        "nickname" => ("nickname", "닉네임"),
        "email" => ("e-mail", "이메일"),
        "password" => ("password", "패스워드"),
        "confirmPassword" => ("password confirmation", "패스워드 확인"),
        "currentPassword" => ("current password", "현재 패스워드"),
        "quantity" => ("quantity", "수량"),
        "name" => ("name", "상품명"),
        "price" => ("price", "가격"),
        "category" => ("category", "카테고리"),
        "thumbnailUrl" => ("picture", "상품 이미지"),
        "stock" => ("stock", "재고"),
        "change" => ("change of the stock", "재고 변경"),
        "reason" => ("reason", "사유"),
        "expectedTotal" => ("total", "합계"),
        "items" => ("goods", "상품"),
        "fromCart" => ("cart", "장바구니"),
        _ => (name, name),
    };
    match language {
        Language::English => english,
        Language::Korean => korean,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn of(text: &'static str) -> Language {
        Language::of(&HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(text))]))
    }

    #[test]
    fn the_preferred_language_wins_and_english_is_the_default() {
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
        for (text, expected) in [
            ("ko", Language::Korean),
            ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", Language::Korean),
            ("en-US,en;q=0.9,ko;q=0.8", Language::English),
            ("en;q=0.5, ko;q=0.51", Language::Korean),
            ("fr, ko;q=0.1", Language::Korean),
            ("ko;q=0", Language::English),
            ("de", Language::English),
            ("*", Language::English),
            ("kok", Language::English),
            ("ko;q=nan, ;;q=2,,", Language::English),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }
}
