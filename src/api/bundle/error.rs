//! Why several modules cannot be one.

use thiserror::Error;

/// Why modules cannot be one.
#[derive(Debug, Error, PartialEq, Eq)]
pub(in crate::api) enum BundleError {
    #[error("there is no {0}")]
    Missing(String),
    #[error("{0} ends too early")]
    Unclosed(String),
    #[error("{0}: an import or export that is not written as our modules write theirs, near \"{1}\"")]
    Unknown(String, String),
}
