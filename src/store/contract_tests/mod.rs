//! What every store keeps, whatever database is behind it. Each sentence here is run on each store by
//! `store_contract!`, on an empty database of its own.

use super::{OrderError, PlacedOrder, Store};
use crate::domain::{
    About, Actor, Basket, Category, Email, Goods, GoodsId, GoodsName, IdempotencyKey, Line, NewGoods,
    NewOrder, NewUser, Nickname, PasswordHash, Price, Quantity, Role, SessionId, Stock, ThumbnailUrl,
    Timestamp, User, UserId,
};

pub(super) mod accounts;
pub(super) mod alerts;
pub(super) mod audit;
pub(super) mod carts;
pub(super) mod catalog;
pub(super) mod deliveries;
pub(super) mod endpoints;
pub(super) mod figures;
pub(super) mod imports;
pub(super) mod leases;
pub(super) mod listen_keys;
pub(super) mod log;
pub(super) mod moderation;
pub(super) mod nul;
pub(super) mod orders;
pub(super) mod personal;
pub(super) mod resets;
pub(super) mod sources;

/// Makes a test of each sentence. `$open` is an async function that gives an empty store and what keeps it alive.
macro_rules! store_contract {
    ($open:path) => {
        $crate::store::contract_tests::store_contract! {
            $open =>
            accounts { an_address_and_a_nickname_are_taken_once
                       a_new_password_ends_the_other_log_ins
                       a_log_in_ends_when_it_is_revoked_or_expires
                       a_setting_keeps_its_first_value
                       what_ended_is_forgotten_a_little_at_a_time
                       a_ban_ends_log_ins_and_allows_none }
            resets { a_link_gives_a_new_password_once_and_ends_log_ins
                     a_link_ends_when_the_account_changes }
            personal { who_hides_purchases_is_not_named_in_past_alerts
                       an_erased_account_leaves_figures_without_a_person
                       what_is_kept_is_read_in_pages
                       an_account_is_changed_by_a_log_in_that_holds }
            catalog { goods_are_listed_newest_first
                      goods_that_are_not_listed_are_known_and_not_sold
                      a_number_of_another_system_makes_goods_once
                      wildcards_are_searched_for_as_they_are
                      a_search_goes_on_in_pages_and_within_a_category
                      an_id_is_given_once
                      an_id_never_means_a_second_thing
                      categories_are_counted
                      goods_change_only_while_they_are_what_was_seen
                      a_stock_changes_by_pieces
                      the_history_of_a_stock_outlives_its_goods
                      only_an_administrator_changes_goods
                      lists_have_an_order_and_filters_that_go_together
                      lists_follow_what_becomes_of_goods
                      a_change_touches_only_what_it_names }
            carts { a_cart_keeps_the_order_of_its_making
                    a_cart_holds_as_many_lines_as_an_order
                    goods_that_are_gone_leave_the_carts
                    a_basket_means_what_the_contract_says }
            orders { fifty_who_want_five_pieces_get_five
                     twenty_repeats_at_once_are_one_order
                     a_repeat_is_answered_as_the_first_time_even_after_a_cancellation
                     a_key_is_not_taken_for_another_order
                     a_refused_order_leaves_nothing_behind
                     a_refusal_does_not_undo_its_neighbours
                     the_feed_tells_in_the_order_of_the_log
                     who_hides_purchases_alerts_nobody
                     an_alert_names_goods_that_may_be_told
                     an_order_is_canceled_once
                     orders_keep_names_and_prices
                     an_order_too_dear_to_count_is_refused
                     a_cancellation_returns_exactly_what_the_order_took
                     an_order_comes_to_what_the_buyer_was_told_or_is_refused
                     who_lost_the_right_neither_orders_nor_cancels
                     orders_of_goods_are_counted_while_they_are_told
                     orders_are_listed_newest_first_with_their_items }
            listen_keys { a_key_is_kept_until_it_is_revoked
                          the_end_of_a_key_is_told_as_that_of_a_log_in
                          there_are_so_many_keys_and_old_ones_are_forgotten
                          only_an_administrator_makes_and_revokes_keys }
            sources { an_order_is_told_once_and_withdrawn_once_in_every_order_of_arrival
                      many_at_once_are_one_order
                      what_is_no_news_is_kept_and_not_told
                      an_alert_is_the_same_live_and_replayed
                      goods_of_others_are_made_once_and_kept_as_the_source_says
                      the_shops_own_goods_are_not_changed_by_a_source
                      a_name_is_forgotten_where_it_was_kept
                      a_cancellation_by_hand_ends_the_order_of_a_source
                      secrets_hold_until_their_moment
                      receipts_are_listed_tried_again_and_forgotten }
            endpoints { an_endpoint_is_made_changed_and_removed
                        news_are_orders_and_goods_in_their_order
                        an_endpoint_is_told_again_from_a_moment
                        goods_events_are_pruned_when_they_were_told_or_are_old }
            deliveries { what_became_of_many_attempts_is_kept_together
                         attempts_of_before_a_replay_move_nothing
                         a_delivery_waits_is_due_and_is_given_up
                         a_delivery_is_sent_again_by_hand
                         old_attempts_are_forgotten_and_deliveries_with_them }
            alerts { settings_are_kept_until_they_are_changed
                     orders_of_silent_categories_are_not_told }
            audit { the_record_is_listed_newest_first_and_searched
                    an_erased_account_did_nothing_that_is_known
                    the_record_is_pruned_by_age_and_by_number }
            imports { a_line_makes_changes_or_leaves_goods
                      only_an_administrator_imports }
            figures { orders_are_counted_by_minute
                      what_the_widget_counts_is_added_up_by_day }
            leases { what_one_node_has_no_other_gets
                     what_is_released_is_anyones
                     who_says_late_what_was_told_moves_no_place_back }
            moderation { a_message_is_reported_once_and_the_newest_reports_are_kept
                         a_report_is_closed_and_silences_its_member
                         the_guests_that_were_muted_lately_are_known
                         an_erased_account_is_in_no_report }
            nul { whoever_looks_for_it_finds_nothing
                  what_was_said_with_it_is_kept }
            log { every_order_and_every_cancellation_is_an_event
                  refusals_leave_no_holes_in_either_count
                  the_log_is_pruned_from_its_beginning
                  numbers_go_on_when_all_is_pruned
                  what_lost_its_alert_is_canceled_in_silence
                  an_epoch_stays_until_it_is_changed }
        }
    };
    ($open:path => $($module:ident { $($sentence:ident)* })*) => {$(
        mod $module {
            $(
                #[tokio::test]
                async fn $sentence() {
                    let (store, _keep) = $open().await;
                    $crate::store::contract_tests::$module::$sentence(&store).await;
                }
            )*
        }
    )*};
}
pub(super) use store_contract;

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_763_686_461_123);

