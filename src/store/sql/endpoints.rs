//! Endpoints: who is told what, and how far. What became of each delivery is in `deliveries`.

use async_trait::async_trait;
use serde_json::json;

use super::{SqlStore, audit::record, authority, news, news_rows::EndpointRow, statement, writer::Tx};
use crate::{
    domain::{Actor, Endpoint, EndpointId, EndpointPatch, EndpointSecret, NewEndpoint, Place, Timestamp},
    store::{Deed, EndpointError, EndpointStore, MAX_ENDPOINTS, StoreError},
};

#[async_trait]
impl EndpointStore for SqlStore {
    async fn create_endpoint(
        &self,
        endpoint: NewEndpoint,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Endpoint, EndpointError> {
        self.writer.write(move |tx| Box::pin(create(tx, endpoint, by, now))).await
    }

    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        let found = statement::query_as::<EndpointRow>(
            "select
                 endpoint_id, url, topics, secret, old_secret, old_secret_until, disabled_at, disabled_by,
                 failing_since, place_orders, place_goods, lost, generation, revision, created_at
             from endpoints
             order by endpoint_id",
        )
        .fetch_all(&mut *self.reader().await?)
        .await?;
        found.into_iter().map(EndpointRow::endpoint).collect()
    }

    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
        let found = statement::query_as::<EndpointRow>(
            "select
                 endpoint_id, url, topics, secret, old_secret, old_secret_until, disabled_at, disabled_by,
                 failing_since, place_orders, place_goods, lost, generation, revision, created_at
             from endpoints
             where endpoint_id = $1",
        )
        .bind(id.0)
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        found.map(EndpointRow::endpoint).transpose()
    }

    async fn change_endpoint(
        &self,
        id: EndpointId,
        patch: EndpointPatch,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Endpoint, EndpointError> {
        self.writer.write(move |tx| Box::pin(change(tx, id, patch, by, now))).await
    }

    async fn rotate_endpoint(
        &self,
        id: EndpointId,
        fresh: EndpointSecret,
        old_until: Timestamp,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Endpoint, EndpointError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    authority::admin::<EndpointError>(tx, by, now).await?;
                    let changed = statement::query_as::<EndpointRow>(
                        "update endpoints
                         set
                             secret = $2, old_secret = secret, old_secret_until = $3,
                             revision = revision + 1
                         where endpoint_id = $1
                         returning
                             endpoint_id, url, topics, secret, old_secret, old_secret_until, disabled_at,
                             disabled_by, failing_since, place_orders, place_goods, lost, generation,
                             revision, created_at",
                    )
                    .bind(id.0)
                    .bind(fresh.reveal().to_owned())
                    .bind(old_until.as_millis())
                    .fetch_optional(&mut tx.conn)
                    .await?;
                    let endpoint = changed.ok_or(EndpointError::NotFound)?.endpoint()?;
                    record(tx, by, now, of("endpoint.rotate", &endpoint)).await?;
                    Ok(endpoint)
                })
            })
            .await
    }

    async fn remove_endpoint(
        &self,
        id: EndpointId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), EndpointError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    authority::admin::<EndpointError>(tx, by, now).await?;
                    let removed = statement::query(
                        "delete from endpoints
                         where endpoint_id = $1",
                    )
                    .bind(id.0)
                    .execute(&mut tx.conn)
                    .await?;
                    (removed.rows_affected() > 0).then_some(()).ok_or(EndpointError::NotFound)?;
                    Ok(record(tx, by, now, by_number("endpoint.remove", id)).await?)
                })
            })
            .await
    }

    async fn replay(
        &self,
        id: EndpointId,
        since: Timestamp,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Place, EndpointError> {
        self.writer.write(move |tx| Box::pin(replay(tx, id, since, by, now))).await
    }

    async fn pass_over(
        &self,
        id: EndpointId,
        generation: i64,
        place: Place,
        lost: i64,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    statement::query(
                        "update endpoints
                         set place_orders = $3, place_goods = $4, lost = lost + $5
                         where
                             endpoint_id = $1 and generation = $2
                             and place_orders <= $3 and place_goods <= $4",
                    )
                    .bind(id.0)
                    .bind(generation)
                    .bind(place.orders)
                    .bind(place.goods)
                    .bind(lost)
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(())
                })
            })
            .await
    }
}

