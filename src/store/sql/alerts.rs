//! The settings of alerts, and which categories are never told.

use async_trait::async_trait;
use serde_json::json;

use super::{SqlStore, audit, authority, silent::Silent, statement, writer::Tx};
use crate::{
    domain::{Actor, Timestamp},
    store::{AlertChange, AlertError, AlertStore, KeptAlerts, StoreError},
};

#[async_trait]
impl AlertStore for SqlStore {
    async fn kept_alerts(&self) -> Result<KeptAlerts, StoreError> {
        let mut reader = self.reader().await?;
        let values = statement::query_as::<(String, String)>(
            "select name, value
             from alert_settings",
        )
        .fetch_all(&mut reader)
        .await?;
        let never = statement::query_scalar(
            "select name
             from silent_categories
             order by key",
        )
        .fetch_all(&mut reader)
        .await?;
        let value = |(name, text): (String, String)| match serde_json::from_str(&text) {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(StoreError::Corrupt(format!("the setting {name} is no JSON"))),
        };
        Ok(KeptAlerts { values: values.into_iter().map(value).collect::<Result<_, _>>()?, never })
    }

    async fn change_alerts(
        &self,
        change: AlertChange,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), AlertError> {
        self.writer.write(move |tx| Box::pin(keep(tx, change, by, now))).await
    }
}

async fn keep(tx: &mut Tx, change: AlertChange, by: Option<Actor>, now: Timestamp) -> Result<(), AlertError> {
    authority::admin::<AlertError>(tx, by, now).await?;
    let values: Vec<_> = change.values.iter().map(|(name, value)| json!([name, value.to_string()])).collect();
    statement::query(
        "insert into alert_settings (name, value)
         select value ->> 0, value ->> 1
         from json_each($1)
         where true
         on conflict (name) do update set value = excluded.value",
    )
    .bind(json!(values).to_string())
    .execute(&mut tx.conn)
    .await?;
    if let Some(never) = change.never {
        let never: Vec<_> = never.iter().map(|category| json!([category.key(), category.as_str()])).collect();
        statement::query(
            "delete from silent_categories;

             insert into silent_categories (key, name)
             select value ->> 0, value ->> 1
             from json_each($1)
             where true
             on conflict (key) do nothing",
        )
        .bind(json!(never).to_string())
        .execute(&mut tx.conn)
        .await?;
    }
    tx.silent = None;
    Ok(audit::record(tx, by, now, change.deed).await?)
}

/// They are read once, and again when they have changed, which this writer does.
pub(super) async fn silent(tx: &mut Tx) -> Result<Silent, StoreError> {
    if let Some(known) = &tx.silent {
        return Ok(known.clone());
    }
    let keys: Vec<String> = statement::query_scalar(
        "select key
         from silent_categories",
    )
    .fetch_all(&mut tx.conn)
    .await?;
    let silent = Silent::of(keys);
    tx.silent = Some(silent.clone());
    Ok(silent)
}
