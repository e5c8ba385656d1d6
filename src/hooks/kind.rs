//! The kinds of sources.

/// What kind of system a source is: where its signature is, and what its bodies look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// A Shopify shop.
    Shopify,
    /// A WordPress shop with WooCommerce.
    WooCommerce,
    /// An account at Stripe that takes money by Checkout.
    Stripe,
    /// A backend that speaks Standard Webhooks 1.0, or a script with a bearer secret.
    Standard,
}

impl SourceKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Shopify, Self::WooCommerce, Self::Stripe, Self::Standard];

    /// Its name, as it is written in commands, bodies and rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shopify => "shopify",
            Self::WooCommerce => "woocommerce",
            Self::Stripe => "stripe",
            Self::Standard => "standard",
        }
    }

    /// Its name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Shopify => "Shopify",
            Self::WooCommerce => "WooCommerce",
            Self::Stripe => "Stripe",
            Self::Standard => "Standard Webhooks",
        }
    }

    /// Whether the secret is made here and told to the other system. Shopify and Stripe make their own, which is told to
    /// this one.
    #[must_use]
    pub fn makes_secret_here(self) -> bool {
        matches!(self, Self::WooCommerce | Self::Standard)
    }
}

impl std::fmt::Display for SourceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for SourceKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| "a kind of source is shopify, woocommerce, stripe or standard".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_as_it_is_written() {
        for kind in SourceKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert!("Shopify".parse::<SourceKind>().is_err());
    }
}
