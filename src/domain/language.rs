//! The languages in which people are told things.

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
    /// Its tag (RFC 5646), for `Content-Language`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }
}
