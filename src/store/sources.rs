//! What a store does for orders of other shops: who may say that something was bought, and what each said.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Denied, StoreError};
use crate::{
    domain::{Actor, Offset, OrderId, SourceId, SourceRecord, SourceSettings, Timestamp, TraceContext},
    hooks::{Secret, SourceKind, Told},
};

/// A source with what it signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What is known of it.
    pub record: SourceRecord,
    /// Of which kind it is.
    pub kind: SourceKind,
    /// Its secrets, the newest first, those that no longer hold among them.
    pub secrets: Vec<KeptSecret>,
}

impl Source {
    /// The secrets that hold at a moment.
    #[must_use]
    pub fn secrets_at(&self, now: Timestamp) -> Vec<Secret> {
        let held = self.secrets.iter().filter(|kept| kept.ends_at.is_none_or(|end| now < end));
        held.map(|kept| kept.secret.clone()).collect()
    }
}

/// A secret of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSecret {
    /// The secret.
    pub secret: Secret,
    /// Since when it holds.
    pub created_at: Timestamp,
    /// When it ceases to; `None` while no other replaces it.
    pub ends_at: Option<Timestamp>,
}

/// Why a source was not changed, or something was not kept of it.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no such source, or no such receipt of it.
    #[error("there is no such source")]
    NotFound,
    /// The caller may not, or no longer.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceiptId(pub i64);

/// How something of a source came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// To our door.
    Hook,
    /// It was fetched.
    Poll,
}

macro_rules! outcomes {
    ($($(#[$doc:meta])* $outcome:ident = $name:literal,)*) => {
        /// What became of a receipt.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Outcome {
            $($(#[$doc])* $outcome,)*
        }

        impl Outcome {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$outcome,)*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$outcome => $name,)*
                }
            }

            /// The one of a name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|outcome| outcome.name() == name)
            }
        }
    };
}

outcomes! {
    /// An order was placed and told.
    Told = "told",
    /// An order that was placed is withdrawn.
    Withdrawn = "withdrawn",
    /// It is kept, and not told.
    Kept = "kept",
    /// It was known already.
    Unchanged = "unchanged",
    /// Goods are new, changed or gone.
    Goods = "goods",
    /// What the law asks for was done.
    Privacy = "privacy",
    /// It means nothing here.
    Ignored = "ignored",
    /// It was signed, and could not be read.
    Malformed = "malformed",
}

/// Something that a source said, and how it came.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Who said it.
    pub source: Arc<Source>,
    /// What; or why it could not be read.
    pub what: Result<Told, String>,
    /// How it came.
    pub via: Via,
    /// What it is about in the source's own words.
    pub topic: Option<String>,
    /// The headers that it is read with, as a JSON object.
    pub headers: Option<String>,
    /// Its bytes, to be read once more; `None` for what is not to be kept.
    pub body: Option<Bytes>,
    /// SHA-256 of its bytes.
    pub digest: String,
    /// The receipt that is tried again.
    pub again: Option<ReceiptId>,
    /// Who tries it again; `None` for the command line, and where nobody does.
    pub by: Option<Actor>,
    /// The step of a trace that it came by.
    pub trace: Option<TraceContext>,
    /// Now.
    pub at: Timestamp,
}

/// What became of it, durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Became {
    /// In a word.
    pub outcome: Outcome,
    /// In a sentence.
    pub why: String,
    /// The order that was placed or withdrawn.
    pub order_id: Option<OrderId>,
    /// The notification that tells it.
    pub notification: Option<Offset>,
}

/// A receipt, as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which.
    pub id: ReceiptId,
    /// When it came.
    pub received_at: Timestamp,
    /// How: `hook` or `poll`.
    pub via: String,
    /// What it is about in the source's own words.
    pub topic: Option<String>,
    /// Of which order of the source.
    pub number: Option<String>,
    /// What became of it.
    pub outcome: String,
    /// Why.
    pub why: String,
    /// Which order of ours it changed.
    pub order_id: Option<OrderId>,
    /// What came, as text, as long as it is kept.
    pub body: Option<String>,
}

/// What a receipt is read again from.
#[derive(Clone, Debug)]
pub struct KeptBody {
    /// How it came.
    pub via: Via,
    /// As [`Heard::topic`].
    pub topic: Option<String>,
    /// As [`Heard::headers`].
    pub headers: Option<String>,
    /// Its bytes.
    pub body: Bytes,
}

/// Which receipts of a source to list, newest first.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptQuery {
    /// Only those of this outcome.
    pub outcome: Option<Outcome>,
    /// Only ids below this one.
    pub before: Option<ReceiptId>,
    /// At most so many.
    pub limit: u32,
}

/// Sources and what they say. Who changes them must still be an administrator when it is done; `None` is the program
/// itself.
#[async_trait]
pub trait SourceStore: Send + Sync + 'static {
    /// Lists sources with their secrets, the oldest first.
    async fn sources(&self) -> Result<Vec<Source>, StoreError>;
    /// Makes a source with its first secret, if there is one yet.
    async fn create_source(
        &self,
        source: SourceRecord,
        kind: SourceKind,
        secret: Option<Secret>,
        by: Option<Actor>,
    ) -> Result<(), SourceError>;
    /// Changes what is set about a source.
    async fn change_source(
        &self,
        id: SourceId,
        settings: SourceSettings,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), SourceError>;
    /// Gives a source another secret; the ones before it hold until a moment.
    async fn add_secret(
        &self,
        id: SourceId,
        secret: Secret,
        others_end: Timestamp,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), SourceError>;
    /// Ends all secrets of a source but the newest.
    async fn drop_old_secrets(
        &self,
        id: SourceId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), SourceError>;
    /// Removes a source: it says nothing more, its secrets and receipts are deleted, its orders stay.
    async fn remove_source(&self, id: SourceId, by: Option<Actor>, now: Timestamp)
    -> Result<(), SourceError>;
    /// Keeps up to where the orders of a source were read.
    async fn keep_poll_cursor(&self, id: SourceId, cursor: String) -> Result<(), SourceError>;

    /// Keeps what a source said: receipt, order, goods and event in the log, all or nothing. Whatever the order of what is
    /// said of one order, and however often, it is told once at most, and withdrawn once at most.
    async fn keep_heard(&self, heard: Heard) -> Result<Became, SourceError>;
    /// Lists receipts of a source, newest first.
    async fn receipts(&self, id: &SourceId, query: ReceiptQuery) -> Result<Vec<Receipt>, StoreError>;
    /// What a receipt is read again from, if that is still kept.
    async fn receipt_body(&self, id: &SourceId, receipt: ReceiptId) -> Result<Option<KeptBody>, SourceError>;
    /// Forgets the bodies of receipts that came before a moment, and the oldest receipts beyond `keep`, a few at a time.
    /// Returns how many.
    async fn forget_receipts(&self, bodies_before: Timestamp, keep: u64) -> Result<u64, StoreError>;
}
