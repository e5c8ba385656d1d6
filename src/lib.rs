//! shopbell: a self-hosted commerce notification service.
//!
//! # Layout
//!
//! `cli` parses and runs; [`server`] assembles; [`api`] and [`gateway`] are the edges (HTTP, sockets); [`web`] is what
//! all HTTP shares; [`state`] what handlers share; [`figures`] puts numbers together; [`service`] has the use cases; [`socketio`] speaks Socket.IO; [`realtime`] tells sessions; [`store`]
//! keeps everything; [`bus`] carries messages between the nodes of a shop; [`hooks`] reads what other shops say; [`protocol`] has the codecs; [`domain`] the words of the shop. [`clock`], [`config`] and
//! [`telemetry`] are leaves. Imports point down only.
//!
//! # The route of a purchase
//!
//! An order comes in over [`api`] or a socket ([`gateway`]) and ends in [`service::orders::Orders::place`], which hands
//! it to [`store::OrderStore::record_order`]: one transaction holds the order and its notification, and the caller is
//! answered after its COMMIT. The [`store::Feed`] then wakes the [`realtime::Relay`], the only one to broadcast, which
//! sends the notification to the [`realtime::Hub`] of each worker thread; that writes the same bytes to the
//! [`outbox::Outbox`] of every session of the audience. `ARCHITECTURE.md` tells it at length.

pub mod api;
pub mod bus;
pub mod cli;
pub mod clock;
pub mod config;
pub mod contract;
pub mod domain;
pub mod figures;
pub mod gateway;
pub mod hooks;
pub mod limits;
pub mod mail;
pub mod media;
pub mod outbox;
pub mod poll;
pub mod protocol;
pub mod realtime;
pub mod server;
pub mod service;
pub mod socketio;
pub mod state;
pub mod store;
pub mod telemetry;
pub mod transport;
pub mod web;
pub mod webhooks;
