//! Notifications: what the log holds and every session of the audience is told.

use serde::Serialize;

use super::{GoodsId, Offset, Timestamp};

/// What is told of an order. The names are those of the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// Someone ordered.
    Purchase {
        /// Who.
        nickname: String,
        /// The first of the goods.
        goods_id: GoodsId,
        /// What that is called.
        first_goods_name: String,
        /// How many other goods are in the order.
        other_goods: i64,
        /// Pieces of all goods.
        quantity: i64,
    },
    /// An earlier notification no longer holds.
    Cancellation {
        /// The goods of the notification that it takes back.
        goods_id: GoodsId,
        /// Its offset.
        canceled: Offset,
    },
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
    /// The nickname as others see it.
    #[must_use]
    pub fn show(self, nickname: &str) -> String {
        match self {
            Self::Full => nickname.to_owned(),
            Self::Masked => nickname.chars().take(1).chain("**".chars()).collect(),
        }
    }
}

impl Publication {
    /// The event's name on every transport.
    #[must_use]
    pub fn event(&self) -> &'static str {
        match self.notification {
            Notification::Purchase { .. } => "BUY_GOODS",
            Notification::Cancellation { .. } => "BUY_CANCELED",
        }
    }

    /// The event's payload on every transport, as JSON.
    #[must_use]
    pub fn payload(&self, display: NicknameDisplay) -> String {
        let json = match &self.notification {
            Notification::Purchase { nickname, goods_id, first_goods_name, other_goods, quantity } => {
                serde_json::to_string(&BuyGoods {
                    nickname: &display.show(nickname),
                    goods_id: *goods_id,
                    goods_name: &super::order::summary(
                        first_goods_name,
                        usize::try_from(*other_goods).unwrap_or_default(),
                    ),
                    date: self.date,
                    id: self.id,
                    quantity: *quantity,
                    first_goods_name,
                    other_goods: *other_goods,
                })
            }
            Notification::Cancellation { goods_id, canceled } => serde_json::to_string(&BuyCanceled {
                id: self.id,
                goods_id: *goods_id,
                date: self.date,
                canceled: *canceled,
            }),
        };
        json.expect("structs of numbers and strings are always JSON")
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BuyGoods<'a> {
    nickname: &'a str,
    goods_id: GoodsId,
    goods_name: &'a str,
    date: Timestamp,
    id: Offset,
    quantity: i64,
    first_goods_name: &'a str,
    other_goods: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BuyCanceled {
    id: Offset,
    goods_id: GoodsId,
    date: Timestamp,
    canceled: Offset,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_of_several_goods_names_the_first_and_counts_the_rest() {
        let publication = Publication {
            id: Offset(41),
            date: Timestamp::from_millis(0),
            notification: Notification::Purchase {
                nickname: "kim".into(),
                goods_id: GoodsId(4),
                first_goods_name: "Sparkling water".into(),
                other_goods: 2,
                quantity: 5,
            },
        };
        assert_eq!(
            publication.payload(NicknameDisplay::Masked),
            r#"{"nickname":"k**","goodsId":4,"goodsName":"Sparkling water 외 2개의 상품","date":"1970-01-01T00:00:00.000Z","id":41,"quantity":5,"firstGoodsName":"Sparkling water","otherGoods":2}"#
        );
    }
}
