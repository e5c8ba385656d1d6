//! shopbell
pub mod clock;
pub mod domain;
pub mod store;
