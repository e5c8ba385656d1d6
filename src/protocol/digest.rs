//! What a burst is told as: one event `BUY_DIGEST` for a stretch of the log instead of an event for each alert
//! (docs/contract.md §3, "Bursts").

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::publication;
use crate::domain::{GoodsId, Naming, Notification, Offset, Publication, Timestamp};

/// The event.
const EVENT: &str = "BUY_DIGEST";
/// Goods that a digest names.
const GOODS: usize = 3;

/// What a stretch of the log tells, as one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BuyDigest<'a> {
    from: Offset,
    to: Offset,
    count: usize,
    buyers: usize,
    nickname: &'a str,
    /// Told only where it is so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    anonymous: bool,
    goods_id: GoodsId,
    goods_name: &'a str,
    /// Three at most.
    goods: Vec<GoodsCount<'a>>,
    date: Timestamp,
}

/// How often goods were bought in a burst.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GoodsCount<'a> {
    goods_id: GoodsId,
    goods_name: &'a str,
    count: usize,
}

/// One purchase of a burst.
#[derive(Clone, Copy)]
struct Purchase<'a> {
    told: &'a Publication,
    nickname: Option<&'a str>,
    goods_id: GoodsId,
    goods_name: &'a str,
}

impl<'a> Purchase<'a> {
    fn of(told: &'a Publication) -> Option<Self> {
        let Notification::Purchase { nickname, goods_id, first_goods_name, .. } = &told.notification else {
            return None;
        };
        Some(Self { told, nickname: nickname.as_deref(), goods_id: *goods_id, goods_name: first_goods_name })
    }
}

