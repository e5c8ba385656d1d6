//! What the shop's administrators write about goods: names, categories, pictures.

use super::{
    Invalid,
    text::{self, plain_text},
};

macro_rules! plain_text_type {
    ($(#[$doc:meta])* $name:ident, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Normalizes to NFC, trims and checks.
            ///
            /// # Errors
            /// Nothing to see, too much, control characters, bidirectional ones or `< >`.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                plain_text(text, $max).map(Self)
            }

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// From a row that was parsed when it was written.
            #[must_use]
            pub(crate) fn trusted(text: String) -> Self {
                Self(text)
            }
        }
    };
}

plain_text_type!(
    /// What goods are called: 1–200 characters that cannot become markup in the text of a page.
    GoodsName,
    200
);
plain_text_type!(
    /// What goods are sorted under: 1–40 characters that cannot become markup in the text of a page.
    Category,
    40
);

impl GoodsName {
    /// What a search compares.
    #[must_use]
    pub fn search_form(&self) -> String {
        text::search_form(&self.0)
    }
}

impl Category {
    /// The form in which two categories are the same.
    #[must_use]
    pub fn key(&self) -> String {
        text::fold(&self.0)
    }
}

/// Where the picture of goods is: an `http(s)` URL or an absolute path, at most 2,000 characters. It is not normalized: a
/// path means the bytes that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThumbnailUrl(String);

impl ThumbnailUrl {
    /// Checks that a picture is fetched from the web or from this server, and nothing else happens: pages insert it into an
    /// attribute.
    ///
    /// # Errors
    /// Another scheme, a path that is not absolute, white space, control or bidirectional characters, or what could end
    /// the attribute.
    pub fn parse_url(text: &str) -> Result<Self, Invalid> {
        const BAD: Invalid = Invalid::new("invalid", "this must be an http(s) URL or an absolute path");
        let text = text.trim();
        if text.chars().count() > 2000 {
            return Err(Invalid::new("too_long", "this field is too long"));
        }
        plain_text(text, 2000)?;
        let lower = text.to_ascii_lowercase();
        let web = ["http://", "https://"]
            .iter()
            .any(|scheme| lower.len() > scheme.len() && lower.starts_with(scheme));
        let path = lower.starts_with('/') && !lower.starts_with("//");
        if !(web || path) || text.contains(|c: char| c.is_whitespace() || "\\\"'`".contains(c)) {
            return Err(BAD);
        }
        Ok(Self(text.to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From a row that was parsed when it was written.
    #[must_use]
    pub(crate) fn trusted(text: String) -> Self {
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_quotes_and_refuse_markup() {
        assert_eq!(GoodsName::parse(" Sparkling water ").unwrap().as_str(), "Sparkling water");
        for good in ["Levi's 501", "12\" vinyl", "Salt & vinegar", "Cafe\u{301}", &"x".repeat(200)] {
            let name = GoodsName::parse(good).unwrap();
            assert_eq!(GoodsName::parse(name.as_str()), Ok(name));
        }
        for bad in ["", "   ", "<script>", "a>b", "a\u{7}b", "abc\u{202e}fed", "\u{200b}", &"x".repeat(201)] {
            assert!(GoodsName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn categories_are_the_same_in_any_case_and_form() {
        let key = |text: &str| Category::parse(text).unwrap().key();
        assert_eq!(key("Tea"), key("TEA"));
        assert_eq!(key("Café"), key("CAFE\u{301}"));
        assert_ne!(key("Tea"), key("Tee"));
    }

    #[test]
    fn pictures_come_from_the_web_or_from_here() {
        for good in
            ["/images/a.svg", "https://cdn.example/a.png?x=1&y=2", "HTTP://cdn.example/a", "/사진.png"]
        {
            assert!(ThumbnailUrl::parse_url(good).is_ok(), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "//evil.example/a",
            "images/a.svg",
            "data:image/png,x",
            "https://",
            "/a b",
            "/\\evil",
            "/a\"onerror=x",
            "/a'b",
            "/a<b",
            "/a\u{202e}b",
        ] {
            assert!(ThumbnailUrl::parse_url(bad).is_err(), "{bad}");
        }
    }
}
