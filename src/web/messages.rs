//! What a page shows its user when something is refused, in the user's language. Not what a developer reads: that
//! is a problem's `detail`.

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

/// English and Korean for each code; `{}` is what the refusal is about.
const SENTENCES: [(&str, &str, &str); 34] = [
    ("validation", "Please check: {}.", "다음 항목을 확인해 주세요: {}."),
    ("malformed_body", "The request could not be read.", "요청을 읽을 수 없습니다."),
    ("password_mismatch", "The passwords do not match.", "패스워드가 패스워드 확인란과 다릅니다."),
    ("login_required", "Please log in first.", "로그인 후 이용 가능한 기능입니다."),
    ("bad_credentials", "The e-mail address or the password is wrong.", "이메일 또는 패스워드가 틀렸습니다."),
    ("banned", "This account has been blocked.", "이용이 정지된 계정입니다."),
    ("forbidden", "You are not allowed to do this.", "이 작업을 할 권한이 없습니다."),
    ("origin_forbidden", "This page may not do this.", "이 페이지에서는 허용되지 않는 요청입니다."),
    ("not_found", "We could not find that.", "찾을 수 없습니다."),
    ("method_not_allowed", "This cannot be done here.", "허용되지 않는 요청입니다."),
    ("email_taken", "This e-mail address is already in use.", "이미 사용 중인 이메일입니다."),
    ("nickname_taken", "This nickname is already in use.", "이미 사용 중인 닉네임입니다."),
    ("goods_exists", "Goods with this number exist already.", "이미 존재하는 상품 번호입니다."),
    ("already_in_cart", "This is in your cart already.", "이미 장바구니에 있는 상품입니다."),
    ("out_of_stock", "{} is out of stock.", "{} 상품의 재고가 부족합니다."),
    (
        "cart_changed",
        "Your cart has changed. Please look again.",
        "장바구니가 변경되었습니다. 다시 확인해 주세요.",
    ),
    ("already_canceled", "This order was canceled already.", "이미 취소된 주문입니다."),
    ("too_old", "This is too long ago.", "너무 오래된 알림입니다."),
    ("precondition_failed", "This has changed in the meantime.", "그 사이에 변경되었습니다."),
    ("body_too_large", "The request is too large.", "요청이 너무 큽니다."),
    ("unsupported_media_type", "The request could not be read.", "지원하지 않는 형식의 요청입니다."),
    ("range_not_satisfiable", "There is no such part of the file.", "요청한 범위를 찾을 수 없습니다."),
    (
        "idempotency_key_reused",
        "This order was sent before with other goods.",
        "이미 다른 주문에 사용된 요청입니다.",
    ),
    (
        "too_many_attempts",
        "Too many attempts. Please try again later.",
        "시도 횟수가 너무 많습니다. 잠시 후 다시 시도해 주세요.",
    ),
    ("request_timeout", "The request took too long.", "요청 시간이 초과되었습니다."),
    ("bad_request", "The request was refused.", "잘못된 요청입니다."),
    ("unavailable", "We are very busy. Please try again.", "서버가 혼잡합니다. 잠시 후 다시 시도해 주세요."),
    ("too_many_sessions", "You are connected too many times.", "접속이 너무 많습니다."),
    ("too_many_connections", "Too many connections from here.", "이 네트워크에서의 접속이 너무 많습니다."),
    (
        "too_many_handshakes",
        "Too many connections at once. Please try again.",
        "접속 시도가 너무 많습니다. 잠시 후 다시 시도해 주세요.",
    ),
    ("headers_too_large", "The request is too large.", "요청이 너무 큽니다."),
    (
        "server_full",
        "We are full right now. Please try again.",
        "접속자가 많습니다. 잠시 후 다시 시도해 주세요.",
    ),
    (
        "restarting",
        "We are restarting. Please try again in a moment.",
        "서버를 다시 시작하는 중입니다. 잠시 후 다시 시도해 주세요.",
    ),
    (INTERNAL, "Something went wrong on our side.", "서버에서 오류가 발생했습니다."),
];
const INTERNAL: &str = "internal_error";

/// The sentence for a code. Codes are ours; one without a sentence gets that of an error of ours.
#[must_use]
pub fn sentence(code: &str, language: Language, subject: &str) -> String {
    let find = |wanted: &str| SENTENCES.iter().find(|(code, ..)| *code == wanted);
    let (_, english, korean) = find(code).or_else(|| find(INTERNAL)).copied().unwrap_or_default();
    let text = match language {
        Language::English => english,
        Language::Korean => korean,
    };
    text.replace("{}", subject)
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

    #[test]
    fn every_sentence_exists_in_both_languages_and_names_its_subject() {
        assert_eq!(sentence("out_of_stock", Language::Korean, "물"), "물 상품의 재고가 부족합니다.");
        for (code, english, korean) in SENTENCES {
            assert!(!english.is_empty() && !korean.is_empty(), "{code}");
            assert_eq!(english.contains("{}"), korean.contains("{}"), "{code}");
        }
    }
}
