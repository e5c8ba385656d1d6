//! The event `BUY` (docs/contract.md §3, "`BUY` rules").

use super::{
    client::Client,
    refusal::{Ack, Refusal, Reply},
};
use crate::{
    clock,
    domain::{
        Actor, Basket, FieldError, Fields, GoodsId, IdempotencyKey, Line, Quantity, TraceContext,
        fields::ReadFields, goods::parse_goods_id,
    },
    protocol::publication::other_goods,
    service::{ServiceError, orders::OrderRequest},
    state::AppState,
    web::{Code, problem::Problem},
};

/// Places an order, in a task that outlives the connection: it is processed even if the client leaves at once.
pub(super) fn buy(client: &Client, fields: Fields, answer: impl FnOnce(Reply) + 'static) {
    let (buyer, wanted) = match read(client, fields) {
        Ok(read) => read,
        Err(refusal) => return answer(Err(refusal)),
    };
    let (bytes, purse) = (wanted.bytes(), client.session.outbox.purse());
    if !client.session.limits.begin_order(bytes, purse) {
        return answer(Err(Refusal::new(Code::TooManyMessages)));
    }
    let client = client.clone();
    let step = client.gateway.app.traces.begin("BUY", || None);
    actix_rt::spawn(async move {
        let _permit = client.session.limits.order_permit().await;
        answer(place(&client.gateway.app, buyer, wanted, step.context()).await.map_err(Into::into));
        drop(step);
        client.session.limits.end_order(bytes);
    });
}

async fn place(
    app: &AppState,
    buyer: Actor,
    wanted: Wanted,
    trace: Option<TraceContext>,
) -> Result<Ack, ServiceError> {
    let basket = wanted.basket.resolve(app).await?;
    let request = OrderRequest { basket, key: wanted.key, expected_total: None, trace };
    let placed = app.orders.place(buyer, request, clock::now()).await?;
    Ok(Ack::Order { order_id: placed.order.order_id, id: placed.notification })
}

fn read(client: &Client, fields: Fields) -> Result<(Actor, Wanted), Refusal> {
    client.gateway.app.readiness.admit()?;
    let login = client.session.login().ok_or_else(Problem::login_required)?;
    client.gateway.app.orders.admit(login.user_id)?;
    let buyer = Actor { user_id: login.user_id, session: Some(login.id) };
    Ok((buyer, Wanted::read(fields).map_err(ServiceError::from)?))
}

/// What a `BUY` asks for. What it says of the buyer is not looked at.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    basket: WantedBasket,
    key: Option<IdempotencyKey>,
}

#[derive(Debug, PartialEq, Eq)]
enum WantedBasket {
    Basket(Basket),
    /// Goods under a name like "Sparkling water 외 2개의 상품": an unmodified page's way to order its cart, unless the
    /// goods are really called so.
    Named {
        goods_id: GoodsId,
        name: String,
        others: usize,
    },
}

impl Wanted {
    fn read(fields: Fields) -> Result<Self, Vec<FieldError>> {
        let basket = WantedBasket::read(&fields);
        let key = fields.optional("idempotencyKey", IdempotencyKey::parse);
        let (basket, key) = fields.finish((basket, key))?;
        Ok(Self { basket, key })
    }
}

impl Wanted {
    /// What it holds while it waits.
    fn bytes(&self) -> usize {
        let inside = match &self.basket {
            WantedBasket::Basket(Basket::Lines(lines)) => std::mem::size_of_val(lines.as_slice()),
            WantedBasket::Basket(_) => 0,
            WantedBasket::Named { name, .. } => name.len(),
        };
        // Its task, with the answer, is about as much again.
        2 * size_of::<Self>() + inside
    }
}

impl WantedBasket {
    fn read(fields: &Fields) -> Result<Self, Vec<FieldError>> {
        if let Some(items) = fields.raw("items") {
            return Ok(Self::Basket(
                Basket::parse_items(items).map_err(|invalid| invalid.in_field("items"))?,
            ));
        }
        let goods_id = fields.required("goodsId", parse_goods_id);
        if fields.has("quantity") {
            let quantity = fields.required("quantity", Quantity::parse);
            let (goods_id, quantity) = (goods_id, quantity).gather()?;
            return Ok(Self::Basket(Basket::Lines(vec![Line { goods_id, quantity }])));
        }
        let (goods_id, name) = (goods_id?, fields.text("goodsName").unwrap_or_default());
        Ok(match other_goods(name) {
            Some(others) => Self::Named { goods_id, name: name.to_owned(), others },
            None => Self::Basket(Basket::Single(goods_id)),
        })
    }

    async fn resolve(self, app: &AppState) -> Result<Basket, ServiceError> {
        let (goods_id, name, others) = match self {
            Self::Basket(basket) => return Ok(basket),
            Self::Named { goods_id, name, others } => (goods_id, name, others),
        };
        let goods = app.store.goods(goods_id).await?;
        let is_own_name = goods.is_some_and(|goods| goods.name.as_str() == name);
        Ok(if is_own_name {
            Basket::Single(goods_id)
        } else {
            Basket::CartOf { goods_id, lines: others.saturating_add(1) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buy(json: &str) -> Option<WantedBasket> {
        let fields = Fields::new(serde_json::from_str(json).unwrap());
        Wanted::read(fields).ok().map(|wanted| wanted.basket)
    }

    #[test]
    fn a_buy_means_what_the_contract_says() {
        let line = |goods_id, n| Line { goods_id: GoodsId(goods_id), quantity: Quantity::new(n).unwrap() };
        let lines = |lines| Some(WantedBasket::Basket(Basket::Lines(lines)));
        assert_eq!(buy(r#"{"goodsId": 4, "quantity": 3}"#), lines(vec![line(4, 3)]));
        assert_eq!(
            buy(r#"{"goodsId": "4", "goodsName": "water"}"#),
            Some(WantedBasket::Basket(Basket::Single(GoodsId(4))))
        );
        let name = "water 외 2개의 상품";
        assert_eq!(
            buy(&format!(r#"{{"goodsId": 4, "goodsName": "{name}"}}"#)),
            Some(WantedBasket::Named { goods_id: GoodsId(4), name: name.into(), others: 2 })
        );
        assert_eq!(
            buy(
                r#"{"items": [{"goodsId": 4, "quantity": 1}, {"goodsId": 5, "quantity": 2}, {"goodsId": 4, "quantity": 1}]}"#
            ),
            lines(vec![line(4, 2), line(5, 2)])
        );
        for bad in [
            "{}",
            r#"{"goodsId": {"$gt": 0}}"#,
            r#"{"goodsId": 4, "quantity": 0}"#,
            r#"{"goodsId": 4, "quantity": 1000}"#,
            r#"{"goodsId": 4, "quantity": 1.5}"#,
            r#"{"items": []}"#,
            r#"{"items": [{"goodsId": 4, "quantity": 999}, {"goodsId": 4, "quantity": 1}]}"#,
            r#"{"items": "4"}"#,
        ] {
            assert_eq!(buy(bad), None, "{bad}");
        }
    }
}
