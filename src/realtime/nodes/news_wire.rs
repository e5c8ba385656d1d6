//! News as JSON, for other nodes. Nodes of two versions run side by side during an upgrade: fields that are not known are
//! skipped, new ones must have a default, and what a node does not understand it leaves out: of a notification it then has a
//! hole and reads the log.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::items::Items;
use crate::{
    domain::{
        About, Category, Description, Elsewhere, Goods, GoodsAction, GoodsEvent, GoodsId, GoodsName,
        Nickname, Notification, Offset, OrderId, OrderStatus, OwnOrder, PageUrl, Price, Publication,
        SessionId, Sku, ThumbnailUrl, Timestamp, TraceContext, UserId,
    },
    store::feed::News,
};

/// Writes parts of news.
pub(super) fn write(items: &Items<'_>) -> Vec<u8> {
    let wire = WireNews {
        publications: items.publications.iter().map(WirePublication::of).collect(),
        own: items.own.iter().map(WireOrder::of).collect(),
        goods: items.goods.iter().map(WireGoods::of).collect(),
        catalog: items.catalog,
        revoked: items.revoked.iter().map(|id| Cow::Owned(id.to_string())).collect(),
        named: items.named.iter().map(|(id, name)| (id.0, Cow::Borrowed(name.as_str()))).collect(),
        unnamed: items.unnamed.iter().map(|id| id.0).collect(),
        traces: items.traces.iter().map(|(id, trace)| (id.0, Cow::Owned(trace.to_string()))).collect(),
    };
    serde_json::to_vec(&wire).expect("plain fields are always JSON")
}

/// Reads news, as far as they are understood; `None` when they are none.
pub(super) fn read(body: &[u8]) -> Option<News> {
    let wire: WireNews<'_> = serde_json::from_slice(body).ok()?;
    Some(News {
        publications: wire.publications.into_iter().filter_map(WirePublication::publication).collect(),
        own: wire.own.into_iter().filter_map(|order| order.order()).collect(),
        goods: wire.goods.into_iter().filter_map(WireGoods::event).collect(),
        catalog: wire.catalog,
        revoked: wire.revoked.iter().filter_map(|text| SessionId::parse(text)).collect(),
        named: wire
            .named
            .into_iter()
            .map(|(id, name)| (UserId(id), Nickname::trusted(name.into_owned())))
            .collect(),
        unnamed: wire.unnamed.into_iter().map(Offset).collect(),
        traces: wire.traces.iter().filter_map(|(id, text)| trace(*id, text)).collect(),
    })
}

fn trace(id: i64, text: &str) -> Option<(Offset, TraceContext)> {
    TraceContext::parse(text).filter(|(_, is_recorded)| *is_recorded).map(|(trace, _)| (Offset(id), trace))
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct WireNews<'a> {
    #[serde(borrow, skip_serializing_if = "Vec::is_empty")]
    publications: Vec<WirePublication<'a>>,
    #[serde(borrow, skip_serializing_if = "Vec::is_empty")]
    own: Vec<WireOrder<'a>>,
    #[serde(borrow, skip_serializing_if = "Vec::is_empty")]
    goods: Vec<WireGoods<'a>>,
    #[serde(skip_serializing_if = "is_false")]
    catalog: bool,
    #[serde(borrow, skip_serializing_if = "Vec::is_empty")]
    revoked: Vec<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Vec::is_empty")]
    named: Vec<(i64, Cow<'a, str>)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unnamed: Vec<i64>,
    /// Offsets of notifications that are traced, and the step that they follow from as a `traceparent`.
    #[serde(borrow, skip_serializing_if = "Vec::is_empty")]
    traces: Vec<(i64, Cow<'a, str>)>,
}

/// One of `purchase` and `canceled` is there, or something that a later version knows.
#[derive(Serialize, Deserialize)]
struct WirePublication<'a> {
    id: i64,
    date: i64,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    purchase: Option<WirePurchase<'a>>,
    /// The goods, and the offset of what is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    canceled: Option<(i64, i64)>,
}

#[derive(Serialize, Deserialize)]
struct WirePurchase<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    by: Option<Cow<'a, str>>,
    goods: i64,
    #[serde(borrow)]
    name: Cow<'a, str>,
    others: i64,
    quantity: i64,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    url: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    thumbnail: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ordered_at: Option<i64>,
}

