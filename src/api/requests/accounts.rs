//! Bodies about one's own account.

use utoipa::ToSchema;

/// An account that someone asks for.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", examples(json!({
    "nickname": "kim", "email": "kim@example.com", "password": "correct horse", "confirmPassword": "correct horse"
})))]
pub struct Registration {
    /// The name in alerts and in chat: 2 to 20 characters of any script, unique whatever its case and look-alikes.
    #[schema(min_length = 2, examples("kim"))]
    pub nickname: String,
    /// The address to log in with; unique whatever its case.
    #[schema(max_length = 254, examples("kim@example.com"))]
    pub email: String,
    /// 8 to 128 characters.
    #[schema(min_length = 8, format = Password)]
    pub password: String,
    /// The password once more.
    #[schema(min_length = 8, format = Password)]
    pub confirm_password: String,
}

/// What someone types to log in.
#[derive(Debug, ToSchema)]
#[schema(examples(json!({"email": "kim@example.com", "password": "correct horse"})))]
pub struct Credentials {
    /// The address of the account.
    pub email: String,
    /// Its password.
    #[schema(format = Password)]
    pub password: String,
}

/// What changes about one's own account; what is absent stays.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(rename_all = "camelCase", examples(json!({"hidePurchases": true})))]
pub struct AccountChange {
    /// Another name.
    #[schema(min_length = 2)]
    pub nickname: Option<String>,
    /// Whether one's orders alert nobody; past alerts lose the name, too.
    pub hide_purchases: Option<bool>,
    /// Another address; needs `currentPassword`.
    pub email: Option<String>,
    /// Another password, which ends all earlier log-ins; needs `currentPassword`.
    #[schema(min_length = 8, format = Password)]
    pub password: Option<String>,
    /// The password of now.
    #[schema(format = Password)]
    pub current_password: Option<String>,
}

/// What someone types to erase their account.
#[derive(Debug, ToSchema)]
#[schema(examples(json!({"password": "correct horse"})))]
pub struct Erasure {
    /// The password of the account.
    #[schema(format = Password)]
    pub password: String,
}

/// Whose password was forgotten.
#[derive(Debug, ToSchema)]
#[schema(examples(json!({"email": "kim@example.com"})))]
pub struct ForgottenPassword {
    /// The address of the account.
    #[schema(max_length = 254, examples("kim@example.com"))]
    pub email: String,
}

/// A new password, by the link of a mail.
#[derive(Debug, ToSchema)]
#[schema(examples(json!({"token": "00112233445566778899aabbccddeeff", "password": "correct horse"})))]
pub struct NewPassword {
    /// What stands behind `#token=` in the link.
    pub token: String,
    /// 8 to 128 characters.
    #[schema(min_length = 8, format = Password)]
    pub password: String,
}
