//! The user's language, and what pages call the fields of their forms in it. The sentences of refusals are in
//! [`Code`](super::Code).

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};

use crate::domain::FieldError;
pub use crate::domain::Language;

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

/// The rules of fields in Korean. What is not listed gets the sentence of its code, see [`rule`].
const RULES: &[(&str, &str)] = &[
    ("a count is a whole number from 0 to 100", "0에서 100까지의 정수를 입력해 주세요."),
    ("this field is required", "필수 항목입니다."),
    ("this field must be a string", "문자열이어야 합니다."),
    ("this field must be true or false", "true 또는 false여야 합니다."),
    ("this field is too long", "너무 깁니다."),
    (
        "control characters and < > are not allowed here",
        "제어 문자, 보이지 않는 문자와 < >는 사용할 수 없습니다.",
    ),
    ("this must be an e-mail address", "올바른 이메일 주소가 아닙니다."),
    ("this must be an http(s) URL or an absolute path", "http(s) URL 또는 절대 경로여야 합니다."),
    ("a nickname has 2 to 20 characters", "닉네임은 2자 이상 20자 이하여야 합니다."),
    (
        "a nickname has letters, digits, single spaces, apostrophes and _ - . · only, a letter or a digit at least",
        "닉네임은 글자, 숫자, 한 칸 공백, 아포스트로피와 _ - . ·만 사용할 수 있으며 글자나 숫자가 하나 이상 있어야 합니다.",
    ),
    ("a password has 8 to 128 characters", "패스워드는 8자 이상 128자 이하여야 합니다."),
    ("a password has no invisible characters", "패스워드에는 보이지 않는 문자를 사용할 수 없습니다."),
    ("a price is a plain decimal number from 0 up", "가격은 0 이상의 숫자여야 합니다."),
    ("the price has more decimals than the currency", "가격의 소수 자릿수가 통화보다 많습니다."),
    ("the price is too high", "가격이 너무 높습니다."),
    ("quantity is a whole number from 1 to 999", "수량은 1부터 999까지의 정수여야 합니다."),
    (
        "stock is a whole number from 0 to 1000000000, or null",
        "재고는 0부터 1000000000까지의 정수이거나 null이어야 합니다.",
    ),
    ("the cart is empty", "장바구니가 비어 있습니다."),
    ("a cart has at most 100 lines", "장바구니에는 상품을 100종까지 담을 수 있습니다."),
    ("the order is too large", "주문 금액이 너무 큽니다."),
    ("an order has 1 to 100 lines", "주문에는 상품이 1종 이상 100종 이하여야 합니다."),
    ("an order has at most 999 pieces of one goods", "한 상품은 999개까지 주문할 수 있습니다."),
    ("an order has either items or fromCart", "items와 fromCart 중 하나만 보내야 합니다."),
    ("items is a list of {goodsId, quantity}", "items는 {goodsId, quantity}의 목록이어야 합니다."),
    (
        "sort is newest, priceAsc, priceDesc or name",
        "sort는 newest, priceAsc, priceDesc, name 중 하나여야 합니다.",
    ),
    ("role is member or admin", "역할은 member 또는 admin이어야 합니다."),
    ("a time is written like 2026-11-21T00:54:21Z", "시각은 2026-11-21T00:54:21Z 형식이어야 합니다."),
    ("a search has at most 200 characters", "검색어는 200자 이하여야 합니다."),
];

/// What events take, and why they were refused, in Korean.
const EVENTS: &[(&str, &str)] = &[
    ("BUY takes an object with goodsId or items.", "BUY에는 goodsId 또는 items가 있는 객체를 보내야 합니다."),
    ("auth takes {token}.", "auth에는 {token}을 보내야 합니다."),
    (
        "CHANGED_PAGE takes the location of a page, \"/detail.html?goodsId=4\".",
        "CHANGED_PAGE에는 페이지 주소를 보내야 합니다. 예: \"/detail.html?goodsId=4\"",
    ),
    ("nickname takes a string.", "nickname에는 문자열을 보내야 합니다."),
    ("enter_room takes a string.", "enter_room에는 문자열을 보내야 합니다."),
    ("leave_room takes a string.", "leave_room에는 문자열을 보내야 합니다."),
    ("new_message takes a message and a room.", "new_message에는 메시지와 방을 보내야 합니다."),
    (
        "WATCH_FIGURES takes true, false or nothing.",
        "WATCH_FIGURES에는 true나 false를 보내거나 아무것도 보내지 않아야 합니다.",
    ),
    (
        "report_message takes {room, message, nickname}.",
        "report_message에는 {room, message, nickname}을 보내야 합니다.",
    ),
    ("digest is a whole number from 1 to 100.", "digest에는 1에서 100까지의 정수를 보내야 합니다."),
    ("A message has at most 2000 characters.", "메시지는 2000자 이하여야 합니다."),
    (
        "A room's name has 1 to 100 characters, none of them control, bidirectional or < >.",
        "방 이름은 1자 이상 100자 이하여야 하며 제어 문자와 < >는 사용할 수 없습니다.",
    ),
    ("A message is a JSON text.", "메시지는 JSON 문자열이어야 합니다."),
    (
        "A message is {\"type\": \"…\", \"payload\": …}, with an id that is a number or a short string.",
        "메시지는 {\"type\": \"…\", \"payload\": …} 형식이어야 하며 id는 숫자나 짧은 문자열이어야 합니다.",
    ),
    (
        "This connection belongs to someone else: please open another.",
        "다른 사용자의 연결입니다. 새로 연결해 주세요.",
    ),
];

/// What an event takes, or a rule of a field that is all of it, in the language of its reader.
#[must_use]
pub fn of_event(english: &'static str, language: Language) -> &'static str {
    let known = || EVENTS.iter().chain(RULES).find(|(known, _)| *known == english);
    match language {
        Language::English => english,
        Language::Korean => known().map_or(english, |(_, korean)| korean),
    }
}

/// What is wrong with a field, in the language of its reader.
#[must_use]
pub fn rule(error: &FieldError, language: Language) -> &'static str {
    if language == Language::English {
        return error.message;
    }
    let known = RULES.iter().find(|(english, _)| *english == error.message);
    known.map_or_else(|| of_code(error.code), |(_, korean)| korean)
}

/// What a code of a field means, in Korean.
fn of_code(code: &str) -> &'static str {
    match code {
        "required" => "필수 항목입니다.",
        "too_short" => "너무 짧습니다.",
        "too_long" => "너무 깁니다.",
        "out_of_range" => "허용 범위를 벗어났습니다.",
        "invalid_characters" => "사용할 수 없는 문자가 있습니다.",
        "too_many_decimals" => "소수 자릿수가 너무 많습니다.",
        "unknown" => "알 수 없는 항목입니다.",
        _ => "올바르지 않은 값입니다.",
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
    fn every_rule_of_a_field_is_said_in_korean() {
        for message in RULES.iter().map(|(english, _)| *english).chain(["a rule that is not listed"]) {
            let error = FieldError { field: "name".to_owned(), code: "too_long", message };
            assert_eq!(rule(&error, Language::English), message);
            assert!(rule(&error, Language::Korean).chars().any(|c| ('가'..='힣').contains(&c)), "{message}");
        }
        let error = FieldError { field: "name".to_owned(), code: "too_long", message: "new" };
        assert_eq!(rule(&error, Language::Korean), "너무 깁니다.");
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
