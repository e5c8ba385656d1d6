//! A shop with a dispatcher and a clock that goes on when it is told to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use super::super::{Client, Dispatcher, Pace};
use crate::{
    domain::{
        About, Actor, Attempt, Basket, Category, Delivery, Email, Endpoint, EndpointId, EndpointSecret,
        EndpointUrl, GoodsId, GoodsName, Line, NewEndpoint, NewGoods, NewOrder, NewUser, Nickname, OrderId,
        PasswordHash, Price, Quantity, Role, Stock, ThumbnailUrl, Timestamp, Topics, UserId, UserPatch,
    },
    service::leases::{Leases, Terms},
    store::{self, Store},
};

pub(super) const ALL: &str = "order.placed,order.canceled,goods.updated,stock.low";

pub(super) struct Shop {
    pub(super) store: Arc<dyn Store>,
    clock: Arc<AtomicI64>,
    dispatcher: Option<Dispatcher>,
    _folder: tempfile::TempDir,
}

impl Shop {
    pub(super) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("shop.db").display());
        let store = store::open(&url, "USD".parse().unwrap()).await.unwrap();
        let clock = Arc::new(AtomicI64::new(1_763_686_461_123));
        Self { store, clock, dispatcher: None, _folder: folder }
    }

    /// With a dispatcher at work.
    pub(super) async fn serving() -> Self {
        let mut shop = Self::open().await;
        shop.start();
        shop
    }

    pub(super) fn start(&mut self) {
        self.dispatcher =
            Some(self.node(Leases::new(self.store.clone(), "a".to_owned(), "endpoint", Terms::default())));
    }

    /// A dispatcher beside others.
    pub(super) fn node(&self, leases: Leases) -> Dispatcher {
        let clock = Arc::clone(&self.clock);
        let now = Arc::new(move || Timestamp::from_millis(clock.load(Ordering::Relaxed)));
        let pace = Pace { now, tick: Duration::from_millis(5) };
        Dispatcher::start(Arc::clone(&self.store), Client::new(true), pace, leases).unwrap()
    }

    pub(super) async fn stop(&mut self) -> bool {
        self.dispatcher.take().unwrap().stop(Duration::from_secs(5)).await
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.load(Ordering::Relaxed))
    }

    pub(super) fn pass(&self, time: Duration) {
        self.clock.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    pub(super) async fn endpoint(&self, url: &str, topics: &str) -> Endpoint {
        let endpoint = NewEndpoint {
            url: EndpointUrl::parse(url).unwrap(),
            topics: Topics::parse(topics).unwrap(),
            secret: EndpointSecret::trusted("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()),
        };
        self.store.create_endpoint(endpoint, None, self.now()).await.unwrap()
    }

    pub(super) async fn reload(&self, id: EndpointId) -> Endpoint {
        self.store.endpoint(id).await.unwrap().unwrap()
    }

    pub(super) async fn user(&self, name: &str, hides: bool) -> UserId {
        let user = NewUser {
            email: Email::parse(&format!("{name}@example.com")).unwrap(),
            nickname: Nickname::parse(name).unwrap(),
            password: PasswordHash(String::new()),
            role: Role::Member,
            created_at: self.now(),
        };
        let id = self.store.create_user(user).await.unwrap().user_id;
        if hides {
            let patch = UserPatch { hide_purchases: Some(true), ..UserPatch::default() };
            self.store
                .change_user(Actor { user_id: id, session: None }, patch, None, self.now())
                .await
                .unwrap();
        }
        id
    }

    pub(super) async fn goods(&self, name: &str, stock: Stock) -> GoodsId {
        let goods = NewGoods {
            goods_id: None,
            name: GoodsName::parse(name).unwrap(),
            thumbnail_url: ThumbnailUrl::parse_url("/images/a.svg").unwrap(),
            category: Category::parse("drink").unwrap(),
            price: Price { minor: 620, currency: "USD".parse().unwrap() },
            stock,
            about: About::default(),
        };
        self.store.create_goods(goods, None, self.now()).await.unwrap().goods_id
    }

    pub(super) async fn order(&self, user_id: UserId, goods_id: GoodsId, pieces: i64) -> OrderId {
        let quantity = Quantity::new(pieces).unwrap();
        let order = NewOrder {
            user_id,
            session: None,
            basket: Basket::Lines(vec![Line { goods_id, quantity }]),
            expected_total: None,
            key: None,
            trace: None,
            at: self.now(),
        };
        self.store.record_order(order).await.unwrap().order.order_id
    }

    /// An endpoint's deliveries, oldest first.
    pub(super) async fn deliveries(&self, id: EndpointId) -> Vec<Delivery> {
        let mut found = self.store.deliveries(id, None, None, 1000).await.unwrap();
        found.reverse();
        found
    }

    pub(super) async fn attempts(&self, delivery: &Delivery) -> Vec<Attempt> {
        self.store.delivery(delivery.endpoint_id, delivery.delivery_id).await.unwrap().unwrap().1
    }
}

/// Looks again and again until something is there.
pub(super) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found).await.unwrap_or_else(|_| panic!("in time: {what}"))
}

/// Looks again and again until it holds.
pub(super) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    until(what, async || holds().await.then_some(())).await;
}