/// Text that is borrowed from what is told.
fn text(text: Option<&String>) -> Option<Cow<'_, str>> {
    text.map(|text| Cow::Borrowed(text.as_str()))
}

impl<'a> WirePublication<'a> {
    fn of(publication: &'a Publication) -> Self {
        let (purchase, canceled) = match &publication.notification {
            Notification::Purchase {
                nickname,
                goods_id,
                first_goods_name,
                other_goods,
                quantity,
                elsewhere,
            } => {
                let known = elsewhere.as_deref();
                let purchase = WirePurchase {
                    by: text(nickname.as_ref()),
                    goods: goods_id.0,
                    name: Cow::Borrowed(first_goods_name),
                    others: *other_goods,
                    quantity: *quantity,
                    url: text(known.and_then(|known| known.goods_url.as_ref())),
                    thumbnail: text(known.and_then(|known| known.thumbnail_url.as_ref())),
                    ordered_at: known.and_then(|known| known.ordered_at).map(Timestamp::as_millis),
                };
                (Some(purchase), None)
            }
            Notification::Cancellation { goods_id, canceled } => (None, Some((goods_id.0, canceled.0))),
        };
        Self { id: publication.id.0, date: publication.date.as_millis(), purchase, canceled }
    }

    fn publication(self) -> Option<Publication> {
        let notification = match (self.purchase, self.canceled) {
            (Some(purchase), None) => Notification::Purchase {
                nickname: purchase.by.map(Cow::into_owned),
                goods_id: GoodsId(purchase.goods),
                first_goods_name: purchase.name.into_owned(),
                other_goods: purchase.others,
                quantity: purchase.quantity,
                elsewhere: Elsewhere::of(
                    purchase.url.map(Cow::into_owned),
                    purchase.thumbnail.map(Cow::into_owned),
                    purchase.ordered_at.map(Timestamp::from_millis),
                ),
            },
            (None, Some((goods, canceled))) => {
                Notification::Cancellation { goods_id: GoodsId(goods), canceled: Offset(canceled) }
            }
            _ => return None,
        };
        Some(Publication { id: Offset(self.id), date: Timestamp::from_millis(self.date), notification })
    }
}

#[derive(Serialize, Deserialize)]
struct WireOrder<'a> {
    user: i64,
    order: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    announced_as: Option<i64>,
    #[serde(borrow)]
    status: Cow<'a, str>,
}

