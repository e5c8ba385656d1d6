//! shopbell
pub mod clock;
pub mod config;
pub mod domain;
pub mod protocol;
pub mod realtime;
pub mod store;
pub mod telemetry;
