//! The code of every refusal, over HTTP, in acknowledgements and in events: one table.

use actix_web::http::StatusCode;
use serde::{Serialize, Serializer};

use super::messages::Language;
use crate::{
    limits::LimitExceeded,
    media::PictureError,
    service::ServiceError,
    store::{Denied, StoreError},
};

/// Makes the enum and its properties of rows: variant, stable name, HTTP status, English and Korean sentence.
/// A row that lacks one does not compile.
macro_rules! codes {
    ($($code:ident = $name:literal, $status:ident, $english:literal, $korean:literal;)*) => {
        /// Why something was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $english] $code,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$code,)*];

            /// Its stable name, in snake case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }

            /// Its status over HTTP.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$code => StatusCode::$status,)*
                }
            }

            /// English and Korean; `{}` is what the refusal is about.
            #[must_use]
            pub const fn sentences(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$code => ($english, $korean),)*
                }
            }
        }
    };
}

codes! {
    Validation = "validation", BAD_REQUEST,
        "Please check: {}.", "다음 항목을 확인해 주세요: {}.";
    MalformedBody = "malformed_body", BAD_REQUEST,
        "The request could not be read.", "요청을 읽을 수 없습니다.";
    PasswordMismatch = "password_mismatch", BAD_REQUEST,
        "The passwords do not match.", "패스워드가 패스워드 확인란과 다릅니다.";
    LoginRequired = "login_required", UNAUTHORIZED,
        "Please log in first.", "로그인 후 이용 가능한 기능입니다.";
    BadCredentials = "bad_credentials", UNAUTHORIZED,
        "The e-mail address or the password is wrong.", "이메일 또는 패스워드가 틀렸습니다.";
    Banned = "banned", FORBIDDEN,
        "This account has been blocked.", "이용이 정지된 계정입니다.";
    Forbidden = "forbidden", FORBIDDEN,
        "You are not allowed to do this.", "이 작업을 할 권한이 없습니다.";
    OriginForbidden = "origin_forbidden", FORBIDDEN,
        "This page may not do this.", "이 페이지에서는 허용되지 않는 요청입니다.";
    UnknownListenKey = "unknown_listen_key", UNAUTHORIZED,
        "The key of this page is not valid.", "이 페이지의 키가 유효하지 않습니다.";
    ListenOnly = "listen_only", FORBIDDEN,
        "This page can only listen.", "이 페이지에서는 알림만 받을 수 있습니다.";
    TooManyListenKeys = "too_many_listen_keys", CONFLICT,
        "Please remove another key first.", "먼저 다른 키를 삭제해 주세요.";
    NotFound = "not_found", NOT_FOUND,
        "We could not find that.", "찾을 수 없습니다.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED,
        "This cannot be done here.", "허용되지 않는 요청입니다.";
    LastAdmin = "last_admin", CONFLICT,
        "Somebody has to stay an administrator.", "관리자가 한 명은 남아 있어야 합니다.";
    EmailTaken = "email_taken", CONFLICT,
        "This e-mail address is already in use.", "이미 사용 중인 이메일입니다.";
    BadSignature = "bad_signature", UNAUTHORIZED,
        "The signature is not valid.", "서명이 올바르지 않습니다.";
    TooManyReceipts = "too_many_receipts", TOO_MANY_REQUESTS,
        "Too many messages at once. Please wait a moment.", "요청이 너무 많습니다. 잠시 후 다시 시도해 주세요.";
    TooManyCounts = "too_many_counts", TOO_MANY_REQUESTS,
        "Too many reports at once. Please wait a moment.", "보고가 너무 많습니다. 잠시 후 다시 시도해 주세요.";
    ReceiptForgotten = "receipt_forgotten", GONE,
        "What was received is no longer kept.", "수신 내용이 더 이상 보관되어 있지 않습니다.";
    NicknameTaken = "nickname_taken", CONFLICT,
        "This nickname is already in use.", "이미 사용 중인 닉네임입니다.";
    GoodsExists = "goods_exists", CONFLICT,
        "This number belongs to other goods already.", "이미 사용된 상품 번호입니다.";
    AlreadyInCart = "already_in_cart", CONFLICT,
        "This is in your cart already.", "이미 장바구니에 있는 상품입니다.";
    OutOfStock = "out_of_stock", CONFLICT,
        "{} is out of stock.", "{} 상품의 재고가 부족합니다.";
    PriceChanged = "price_changed", CONFLICT,
        "The price has changed. Please look again.", "가격이 변경되었습니다. 다시 확인해 주세요.";
    CartChanged = "cart_changed", CONFLICT,
        "Your cart has changed. Please look again.", "장바구니가 변경되었습니다. 다시 확인해 주세요.";
    AlreadyCanceled = "already_canceled", CONFLICT,
        "This order was canceled already.", "이미 취소된 주문입니다.";
    TooManyEndpoints = "too_many_endpoints", CONFLICT,
        "There are too many endpoints.", "엔드포인트가 너무 많습니다.";
    EndpointDisabled = "endpoint_disabled", CONFLICT,
        "This endpoint is switched off.", "사용 중지된 엔드포인트입니다.";
    TooOld = "too_old", GONE,
        "This is too long ago.", "너무 오래된 알림입니다.";
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED,
        "This has changed in the meantime.", "그 사이에 변경되었습니다.";
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE,
        "The request is too large.", "요청이 너무 큽니다.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE,
        "The request could not be read.", "지원하지 않는 형식의 요청입니다.";
    RangeNotSatisfiable = "range_not_satisfiable", RANGE_NOT_SATISFIABLE,
        "There is no such part of the file.", "요청한 범위를 찾을 수 없습니다.";
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY,
        "This order was sent before with other goods.", "이미 다른 주문에 사용된 요청입니다.";
    TooManyAttempts = "too_many_attempts", TOO_MANY_REQUESTS,
        "Too many attempts. Please try again later.", "시도 횟수가 너무 많습니다. 잠시 후 다시 시도해 주세요.";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT,
        "The request took too long.", "요청 시간이 초과되었습니다.";
    BadRequest = "bad_request", BAD_REQUEST,
        "The request was refused.", "잘못된 요청입니다.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE,
        "We are very busy. Please try again.", "서버가 혼잡합니다. 잠시 후 다시 시도해 주세요.";
    TooManyOrders = "too_many_orders", TOO_MANY_REQUESTS,
        "Too many orders at once. Please wait a moment.", "주문이 너무 많습니다. 잠시 후 다시 시도해 주세요.";
    TooManyRegistrations = "too_many_registrations", TOO_MANY_REQUESTS,
        "Too many accounts were created from here. Please try again later.", "이 네트워크에서의 회원가입이 너무 많습니다. 잠시 후 다시 시도해 주세요.";
    MailNotConfigured = "mail_not_configured", SERVICE_UNAVAILABLE,
        "This shop sends no mail. Please ask the shopkeeper.", "이 가게에서는 메일을 보내지 않습니다. 운영자에게 문의해 주세요.";
    TooManySessions = "too_many_sessions", TOO_MANY_REQUESTS,
        "You are connected too many times.", "접속이 너무 많습니다.";
    TooManyConnections = "too_many_connections", TOO_MANY_REQUESTS,
        "Too many connections from here.", "이 네트워크에서의 접속이 너무 많습니다.";
    TooManyHandshakes = "too_many_handshakes", TOO_MANY_REQUESTS,
        "Too many connections at once. Please try again.", "접속 시도가 너무 많습니다. 잠시 후 다시 시도해 주세요.";
    HeadersTooLarge = "headers_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The request is too large.", "요청이 너무 큽니다.";
    ServerFull = "server_full", SERVICE_UNAVAILABLE,
        "We are full right now. Please try again.", "접속자가 많습니다. 잠시 후 다시 시도해 주세요.";
    Restarting = "restarting", SERVICE_UNAVAILABLE,
        "We are restarting. Please try again in a moment.", "서버를 다시 시작하는 중입니다. 잠시 후 다시 시도해 주세요.";
    InternalError = "internal_error", INTERNAL_SERVER_ERROR,
        "Something went wrong on our side.", "서버에서 오류가 발생했습니다.";
    UnknownEvent = "unknown_event", NOT_FOUND,
        "There is no such event.", "존재하지 않는 이벤트입니다.";
    MalformedMessage = "malformed_message", BAD_REQUEST,
        "The message could not be read.", "메시지를 읽을 수 없습니다.";
    TooManyMessages = "too_many_messages", TOO_MANY_REQUESTS,
        "Too many messages. Please wait a moment.", "메시지가 너무 많습니다. 잠시 후 다시 시도해 주세요.";
    TooManyRooms = "too_many_rooms", CONFLICT,
        "Please leave another room first.", "다른 방에서 먼저 나가 주세요.";
    Muted = "muted", FORBIDDEN,
        "You cannot write here at the moment.", "지금은 메시지를 보낼 수 없습니다.";
    NotInRoom = "not_in_room", CONFLICT,
        "Please enter the room first.", "먼저 방에 입장해 주세요.";
}