/// Tells consecutive publications, oldest first, as a burst: `put` gets each event with its payload and the offset up to
/// which it tells. Purchases that were canceled among them are told no more than their cancellations are; a cancellation
/// of what was told before is told by itself, between a digest of what came before it and one of what came after, so
/// that each event is a place to resume from. One purchase alone is told as what it is.
pub fn tell(publications: &[&Publication], naming: &Naming, mut put: impl FnMut(&'static str, &str, Offset)) {
    let Some(first) = publications.first().map(|first| first.id) else { return };
    let withdrawn: HashSet<Offset> = publications.iter().filter_map(|told| canceled(told)).collect();
    let is_outside = |told: &&Publication| canceled(told).is_some_and(|canceled| canceled < first);
    for stretch in publications.chunk_by(|one, next| !is_outside(one) && !is_outside(next)) {
        if let [alone] = stretch
            && is_outside(alone)
        {
            put(publication::event(alone), &publication::payload(alone, naming), alone.id);
            continue;
        }
        let bought: Vec<_> = stretch
            .iter()
            .filter(|told| !withdrawn.contains(&told.id))
            .filter_map(|told| Purchase::of(told))
            .collect();
        match (&bought[..], stretch) {
            ([], _) | (_, []) => {}
            ([one], _) => {
                put(publication::event(one.told), &publication::payload(one.told, naming), one.told.id);
            }
            (bought, [from, .., to]) => put(EVENT, &digest(bought, (from.id, to.id), naming), to.id),
            // Several purchases are more than one publication.
            (_, [_]) => {}
        }
    }
}

fn canceled(told: &Publication) -> Option<Offset> {
    match told.notification {
        Notification::Cancellation { canceled, .. } => Some(canceled),
        Notification::Purchase { .. } => None,
    }
}

fn digest(bought: &[Purchase<'_>], (from, to): (Offset, Offset), naming: &Naming) -> String {
    let mut goods = most_bought(bought);
    goods.truncate(GOODS);
    let (goods_id, goods_name) =
        goods.first().map_or((GoodsId(0), ""), |most| (most.goods_id, most.goods_name));
    // Whoever is named has bought what is named.
    let newest = bought.iter().rev().filter(|purchase| purchase.goods_id == goods_id);
    let nickname = newest.filter_map(|purchase| purchase.nickname).next();
    let named: HashSet<&str> = bought.iter().filter_map(|purchase| purchase.nickname).collect();
    let unnamed = bought.iter().filter(|purchase| purchase.nickname.is_none()).count();
    let json = serde_json::to_string(&BuyDigest {
        from,
        to,
        count: bought.len(),
        // Those who are not to be named cannot be told apart.
        buyers: named.len() + unnamed,
        nickname: &naming.show(nickname),
        anonymous: nickname.is_none(),
        goods_id,
        goods_name,
        goods,
        date: bought.last().map_or(Timestamp::MAX, |newest| newest.told.date),
    });
    json.expect("structs of numbers and strings are always JSON")
}

/// The goods of a burst, those that were bought most often first; of several alike, what was bought last.
fn most_bought<'a>(bought: &[Purchase<'a>]) -> Vec<GoodsCount<'a>> {
    let mut counts: HashMap<GoodsId, (usize, usize, &str)> = HashMap::new();
    for (place, purchase) in bought.iter().enumerate() {
        let (count, last, name) = counts.entry(purchase.goods_id).or_default();
        (*count, *last, *name) = (*count + 1, place, purchase.goods_name);
    }
    let mut goods: Vec<_> = counts.into_iter().collect();
    goods.sort_unstable_by_key(|(_, (count, last, _))| std::cmp::Reverse((*count, *last)));
    let count = |(goods_id, (count, _, goods_name))| GoodsCount { goods_id, goods_name, count };
    goods.into_iter().map(count).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::NicknameDisplay;

    fn bought(id: i64, nickname: Option<&str>, goods: (i64, &str)) -> Publication {
        let notification = Notification::Purchase {
            nickname: nickname.map(str::to_owned),
            goods_id: GoodsId(goods.0),
            first_goods_name: goods.1.to_owned(),
            other_goods: 1,
            quantity: 2,
            elsewhere: None,
        };
        Publication { id: Offset(id), date: Timestamp::from_millis(id), notification }
    }

    fn withdrawn(id: i64, canceled: i64) -> Publication {
        let notification = Notification::Cancellation { goods_id: GoodsId(1), canceled: Offset(canceled) };
        Publication { id: Offset(id), date: Timestamp::from_millis(id), notification }
    }

    fn told(publications: &[Publication], display: NicknameDisplay) -> Vec<(&'static str, Value, i64)> {
        let mut events = Vec::new();
        let publications: Vec<_> = publications.iter().collect();
        tell(&publications, &display.into(), |event, payload, offset| {
            events.push((event, serde_json::from_str(payload).unwrap(), offset.0));
        });
        events
    }

    const WATER: (i64, &str) = (1, "Water");
    const TEA: (i64, &str) = (2, "Tea");

    #[test]
    fn a_burst_names_what_was_bought_most_and_someone_who_bought_it() {
        let burst = [
            bought(6, Some("kim"), WATER),
            bought(7, Some("lee"), TEA),
            bought(8, Some("kim"), WATER),
            bought(9, None, WATER),
            bought(10, None, (3, "Ice")),
            bought(11, Some("choi"), (4, "Nuts")),
        ];
        let digest = json!({
            "from": 6, "to": 11, "count": 6, "buyers": 5, "nickname": "kim", "goodsId": 1, "goodsName": "Water",
            "goods": [
                {"goodsId": 1, "goodsName": "Water", "count": 3},
                {"goodsId": 4, "goodsName": "Nuts", "count": 1},
                {"goodsId": 3, "goodsName": "Ice", "count": 1},
            ],
            "date": "1970-01-01T00:00:00.011Z",
        });
        assert_eq!(told(&burst, NicknameDisplay::Full), [("BUY_DIGEST", digest, 11)]);
        let masked = told(&burst, NicknameDisplay::Masked).remove(0).1;
        assert_eq!((&masked["nickname"], &masked["buyers"]), (&json!("k**"), &json!(5)));
        let unnamed = told(&[bought(1, None, TEA), bought(2, None, TEA)], NicknameDisplay::Full).remove(0).1;
        assert_eq!((&unnamed["nickname"], &unnamed["anonymous"]), (&json!("***"), &json!(true)));
    }

    #[test]
    fn what_was_canceled_in_a_burst_is_not_counted() {
        let burst = [
            bought(6, Some("kim"), WATER),
            bought(7, Some("lee"), TEA),
            withdrawn(8, 6),
            bought(9, Some("lee"), TEA),
            withdrawn(10, 9),
            bought(11, Some("choi"), TEA),
        ];
        let events = told(&burst, NicknameDisplay::Full);
        assert_eq!((events.len(), events[0].0, events[0].2), (1, "BUY_DIGEST", 11));
        assert_eq!((&events[0].1["count"], &events[0].1["buyers"]), (&json!(2), &json!(2)));
        // What is left of it is one purchase, or none.
        let events = told(&burst[..3], NicknameDisplay::Full);
        assert_eq!((events.len(), events[0].0, events[0].2), (1, "BUY_GOODS", 7));
        assert_eq!(told(&[bought(6, None, TEA), withdrawn(7, 6)], NicknameDisplay::Full), []);
        assert_eq!(told(&[], NicknameDisplay::Full), []);
    }

    #[test]
    fn a_cancellation_of_what_was_told_before_is_told_by_itself_and_in_its_place() {
        let burst = [
            bought(6, Some("kim"), WATER),
            bought(7, Some("kim"), WATER),
            withdrawn(8, 3),
            withdrawn(9, 4),
            bought(10, Some("lee"), TEA),
            withdrawn(11, 6),
            bought(12, Some("lee"), TEA),
        ];
        let events = told(&burst, NicknameDisplay::Full);
        let told: Vec<_> = events.iter().map(|(event, _, offset)| (*event, *offset)).collect();
        assert_eq!(told, [("BUY_GOODS", 7), ("BUY_CANCELED", 8), ("BUY_CANCELED", 9), ("BUY_DIGEST", 12)]);
        assert_eq!((&events[1].1["canceled"], &events[3].1["from"]), (&json!(3), &json!(10)));
        assert_eq!(events[3].1["count"], 2);
    }
}
