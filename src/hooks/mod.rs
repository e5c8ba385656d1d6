//! What other systems say of orders and goods, turned into the words of the shop: headers and bytes in, "this order was
//! paid", "withdrawn" or "nothing, because …" out. No I/O, no clock, no database: whoever calls brings the moment and the
//! secrets, and decides what becomes of what was said.
//!
//! Each kind of source is one file, which knows where its signature is and what its bodies mean. [`hear`] is the door for
//! what came over the network; [`read`] reads once more what came through it before.

mod entities;
mod foreign;
mod incoming;
mod json;
mod kind;
mod money;
mod secret;
mod shopify;
mod signature;
mod standard;
mod stripe;
mod told;
mod woocommerce;

pub use self::{
    foreign::{ForeignId, WebUrl},
    incoming::{Incoming, Refusal},
    kind::SourceKind,
    secret::Secret,
    told::{Buyer, Privacy, State, Told, ToldGoods, ToldLine, ToldOrder},
    woocommerce::{PAGED_HEADERS, PagedOrder, paged_orders},
};

/// Checks who sent a request and says what it means.
///
/// [`Told::Ping`] alone may come unsigned, and is worth nothing but an answer: nothing should be kept of it.
///
/// # Errors
/// [`Refusal::BadSignature`] where none of the secrets signed it, or not now; else as [`read`].
pub fn hear(kind: SourceKind, secrets: &[Secret], incoming: &Incoming<'_>) -> Result<Told, Refusal> {
    verify(kind, secrets, incoming)?;
    read(kind, incoming)
}

/// Whether a request was signed by one of a source's secrets: over the bytes as they came, in constant time.
///
/// # Errors
/// [`Refusal::BadSignature`].
pub fn verify(kind: SourceKind, secrets: &[Secret], incoming: &Incoming<'_>) -> Result<(), Refusal> {
    match kind {
        SourceKind::Shopify => shopify::verify(secrets, incoming),
        SourceKind::WooCommerce => woocommerce::verify(secrets, incoming),
        SourceKind::Stripe => stripe::verify(secrets, incoming),
        SourceKind::Standard => standard::verify(secrets, incoming),
    }
}

/// What a request that was verified means; headers beyond [`headers_read`] do not matter to it.
///
/// # Errors
/// [`Refusal::Malformed`] where the body is not what this kind of source sends.
pub fn read(kind: SourceKind, incoming: &Incoming<'_>) -> Result<Told, Refusal> {
    match kind {
        SourceKind::Shopify => shopify::read(incoming),
        SourceKind::WooCommerce => woocommerce::read(incoming),
        SourceKind::Stripe => stripe::read(incoming),
        SourceKind::Standard => standard::read(incoming),
    }
}

/// The headers that say what a body means, in lower case: what has to be kept beside a body that is to be read again.
#[must_use]
pub fn headers_read(kind: SourceKind) -> &'static [&'static str] {
    match kind {
        SourceKind::Shopify => &["x-shopify-topic", "x-shopify-test", "x-shopify-shop-domain"],
        SourceKind::WooCommerce => &["x-wc-webhook-topic"],
        SourceKind::Stripe | SourceKind::Standard => &[],
    }
}