/// Written as its name.
impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Code {
    /// The sentence for a page to show its user.
    #[must_use]
    pub fn sentence(self, language: Language, subject: &str) -> String {
        let (english, korean) = self.sentences();
        match language {
            Language::English => english,
            Language::Korean => korean,
        }
        .replace("{}", subject)
    }

    /// The code and the detail for a status of a layer that knows no more than it.
    #[must_use]
    pub fn of_status(status: StatusCode) -> (Self, &'static str) {
        match status.as_u16() {
            401 => (Self::LoginRequired, "log in to do this"),
            403 => (Self::Forbidden, "this is not allowed"),
            404 => (Self::NotFound, "there is nothing at this address"),
            405 => (Self::MethodNotAllowed, "this address does not take the method"),
            408 => (Self::RequestTimeout, "the request took too long"),
            410 => (Self::TooOld, "this is gone"),
            412 => (Self::PreconditionFailed, "a precondition of the request does not hold"),
            413 => (Self::BodyTooLarge, "the body is too large"),
            415 => (Self::UnsupportedMediaType, "the body has a type that is not read here"),
            416 => (Self::RangeNotSatisfiable, "the file has no such range"),
            429 => (Self::TooManyAttempts, "too many attempts"),
            431 => (Self::HeadersTooLarge, "the head of the request is too large"),
            503 => (Self::Unavailable, "try again"),
            400..=499 => (Self::BadRequest, "the request was refused"),
            _ => (Self::InternalError, "something went wrong"),
        }
    }
}

