//! What a problem says, and what it never does.

use serde_json::Value;

use super::*;
use crate::store::StoreError;

fn body(problem: &Problem, language: Language) -> Value {
    serde_json::from_slice(&problem.parts(language).2).unwrap()
}

#[test]
fn a_problem_speaks_the_users_language() {
    let problem = Problem::login_required();
    assert_eq!(body(&problem, Language::English)["errorMessage"], "Please log in first.");
    assert_eq!(body(&problem, Language::Korean)["errorMessage"], "로그인 후 이용 가능한 기능입니다.");
    assert_eq!(body(&problem, Language::Korean)["code"], "login_required");
    assert_eq!(body(&problem, Language::Korean)["title"], "Unauthorized");
    assert_eq!(problem.parts(Language::Korean).1.get(CONTENT_LANGUAGE).unwrap(), "ko");
}

#[test]
fn validation_lists_fields_and_names_them_to_the_user() {
    let error = ServiceError::field("nickname", "too_short", "a nickname has 2 to 20 characters");
    let body = body(&error.into(), Language::Korean);
    assert_eq!(body["status"], 400);
    assert_eq!(body["errors"][0]["field"], "nickname");
    assert_eq!(body["errorMessage"], "다음 항목을 확인해 주세요: 닉네임.");
}

#[test]
fn nothing_internal_shows() {
    let error = StoreError::Corrupt("select secret from /var/lib".into());
    let problem = Problem::from(ServiceError::from(error));
    let text = String::from_utf8(problem.parts(Language::English).2.to_vec()).unwrap();
    assert!(!text.contains("secret") && !text.contains("/var"), "{text}");
    assert!(problem.cause().is_some());
    let busy = Problem::from(ServiceError::from(StoreError::Busy("queue".into())));
    assert_eq!(busy.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(busy.parts(Language::English).1.contains_key(RETRY_AFTER));
}

#[test]
fn out_of_stock_names_the_goods() {
    let error = ServiceError::OutOfStock {
        goods_id: crate::domain::GoodsId(4),
        name: "Sparkling water".into(),
        left: 2,
    };
    let body = body(&error.into(), Language::English);
    assert_eq!(body["errorMessage"], "Sparkling water is out of stock.");
    assert!(body["detail"].as_str().unwrap().contains("Sparkling water"));
    assert_eq!(body["status"], 409);
}
