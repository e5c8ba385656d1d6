//! Carts, and what a basket means for them.

use super::*;
use crate::{domain::order::MAX_LINES, store::CatalogError};

async fn cart(store: &dyn Store, user: UserId) -> Vec<(i64, i64)> {
    let lines = store.cart(user).await.unwrap();
    lines.iter().map(|line| (line.goods.goods_id.0, line.quantity.get())).collect()
}

/// Goods 1, 2 and 3, and a user.
async fn shop(store: &dyn Store) -> UserId {
    for name in ["one", "two", "three"] {
        some_goods(store, name, None).await;
    }
    a_user(store, "kim").await.user_id
}

pub(in crate::store) async fn a_cart_keeps_the_order_of_its_making(store: &dyn Store) {
    let kim = shop(store).await;
    store.put_in_cart(kim, GoodsId(2), pieces(1)).await.unwrap();
    store.add_to_cart(kim, GoodsId(3), pieces(2)).await.unwrap();
    store.put_in_cart(kim, GoodsId(1), pieces(3)).await.unwrap();
    store.put_in_cart(kim, GoodsId(2), pieces(9)).await.unwrap();
    assert_eq!(cart(store, kim).await, [(2, 9), (3, 2), (1, 3)]);
    let held = store.add_to_cart(kim, GoodsId(3), pieces(1)).await;
    assert!(matches!(held, Err(CatalogError::AlreadyInCart)), "{held:?}");
    for missing in [
        store.put_in_cart(kim, GoodsId(9), pieces(1)).await,
        store.add_to_cart(kim, GoodsId(9), pieces(1)).await,
    ] {
        assert!(matches!(missing, Err(CatalogError::NotFound)), "{missing:?}");
    }
    for _ in 0..2 {
        store.remove_from_cart(kim, GoodsId(3)).await.unwrap();
    }
    assert_eq!(cart(store, kim).await, [(2, 9), (1, 3)]);
    assert_eq!(cart(store, UserId(99)).await, []);
}

pub(in crate::store) async fn a_cart_holds_as_many_lines_as_an_order(store: &dyn Store) {
    let kim = a_user(store, "kim").await.user_id;
    for n in 1..=MAX_LINES + 1 {
        let goods = some_goods(store, &format!("goods {n}"), None).await.goods_id;
        let put = store.put_in_cart(kim, goods, pieces(1)).await;
        assert_eq!(put.is_ok(), n <= MAX_LINES, "{n}: {put:?}");
        assert!(n <= MAX_LINES || matches!(put, Err(CatalogError::CartFull)));
    }
    let added = store.add_to_cart(kim, GoodsId(101), pieces(1)).await;
    assert!(matches!(added, Err(CatalogError::CartFull)), "{added:?}");
    store.put_in_cart(kim, GoodsId(7), pieces(2)).await.expect("a line that is there can change");
    assert_eq!(buy(store, kim, Basket::Cart).await.unwrap().order.items.len(), MAX_LINES);
}

pub(in crate::store) async fn goods_that_are_gone_leave_the_carts(store: &dyn Store) {
    let kim = shop(store).await;
    store.put_in_cart(kim, GoodsId(1), pieces(1)).await.unwrap();
    store.put_in_cart(kim, GoodsId(2), pieces(1)).await.unwrap();
    store.delete_goods(GoodsId(1), None, None, NOW).await.unwrap();
    assert_eq!(cart(store, kim).await, [(2, 1)]);
}

pub(in crate::store) async fn a_basket_means_what_the_contract_says(store: &dyn Store) {
    let kim = shop(store).await;
    let of = |goods, count| Basket::CartOf { goods_id: GoodsId(goods), lines: count };
    let single = |goods| Basket::Single(GoodsId(goods));
    // What the cart holds, what is ordered, the lines that come of it or the refusal, and whether the cart is emptied.
    type Row<'a> = (&'a [(i64, i64)], Basket, Result<&'a [(i64, i64)], &'a str>, bool);
    let table: [Row<'_>; 12] = [
        (&[(2, 5)], lines(&[(GoodsId(2), 1)]), Ok(&[(2, 1)]), false),
        (&[(3, 5), (1, 2)], Basket::Cart, Ok(&[(3, 5), (1, 2)]), true),
        (&[], Basket::Cart, Err("the cart is empty"), false),
        (&[(3, 5), (1, 2)], of(1, 2), Ok(&[(3, 5), (1, 2)]), true),
        (&[(3, 5), (1, 2)], of(1, 3), Err("the cart has changed"), false),
        (&[(3, 5), (1, 2)], of(2, 2), Err("the cart has changed"), false),
        (&[], of(2, 2), Err("the cart has changed"), false),
        (&[(2, 5)], single(2), Ok(&[(2, 5)]), true),
        (&[(2, 5)], single(1), Ok(&[(1, 1)]), false),
        (&[(2, 5), (1, 2)], single(2), Ok(&[(2, 1)]), false),
        (&[], single(2), Ok(&[(2, 1)]), false),
        (&[], single(9), Err("there are no goods 9"), false),
    ];
    for (held, basket, expected, empties) in table {
        for goods in [1, 2, 3].map(GoodsId) {
            store.remove_from_cart(kim, goods).await.unwrap();
        }
        for &(goods, n) in held {
            store.put_in_cart(kim, GoodsId(goods), pieces(n)).await.unwrap();
        }
        let row = format!("{held:?} {basket:?}");
        let outcome = buy(store, kim, basket).await.map_err(|error| error.to_string());
        let ordered = outcome.map(|placed| {
            placed.order.items.iter().map(|item| (item.goods_id.0, item.quantity.get())).collect::<Vec<_>>()
        });
        assert_eq!(ordered, expected.map(<[_]>::to_vec).map_err(str::to_owned), "{row}");
        assert_eq!(cart(store, kim).await, if empties { &[] } else { held }, "{row}");
    }
}