impl From<LimitExceeded> for Code {
    fn from(limit: LimitExceeded) -> Self {
        match limit {
            LimitExceeded::AccountSessions => Self::TooManySessions,
            LimitExceeded::AddressSessions | LimitExceeded::AddressConnections => Self::TooManyConnections,
            LimitExceeded::HandshakeRate => Self::TooManyHandshakes,
            LimitExceeded::Connections | LimitExceeded::Bytes => Self::ServerFull,
        }
    }
}

impl From<&ServiceError> for Code {
    fn from(error: &ServiceError) -> Self {
        match error {
            ServiceError::Validation(_) => Self::Validation,
            ServiceError::PasswordMismatch => Self::PasswordMismatch,
            ServiceError::BadCredentials => Self::BadCredentials,
            ServiceError::Banned => Self::Banned,
            ServiceError::TooManyAttempts(_) => Self::TooManyAttempts,
            ServiceError::TooManyResets(_) => Self::TooManyAttempts,
            ServiceError::MailNotConfigured => Self::MailNotConfigured,
            ServiceError::TooManyOrders(_) => Self::TooManyOrders,
            ServiceError::TooManyReceipts(_) => Self::TooManyReceipts,
            ServiceError::TooManyCounts(_) => Self::TooManyCounts,
            ServiceError::BadSignature(_) => Self::BadSignature,
            ServiceError::MalformedReceipt(_) => Self::MalformedBody,
            ServiceError::ReceiptForgotten => Self::ReceiptForgotten,
            ServiceError::TooManyRegistrations(_) => Self::TooManyRegistrations,
            ServiceError::Limit(limit) => (*limit).into(),
            ServiceError::EmailTaken => Self::EmailTaken,
            ServiceError::NicknameTaken => Self::NicknameTaken,
            ServiceError::NotFound | ServiceError::GoodsNotFound(_) => Self::NotFound,
            ServiceError::GoodsExist => Self::GoodsExists,
            ServiceError::Denied(Denied::LoggedOut) => Self::LoginRequired,
            ServiceError::Denied(Denied::NotAdmin) => Self::Forbidden,
            ServiceError::PreconditionFailed => Self::PreconditionFailed,
            ServiceError::PriceChanged { .. } => Self::PriceChanged,
            ServiceError::AlreadyInCart => Self::AlreadyInCart,
            ServiceError::OutOfStock { .. } => Self::OutOfStock,
            ServiceError::CartChanged => Self::CartChanged,
            ServiceError::IdempotencyKeyReused => Self::IdempotencyKeyReused,
            ServiceError::Picture(PictureError::TooLarge) => Self::BodyTooLarge,
            ServiceError::Picture(_) => Self::UnsupportedMediaType,
            ServiceError::TooManyListenKeys => Self::TooManyListenKeys,
            ServiceError::LastAdmin => Self::LastAdmin,
            ServiceError::AlreadyCanceled => Self::AlreadyCanceled,
            ServiceError::TooManyEndpoints => Self::TooManyEndpoints,
            ServiceError::EndpointDisabled => Self::EndpointDisabled,
            ServiceError::TooOld { .. } | ServiceError::Pruned => Self::TooOld,
            ServiceError::Busy(_) | ServiceError::Store(StoreError::Busy(_)) => Self::Unavailable,
            ServiceError::Restarting => Self::Restarting,
            ServiceError::Store(_) | ServiceError::Internal(..) => Self::InternalError,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_both_sentences_name_the_subject() {
        assert_eq!(Code::OutOfStock.sentence(Language::Korean, "물"), "물 상품의 재고가 부족합니다.");
        assert_eq!(Code::ALL.iter().map(|code| code.name()).collect::<HashSet<_>>().len(), Code::ALL.len());
        for code in Code::ALL {
            let (english, korean) = code.sentences();
            assert!(code.name().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{code:?}");
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{code:?}");
            assert!(!english.is_empty() && !korean.is_empty(), "{code:?}");
            assert_eq!(english.contains("{}"), korean.contains("{}"), "{code:?}");
        }
    }
}