pub(super) async fn a_user(store: &dyn Store, name: &str) -> User {
    let user = NewUser {
        email: Email::parse(&format!("{name}@example.com")).unwrap(),
        nickname: Nickname::parse(name).unwrap(),
        password: PasswordHash(format!("hash of {name}")),
        role: Role::Member,
        created_at: NOW,
    };
    store.create_user(user).await.unwrap()
}

/// Someone with a log-in that holds for a second.
pub(super) async fn logged_in(store: &dyn Store, name: &str, role: Role, n: u8) -> Actor {
    let user = NewUser {
        email: Email::parse(&format!("{name}@example.com")).unwrap(),
        nickname: Nickname::parse(name).unwrap(),
        password: PasswordHash(String::new()),
        role,
        created_at: NOW,
    };
    let user_id = store.create_user(user).await.unwrap().user_id;
    let session = Some(log_in(n));
    let expires_at = Timestamp::from_millis(NOW.as_millis() + 1000);
    assert!(store.open_session(&log_in(n), user_id, NOW, expires_at).await.unwrap());
    Actor { user_id, session }
}

pub(super) fn new_goods(name: &str, minor: i64, stock: Stock) -> NewGoods {
    NewGoods {
        goods_id: None,
        name: GoodsName::parse(name).unwrap(),
        thumbnail_url: ThumbnailUrl::parse_url("/images/a.svg").unwrap(),
        category: Category::parse("drink").unwrap(),
        price: Price { minor, currency: "USD".parse().unwrap() },
        stock,
        about: About::default(),
    }
}

pub(super) async fn some_goods(store: &dyn Store, name: &str, stock: Stock) -> Goods {
    store.create_goods(new_goods(name, 620, stock), None, NOW).await.unwrap()
}

pub(super) fn pieces(n: i64) -> Quantity {
    Quantity::new(n).unwrap()
}

pub(super) fn lines(lines: &[(GoodsId, i64)]) -> Basket {
    let line = |&(goods_id, n): &(GoodsId, i64)| Line { goods_id, quantity: pieces(n) };
    Basket::Lines(lines.iter().map(line).collect())
}

pub(super) fn order(user_id: UserId, basket: Basket, key: Option<IdempotencyKey>) -> NewOrder {
    NewOrder { user_id, session: None, basket, expected_total: None, key, trace: None, at: NOW }
}

pub(super) async fn buy(
    store: &dyn Store,
    user_id: UserId,
    basket: Basket,
) -> Result<PlacedOrder, OrderError> {
    store.record_order(order(user_id, basket, None)).await
}

pub(super) async fn buy_as(
    store: &dyn Store,
    user_id: UserId,
    basket: Basket,
    key: &str,
) -> Result<PlacedOrder, OrderError> {
    let key = Some(IdempotencyKey::parse(key).unwrap());
    store.record_order(order(user_id, basket, key)).await
}

pub(super) async fn stock_of(store: &dyn Store, id: GoodsId) -> Stock {
    store.goods(id).await.unwrap().unwrap().stock
}

pub(super) fn log_in(n: u8) -> SessionId {
    SessionId::from_random([n; 16])
}

/// The oldest and the newest offset.
pub(super) async fn reach(store: &dyn Store) -> (i64, i64) {
    let reach = store.reach().await.unwrap();
    (reach.oldest.0, reach.latest.0)
}
