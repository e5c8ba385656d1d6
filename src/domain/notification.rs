//! Notifications: what the log holds and every session of the audience is told.

use std::sync::Arc;

use super::{GoodsId, Offset, Timestamp, text};

/// What is told of an order. The names are those of the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// Someone ordered.
    Purchase {
        /// Who; `None` for a buyer who is not to be named.
        nickname: Option<String>,
        /// The first of the goods.
        goods_id: GoodsId,
        /// What that is called.
        first_goods_name: String,
        /// How many other goods are in the order.
        other_goods: i64,
        /// Pieces of all goods.
        quantity: i64,
        /// What another shop knows of it.
        elsewhere: Option<Box<Elsewhere>>,
    },
    /// An earlier notification no longer holds.
    Cancellation {
        /// The goods of the notification that it takes back.
        goods_id: GoodsId,
        /// Its offset.
        canceled: Offset,
    },
}

/// What an alert says of goods and orders of another shop, as it was at that moment; one of it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// Where the first goods have a page of their own.
    pub goods_url: Option<String>,
    /// Their picture.
    pub thumbnail_url: Option<String>,
    /// When it was ordered there.
    pub ordered_at: Option<Timestamp>,
}

impl Elsewhere {
    /// `None` where nothing is known.
    #[must_use]
    pub fn of(
        goods_url: Option<String>,
        thumbnail_url: Option<String>,
        ordered_at: Option<Timestamp>,
    ) -> Option<Box<Self>> {
        let known = goods_url.is_some() || thumbnail_url.is_some() || ordered_at.is_some();
        known.then(|| Box::new(Self { goods_url, thumbnail_url, ordered_at }))
    }
}

/// A committed notification: one entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Its place in the log.
    pub id: Offset,
    /// When it was committed, by the server's clock.
    pub date: Timestamp,
    /// What it says.
    pub notification: Notification,
}

impl Publication {
    /// The same of a buyer who is no longer to be named.
    #[must_use]
    pub fn unnamed(&self) -> Self {
        let mut unnamed = self.clone();
        if let Notification::Purchase { nickname, .. } = &mut unnamed.notification {
            *nickname = None;
        }
        unnamed
    }
}

/// What a buyer is called who is not to be named, where no setting says otherwise.
pub const UNNAMED: &str = "***";

/// How buyers are called in alerts.
#[derive(Clone, Debug)]
pub struct Naming {
    /// How those are who have a name.
    pub display: NicknameDisplay,
    /// What those are called who are not to be named.
    pub unnamed: Arc<str>,
}

impl Naming {
    /// What a buyer is called.
    #[must_use]
    pub fn show(&self, nickname: Option<&str>) -> String {
        nickname.map_or_else(|| self.unnamed.as_ref().to_owned(), |nickname| self.display.show(nickname))
    }

    /// The same with names masked.
    #[must_use]
    pub fn masked(&self) -> Self {
        Self { display: NicknameDisplay::Masked, unnamed: Arc::clone(&self.unnamed) }
    }
}

impl From<NicknameDisplay> for Naming {
    fn from(display: NicknameDisplay) -> Self {
        Self { display, unnamed: UNNAMED.into() }
    }
}

/// How a nickname appears in alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NicknameDisplay {
    /// As it is.
    #[default]
    Full,
    /// Its first character and two asterisks, whatever its length.
    Masked,
}

impl NicknameDisplay {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Masked => "masked",
        }
    }

    /// The nickname as others see it.
    #[must_use]
    pub fn show(self, nickname: &str) -> String {
        match self {
            Self::Full => nickname.to_owned(),
            Self::Masked => format!("{}**", text::initial(nickname)),
        }
    }
}
