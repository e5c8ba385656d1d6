//! What the law lets the buyers of other shops ask for: that their names are forgotten, and what is kept of them.

use serde_json::json;

use super::{statement, writer::Tx};
use crate::{
    domain::{Offset, SourceId},
    hooks::{ForeignId, Privacy},
    store::StoreError,
};

/// Does what is asked for and says what that was.
pub(super) async fn serve(tx: &mut Tx, source: &SourceId, request: Privacy) -> Result<String, StoreError> {
    let numbers = |orders: &[ForeignId]| json!(orders.iter().map(ForeignId::as_str).collect::<Vec<_>>());
    match request {
        Privacy::ForgetBuyer { orders } => forget_buyers(tx, source, Some(numbers(&orders))).await,
        Privacy::ForgetShop => forget_buyers(tx, source, None).await,
        Privacy::Report { orders } => report(tx, source, numbers(&orders)).await,
    }
}

/// Takes the names of buyers off their orders and alerts, and forgets what was received of these orders.
async fn forget_buyers(
    tx: &mut Tx,
    source: &SourceId,
    numbers: Option<serde_json::Value>,
) -> Result<String, StoreError> {
    let numbers = numbers.map(|numbers| numbers.to_string());
    let forgotten = statement::query(
        "update receipts
         set body = null, headers = null
         where source_id = $1 and (number in (select atom from json_each($2)) or $2 is null);

         update orders
         set buyer = null
         where
             buyer is not null
             and order_id in (
                 select order_id
                 from source_orders
                 where source_id = $1 and (number in (select atom from json_each($2)) or $2 is null)
             )",
    )
    .bind(source.as_str())
    .bind(numbers.clone())
    .execute(&mut tx.conn)
    .await?;
    let unnamed: Vec<i64> = statement::query_scalar(
        "update order_events
         set nickname = null
         where
             nickname is not null
             and order_id in (
                 select order_id
                 from source_orders
                 where source_id = $1 and (number in (select atom from json_each($2)) or $2 is null)
             )
         returning announced_as",
    )
    .bind(source.as_str())
    .bind(numbers)
    .fetch_all(&mut tx.conn)
    .await?;
    let nothing = forgotten.rows_affected() == 0 && unnamed.is_empty();
    tx.news.unnamed.extend(unnamed.into_iter().map(Offset));
    Ok(if nothing {
        "nothing was kept of these buyers"
    } else {
        "what was kept of these buyers is forgotten"
    }
    .to_owned())
}

/// Says what is kept of buyers.
async fn report(tx: &mut Tx, source: &SourceId, numbers: serde_json::Value) -> Result<String, StoreError> {
    let found = statement::query_as::<(String, String)>(
        "select number, buyer
         from source_orders join orders using (order_id)
         where
             source_orders.source_id = $1 and buyer is not null
             and number in (select atom from json_each($2))
         limit 20",
    )
    .bind(source.as_str())
    .bind(numbers.to_string())
    .fetch_all(&mut tx.conn)
    .await?;
    let orders: Vec<_> = found.iter().map(|(number, buyer)| format!("order {number}: {buyer}")).collect();
    Ok(match orders.as_slice() {
        [] => "nothing is kept of this buyer but figures".to_owned(),
        orders => format!("of this buyer a name is kept and nothing else ({})", orders.join(", ")),
    })
}
