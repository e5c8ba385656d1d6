//! The events of the log as clients get them: `BUY_GOODS` and `BUY_CANCELED` (docs/contract.md §3), the same payload on
//! every transport and over HTTP.

use serde::Serialize;
use utoipa::{ToSchema, openapi::Object};

use crate::domain::{GoodsId, Naming, Notification, Offset, Publication, Timestamp, schema::one_of};

/// The event's name.
#[must_use]
pub fn event(publication: &Publication) -> &'static str {
    match publication.notification {
        Notification::Purchase { .. } => "BUY_GOODS",
        Notification::Cancellation { .. } => "BUY_CANCELED",
    }
}

/// The names of [`event`], for the documents of the contract.
#[must_use]
pub fn events() -> Object {
    one_of(["BUY_GOODS", "BUY_CANCELED"])
}

/// What [`payload`] writes, for the documents of the contract.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum Payload<'a> {
    /// Of `BUY_GOODS`.
    Purchase(BuyGoods<'a>),
    /// Of `BUY_CANCELED`.
    Cancellation(BuyCanceled),
}

/// The event's payload as JSON.
#[must_use]
pub fn payload(publication: &Publication, naming: &Naming) -> String {
    let Publication { id, date, .. } = *publication;
    let json = match &publication.notification {
        Notification::Purchase { nickname, goods_id, first_goods_name, other_goods, quantity, elsewhere } => {
            let elsewhere = elsewhere.as_deref();
            serde_json::to_string(&BuyGoods {
                nickname: &naming.show(nickname.as_deref()),
                anonymous: nickname.is_none(),
                goods_id: *goods_id,
                goods_name: &summary(first_goods_name, *other_goods),
                date,
                id,
                quantity: *quantity,
                first_goods_name,
                other_goods: *other_goods,
                goods_url: elsewhere.and_then(|elsewhere| elsewhere.goods_url.as_deref()),
                thumbnail_url: elsewhere.and_then(|elsewhere| elsewhere.thumbnail_url.as_deref()),
                ordered_at: elsewhere.and_then(|elsewhere| elsewhere.ordered_at),
            })
        }
        Notification::Cancellation { goods_id, canceled } => {
            serde_json::to_string(&BuyCanceled { id, goods_id: *goods_id, date, canceled: *canceled })
        }
    };
    json.expect("structs of numbers and strings are always JSON")
}

/// Someone ordered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BuyGoods<'a> {
    nickname: &'a str,
    /// Told only where it is so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    anonymous: bool,
    goods_id: GoodsId,
    goods_name: &'a str,
    date: Timestamp,
    id: Offset,
    quantity: i64,
    first_goods_name: &'a str,
    other_goods: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ordered_at: Option<Timestamp>,
}

/// An alert no longer holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BuyCanceled {
    id: Offset,
    goods_id: GoodsId,
    date: Timestamp,
    canceled: Offset,
}

/// The name of an order of several goods: that of the first, and how many others there are.
fn summary(first: &str, others: i64) -> String {
    if others == 0 { first.to_owned() } else { format!("{first} 외 {others}개의 상품") }
}

/// The number of other goods in a name as `BuyGoods` has it; `None` for any other name. Too large a number to count
/// is the largest.
#[must_use]
pub fn other_goods(summary: &str) -> Option<usize> {
    let (_, number) = summary.strip_suffix("개의 상품")?.rsplit_once(" 외 ")?;
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| number.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::NicknameDisplay;

    #[test]
    fn an_alert_of_several_goods_names_the_first_and_counts_the_rest() {
        let publication = Publication {
            id: Offset(41),
            date: Timestamp::from_millis(0),
            notification: Notification::Purchase {
                nickname: Some("kim".into()),
                goods_id: GoodsId(4),
                first_goods_name: "Sparkling water".into(),
                other_goods: 2,
                quantity: 5,
                elsewhere: None,
            },
        };
        assert_eq!(
            payload(&publication, &NicknameDisplay::Masked.into()),
            r#"{"nickname":"k**","goodsId":4,"goodsName":"Sparkling water 외 2개의 상품","date":"1970-01-01T00:00:00.000Z","id":41,"quantity":5,"firstGoodsName":"Sparkling water","otherGoods":2}"#
        );
        let unnamed = payload(&publication.unnamed(), &NicknameDisplay::Masked.into());
        assert!(unnamed.starts_with(r#"{"nickname":"***","anonymous":true,"goodsId":4,"#), "{unnamed}");
        let elsewhere = Publication {
            notification: Notification::Purchase {
                nickname: None,
                goods_id: GoodsId(4),
                first_goods_name: "Tea".into(),
                other_goods: 0,
                quantity: 1,
                elsewhere: crate::domain::Elsewhere::of(
                    Some("https://shop.example/tea".into()),
                    Some("https://shop.example/tea.png".into()),
                    Some(Timestamp::from_millis(1)),
                ),
            },
            ..publication
        };
        assert_eq!(
            payload(&elsewhere, &NicknameDisplay::Full.into()),
            r#"{"nickname":"***","anonymous":true,"goodsId":4,"goodsName":"Tea","date":"1970-01-01T00:00:00.000Z","id":41,"quantity":1,"firstGoodsName":"Tea","otherGoods":0,"goodsUrl":"https://shop.example/tea","thumbnailUrl":"https://shop.example/tea.png","orderedAt":"1970-01-01T00:00:00.001Z"}"#
        );
        assert_eq!(other_goods("Sparkling water 외 2개의 상품"), Some(2));
        assert_eq!([other_goods("Sparkling water"), other_goods(" 외 x개의 상품")], [None, None]);
    }
}
