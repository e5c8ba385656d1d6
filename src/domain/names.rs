//! What the shop's administrators write: names of goods and of keys, categories, pictures.

use super::{Invalid, line::plain_text, text};

macro_rules! plain_text_type {
    ($(#[$doc:meta])* $name:ident, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

plain_text_type!(
    /// What goods are known by in the shop's other systems: 1–100 characters.
    Sku,
    100
);

plain_text_type!(
    /// What a listen key is called: 1–100 characters that cannot become markup in the text of a page.
    KeyName,
    100
);
plain_text_type!(
    /// What a source is called in lists: 1–40 characters that cannot become markup.
    SourceName,
    40
);

impl GoodsName {
    /// What a search compares.
    #[must_use]
    pub fn search_form(&self) -> String {
        text::search_form(&self.0)
    }

    /// What a list by names is sorted by: the same for what differs in case or form alone.
    #[must_use]
    pub fn sort_key(&self) -> String {
        text::fold(&self.0)
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

/// Where goods have a page of their own outside of this shop: an `http(s)` URL of at most 2,000 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageUrl(String);

impl PageUrl {
    /// Checks that a click on it opens a page, and nothing else happens.
    ///
    /// # Errors
    /// Another scheme, white space, control or bidirectional characters, or what could end an attribute.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const BAD: Invalid = Invalid::new("invalid", "this must be an http(s) URL");
        let url = ThumbnailUrl::parse_url(text)?.0;
        if url.starts_with('/') { Err(BAD) } else { Ok(Self(url)) }
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

/// What is to be said of goods beside their name: up to 5,000 characters in any number of lines, perhaps none, that cannot
/// become markup in the text of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    /// Normalizes to NFC with line feeds, trims and checks.
    ///
    /// # Errors
    /// Too much, control characters other than tabs and the ends of lines, bidirectional ones or `< >`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        if lines.trim().is_empty() {
            return Ok(Self::default());
        }
        // A line feed and a tab count as the space that they are.
        plain_text(&lines.replace(['\n', '\t'], " "), 5000)?;
        Ok(Self(text::nfc(&lines)))
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
    fn a_description_has_lines_and_no_markup() {
        let text = |text: &str| Description::parse(text).map(|description| description.as_str().to_owned());
        assert_eq!(text(" Crisp.\r\n\tCold.\rCafe\u{301} "), Ok("Crisp.\n\tCold.\nCaf\u{e9}".to_owned()));
        assert_eq!((text(""), text(" \n ")), (Ok(String::new()), Ok(String::new())));
        for bad in ["a\n<b>", "a\u{7}b", "abc\u{202e}fed", &"x".repeat(5001)] {
            assert!(text(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_page_elsewhere_has_an_address_of_the_web() {
        assert!(PageUrl::parse("https://shop.example/p/1?x=1#top").is_ok());
        for bad in ["/detail.html", "javascript:alert(1)", "//shop.example/p", "https://shop.example/\"x"] {
            assert!(PageUrl::parse(bad).is_err(), "{bad}");
        }
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
