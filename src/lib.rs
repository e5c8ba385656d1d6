//! shopbell
pub mod api;
pub mod clock;
pub mod config;
pub mod domain;
pub mod service;
pub mod state;
pub mod store;
pub mod web;
