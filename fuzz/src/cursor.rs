//! Where lists and the log go on: ids, cursors, `limit`, `?after=`, `Last-Event-ID`, and what CONNECT brings to resume.

use shopbell::{
    domain::{GoodsId, GoodsSort, Offset, OrderId, UserId, goods::parse_chosen_id, id::MAX_SAFE_INTEGER},
    gateway::{Pid, resume, socketio::Auth},
    web::params,
};

fn in_range(id: i64) -> bool {
    (1..=MAX_SAFE_INTEGER).contains(&id)
}

fn check_offset(offset: Offset) {
    assert!(offset == Offset::START || in_range(offset.0));
    assert_eq!(Offset::parse(&offset.to_string()), Some(offset));
}

/// Checks one input.
pub fn check(input: &[u8]) {
    if let Some(offset) = resume::last_event_id(&super::headers("last-event-id", input)) {
        check_offset(offset);
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Some(offset) = Offset::parse(text) {
        check_offset(offset);
        let cursor = resume::from_query(&format!("x&after={text}")).ok().flatten();
        assert_eq!(cursor.map(|cursor| cursor.after), Some(offset));
    }
    if let Ok(Some(cursor)) = resume::from_query(text) {
        check_offset(cursor.after);
    }
    let ids = [
        GoodsId::parse(text).map(|id| id.0),
        OrderId::parse(text).map(|id| id.0),
        UserId::parse(text).map(|id| id.0),
        params::cursor(OrderId::parse)(text).ok().map(|id| id.0),
    ];
    assert!(ids.iter().all(|id| *id == ids[0] && id.is_none_or(in_range)));
    assert!(parse_chosen_id(text).is_ok() == ids[0].is_some_and(|id| id <= 1 << 52));
    assert!(params::limit(100)(text).map_or(true, |limit| (1..=100).contains(&limit)));
    for sort in ["newest", "priceAsc", "priceDesc", "name"] {
        let sort = GoodsSort::parse(sort).unwrap_or_default();
        let Some(place) = sort.going_on(text) else { continue };
        let written = serde_json::to_value(&place).unwrap_or_default();
        let written = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
        assert_eq!(sort.going_on(&written), Some(place), "{text}");
    }
    let auth = Auth::read(Some(text));
    assert!(auth.token().is_none_or(|token| !token.is_empty() && token.len() <= text.len()));
    if let Some((pid, offset)) = auth.resume() {
        assert_eq!(Pid::parse(&pid.to_string()), Some(pid));
        check_offset(offset);
    }
}