async fn create(
    tx: &mut Tx,
    endpoint: NewEndpoint,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<Endpoint, EndpointError> {
    authority::admin::<EndpointError>(tx, by, now).await?;
    let present = news::end(&mut tx.conn).await?;
    let made = statement::query_as::<EndpointRow>(
        "insert into endpoints (url, topics, secret, place_orders, place_goods, created_at)
         select $1, $2, $3, $4, $5, $6
         where (select count(*) from endpoints) < $7
         returning
             endpoint_id, url, topics, secret, old_secret, old_secret_until, disabled_at, disabled_by,
             failing_since, place_orders, place_goods, lost, generation, revision, created_at",
    )
    .bind(endpoint.url.as_str())
    .bind(endpoint.topics.to_string())
    .bind(endpoint.secret.reveal())
    .bind(present.orders)
    .bind(present.goods)
    .bind(now.as_millis())
    .bind(i64::try_from(MAX_ENDPOINTS).unwrap_or(i64::MAX))
    .fetch_optional(&mut tx.conn)
    .await?;
    let endpoint = made.ok_or(EndpointError::TooMany)?.endpoint()?;
    record(tx, by, now, of("endpoint.create", &endpoint)).await?;
    Ok(endpoint)
}

async fn change(
    tx: &mut Tx,
    id: EndpointId,
    patch: EndpointPatch,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<Endpoint, EndpointError> {
    authority::admin::<EndpointError>(tx, by, now).await?;
    // Switched on again it is judged anew, and what it was not told yet is told; switched off twice, the first reason stays.
    let changed = statement::query_as::<EndpointRow>(
        "update endpoints
         set
             url = coalesce($2, url),
             topics = coalesce($3, topics),
             disabled_at = case when $4 = 1 then null when $4 = 0 then coalesce(disabled_at, $5) else disabled_at end,
             disabled_by = case when $4 = 1 then null when $4 = 0 then coalesce(disabled_by, 'hand') else disabled_by end,
             failing_since = case when $4 = 1 or $2 is not null then null else failing_since end,
             revision = revision + 1
         where endpoint_id = $1
         returning
             endpoint_id, url, topics, secret, old_secret, old_secret_until, disabled_at, disabled_by,
             failing_since, place_orders, place_goods, lost, generation, revision, created_at",
    )
    .bind(id.0)
    .bind(patch.url.as_ref().map(|url| url.as_str().to_owned()))
    .bind(patch.topics.as_ref().map(ToString::to_string))
    .bind(patch.enabled.map(i64::from))
    .bind(now.as_millis())
    .fetch_optional(&mut tx.conn)
    .await?;
    let endpoint = changed.ok_or(EndpointError::NotFound)?.endpoint()?;
    record(tx, by, now, of("endpoint.update", &endpoint)).await?;
    Ok(endpoint)
}

async fn replay(
    tx: &mut Tx,
    id: EndpointId,
    since: Timestamp,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<Place, EndpointError> {
    authority::admin::<EndpointError>(tx, by, now).await?;
    let place = news::place_of(&mut tx.conn, since).await?;
    // Never forward: what was not told yet is told whatever it is asked. Retries of what is told again anyway are left to it.
    let replayed = statement::query_as::<(i64, i64)>(
        "update deliveries
         set next_at = null
         where
             endpoint_id = $1
             and next_at is not null
             and (order_event > $2 or goods_event > $3);

         update endpoints
         set
             place_orders = case when place_orders > $2 then $2 else place_orders end,
             place_goods = case when place_goods > $3 then $3 else place_goods end,
             generation = generation + 1, revision = revision + 1
         where endpoint_id = $1
         returning place_orders, place_goods",
    )
    .bind(id.0)
    .bind(place.orders)
    .bind(place.goods)
    .fetch_optional(&mut tx.conn)
    .await?;
    let (orders, goods) = replayed.ok_or(EndpointError::NotFound)?;
    let mut deed = by_number("endpoint.replay", id);
    deed.details["since"] = json!(since);
    record(tx, by, now, deed).await?;
    Ok(Place { orders, goods })
}

/// What was done to an endpoint, for the record. Its host alone is said: the rest of its URL may be what opens it.
fn of(action: &'static str, endpoint: &Endpoint) -> Deed {
    let host = endpoint.url.url().host_str();
    let details = json!({
        "endpointId": endpoint.endpoint_id, "host": host, "events": endpoint.topics.names(),
        "enabled": endpoint.disabled.is_none(),
    });
    Deed { action, subject: host.unwrap_or_default().to_owned(), details }
}

pub(super) fn by_number(action: &'static str, id: EndpointId) -> Deed {
    Deed { action, subject: format!("endpoint {id}"), details: json!({ "endpointId": id }) }
}
