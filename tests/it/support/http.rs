//! Requests, and answers that keep the house rules.

use reqwest::{
    Method, StatusCode,
    header::{HeaderMap, HeaderName},
};
use serde_json::Value;

use super::{DEADLINE, Person};

/// A client of one shop.
#[derive(Clone)]
pub struct Http {
    url: String,
    client: reqwest::Client,
}

impl Http {
    /// Of the shop at `http://127.0.0.1:41234`.
    pub fn new(url: &str) -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(DEADLINE)
            .build()
            .unwrap();
        Self { url: url.to_owned(), client }
    }

    pub fn request(&self, method: &str, path: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Call {
            head: method == Method::HEAD,
            request: self.client.request(method, format!("{}{path}", self.url)),
        }
    }

    pub fn get(&self, path: &str) -> Call {
        self.request("GET", path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.request("POST", path)
    }
}

/// A request on its way.
pub struct Call {
    pub(super) request: reqwest::RequestBuilder,
    pub(super) head: bool,
}

impl Call {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn by(self, person: &Person) -> Self {
        self.token(&person.token)
    }

    pub fn token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// A body already in the form encoding.
    pub fn form(self, body: &str) -> Self {
        self.body("application/x-www-form-urlencoded; charset=UTF-8", body.to_owned())
    }

    pub fn body(mut self, media_type: &str, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.header("Content-Type", media_type).body(body);
        self
    }

    /// A body whose media type is among the headers already.
    pub fn raw_body(mut self, body: String) -> Self {
        self.request = self.request.body(body);
        self
    }

    /// Sends, and holds the answer to what the contract promises of every one.
    pub async fn send(self) -> Answer {
        let answer = self.stream().await;
        self.held(answer).await
    }

    /// As [`Self::send`], to a server that may have ended.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let answer = self.begin().await?;
        Ok(self.held(answer).await)
    }

    async fn held(&self, answer: reqwest::Response) -> Answer {
        let (status, headers, url) =
            (answer.status(), answer.headers().clone(), answer.url().path().to_owned());
        let text = answer.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Answer { what: url, status, headers, text, json };
        answer.keeps_the_house_rules(self.head);
        answer
    }

    /// Sends and leaves the body to be read bit by bit.
    pub async fn stream(&self) -> reqwest::Response {
        self.begin().await.expect("an answer")
    }

    async fn begin(&self) -> Result<reqwest::Response, reqwest::Error> {
        self.request.try_clone().expect("bodies here are in memory").send().await
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    what: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        let name: HeaderName = name.parse().unwrap();
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text);
        self
    }

    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status.as_u16(), self.json["code"].as_str()),
            (status, Some(code)),
            "{}: {}",
            self.what,
            self.text
        );
        self
    }

    /// Refused as invalid, and these fields are what is wrong.
    #[track_caller]
    pub fn invalid(self, fields: &[&str]) -> Self {
        let answer = self.refused(400, "validation");
        let errors = answer.json["errors"].as_array().expect("validation lists errors");
        let found: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(found, fields, "{}: {}", answer.what, answer.text);
        for error in errors {
            assert!(error["code"].is_string() && error["message"].is_string(), "{error}");
        }
        answer
    }

    /// docs/contract.md §2, "every page and answer" and "Errors".
    fn keeps_the_house_rules(&self, head: bool) {
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{}", self.what);
        assert!(!self.header("referrer-policy").is_empty(), "{} has no Referrer-Policy", self.what);
        if head {
            assert!(self.text.is_empty(), "HEAD {} has a body", self.what);
        }
        // Engine.IO's own refusals are those of the reference server.
        let engineio = self.what.contains("/socket.io/?") || self.json["code"].is_number();
        if !engineio && (self.status.is_client_error() || self.status.is_server_error()) {
            assert_eq!(
                self.header("content-type"),
                "application/problem+json",
                "{}: {}",
                self.what,
                self.text
            );
            if !head {
                is_problem(&self.json, self.status.as_u16());
            }
        }
    }
}

/// Whether a body is what RFC 9457 and the contract say of errors.
#[track_caller]
pub fn is_problem(body: &Value, status: u16) {
    for member in ["type", "title", "detail", "code", "errorMessage"] {
        assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "no {member} in {body}");
    }
    assert_eq!(body["status"], status, "{body}");
    let code = body["code"].as_str().unwrap();
    assert!(code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{code}");
}