impl WireOrder<'_> {
    fn of(order: &OwnOrder) -> Self {
        Self {
            user: order.user_id.0,
            order: order.order_id.0,
            announced_as: order.announced_as.map(|id| id.0),
            status: Cow::Borrowed(order.status.name()),
        }
    }

    fn order(&self) -> Option<OwnOrder> {
        Some(OwnOrder {
            user_id: UserId(self.user),
            order_id: OrderId(self.order),
            announced_as: self.announced_as.map(Offset),
            status: OrderStatus::parse(&self.status).ok()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct WireGoods<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    id: i64,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    thumbnail: Cow<'a, str>,
    #[serde(borrow)]
    category: Cow<'a, str>,
    price: i64,
    #[serde(borrow)]
    currency: Cow<'a, str>,
    stock: Option<i64>,
    #[serde(borrow)]
    sku: Option<Cow<'a, str>>,
    #[serde(borrow)]
    description: Cow<'a, str>,
    #[serde(borrow)]
    url: Option<Cow<'a, str>>,
    announce: bool,
    listed: bool,
    created_at: i64,
    updated_at: i64,
}

impl<'a> WireGoods<'a> {
    fn of(event: &'a GoodsEvent) -> Self {
        let goods = &event.goods;
        Self {
            action: Cow::Borrowed(match event.action {
                GoodsAction::Create => "create",
                GoodsAction::Update => "update",
                GoodsAction::Delete => "delete",
            }),
            id: goods.goods_id.0,
            name: Cow::Borrowed(goods.name.as_str()),
            thumbnail: Cow::Borrowed(goods.thumbnail_url.as_str()),
            category: Cow::Borrowed(goods.category.as_str()),
            price: goods.price.minor,
            currency: Cow::Owned(goods.price.currency.code().to_owned()),
            stock: goods.stock,
            sku: goods.about.sku.as_ref().map(|sku| Cow::Borrowed(sku.as_str())),
            description: Cow::Borrowed(goods.about.description.as_str()),
            url: goods.about.url.as_ref().map(|url| Cow::Borrowed(url.as_str())),
            announce: goods.about.announce,
            listed: goods.about.listed,
            created_at: goods.created_at.as_millis(),
            updated_at: goods.updated_at.as_millis(),
        }
    }

    fn event(self) -> Option<GoodsEvent> {
        let action = match &*self.action {
            "create" => GoodsAction::Create,
            "update" => GoodsAction::Update,
            "delete" => GoodsAction::Delete,
            _ => return None,
        };
        let goods = Goods {
            goods_id: GoodsId(self.id),
            name: GoodsName::trusted(self.name.into_owned()),
            thumbnail_url: ThumbnailUrl::trusted(self.thumbnail.into_owned()),
            category: Category::trusted(self.category.into_owned()),
            price: Price { minor: self.price, currency: self.currency.parse().ok()? },
            stock: self.stock,
            about: About {
                sku: self.sku.map(|sku| Sku::trusted(sku.into_owned())),
                description: Description::trusted(self.description.into_owned()),
                url: self.url.map(|url| PageUrl::trusted(url.into_owned())),
                announce: self.announce,
                listed: self.listed,
            },
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
        };
        Some(GoodsEvent { action, goods })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn news() -> News {
        let publication = |id, notification| Publication {
            id: Offset(id),
            date: Timestamp::from_millis(1_763_686_461_123),
            notification,
        };
        let purchase = |nickname: Option<&str>, elsewhere| Notification::Purchase {
            nickname: nickname.map(str::to_owned),
            goods_id: GoodsId(3),
            first_goods_name: "\"Water\" \u{1F4A7}".to_owned(),
            other_goods: 2,
            quantity: 5,
            elsewhere,
        };
        let at = Timestamp::from_millis(5);
        let about = About { sku: Some(Sku::trusted("A-1".to_owned())), announce: false, ..About::default() };
        let goods = Goods {
            goods_id: GoodsId(3),
            name: GoodsName::trusted("Water".to_owned()),
            thumbnail_url: ThumbnailUrl::trusted("/images/a.svg".to_owned()),
            category: Category::trusted("drink".to_owned()),
            price: Price { minor: 620, currency: "USD".parse().unwrap() },
            stock: Some(4),
            about,
            created_at: at,
            updated_at: at,
        };
        News {
            publications: vec![
                publication(7, purchase(Some("kim"), None)),
                publication(8, purchase(None, Elsewhere::of(Some("https://x/y".to_owned()), None, Some(at)))),
                publication(9, Notification::Cancellation { goods_id: GoodsId(3), canceled: Offset(7) }),
            ],
            own: vec![OwnOrder {
                user_id: UserId(1),
                order_id: OrderId(2),
                announced_as: Some(Offset(7)),
                status: OrderStatus::Placed,
            }],
            goods: vec![GoodsEvent { action: GoodsAction::Update, goods }],
            catalog: true,
            revoked: vec![SessionId::from_random([1; 16])],
            named: vec![(UserId(1), Nickname::trusted("kim".to_owned()))],
            unnamed: vec![Offset(4)],
            traces: vec![(Offset(7), TraceContext::parse(TRACE).unwrap().0)],
        }
    }

    #[test]
    fn news_are_read_as_they_were_written() {
        let news = news();
        let written = write(&Items::of(&news).traced_as(&news.traces));
        assert_eq!(format!("{:?}", read(&written).unwrap()), format!("{news:?}"));
        assert_eq!(write(&Items::of(&News::default())), b"{}");
    }

    #[test]
    fn what_a_later_version_says_is_left_out() {
        let later = br#"{"publications": [
            {"id": 1, "date": 0, "canceled": [1, 2], "why": "late"},
            {"id": 2, "date": 0, "refund": {"goods": 1}}
        ], "own": [{"user": 1, "order": 2, "status": "sent"}], "revoked": ["x"], "coupons": [1]}"#;
        let read = read(later).unwrap();
        assert_eq!(read.publications.iter().map(|one| one.id.0).collect::<Vec<_>>(), [1]);
        assert!(read.own.is_empty() && read.revoked.is_empty());
    }

    #[test]
    fn rubbish_is_no_news() {
        for text in ["", "x", "1", "{\"publications\": 1}", "{\"unnamed\": [\"1\"]}"] {
            assert!(read(text.as_bytes()).is_none(), "{text}");
        }
    }
}
