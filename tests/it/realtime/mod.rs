//! The plain WebSocket of docs/contract.md §3 and §3b: who hears what, what a message may ask for, and how sessions end.

mod alerts;
mod buying;
mod company;
mod endings;
mod languages;
mod moderation;
mod raw;
mod silence;

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

struct Shop {
    app: TestApp,
    admin: Person,
    kim: Person,
    lee: Person,
    water: i64,
    tea: i64,
}

async fn shop() -> Shop {
    stocked(TestApp::spawn().await).await
}

async fn stocked(app: TestApp) -> Shop {
    let (admin, kim, lee) = (app.admin().await, app.member("kim").await, app.member("lee").await);
    let (water, tea) =
        (app.goods(&admin, "Water", 6.2, None).await, app.goods(&admin, "Tea", 3.0, None).await);
    Shop { app, admin, kim, lee, water, tea }
}

impl Shop {
    async fn in_cart(&self, goods_id: i64, quantity: i64) {
        let path = format!("/api/goods/{goods_id}/cart");
        self.app.put(&path).by(&self.kim).json(&json!({"quantity": quantity})).send().await.expect(200);
    }

    async fn cart_lines(&self) -> usize {
        let answer = self.app.get("/api/goods/cart").by(&self.kim).send().await.expect(200);
        answer.json["cart"].as_array().unwrap().len()
    }

    /// Pieces of the goods in kim's newest order.
    async fn newest_order(&self) -> Value {
        self.app.get("/api/orders?limit=1").by(&self.kim).send().await.expect(200).json["orders"][0]["items"]
            .clone()
    }
}
