//! Leases as rows, by the clock of the database alone.

use std::time::Duration;

use super::super::{statement, writer::Writer};
use crate::store::StoreError;

/// Names have no spaces.
const BETWEEN: &str = " ";

/// One statement for all of them. It is refused nothing by rows that it does not change: those of others.
pub(in crate::store::sql) async fn take(
    writer: &Writer,
    names: &[String],
    holder: &str,
    ttl: Duration,
) -> Result<Vec<String>, StoreError> {
    let (names, holder) = (names.join(BETWEEN), holder.to_owned());
    let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
    writer
        .write(move |tx| {
            Box::pin(async move {
                // `excluded.until - $3` is now. A lease that goes on for longer than any can was given before the clock
                // was set back. Its holder, if it lives, renews it; to take it at once would make two of them.
                let rows = statement::query_as::<(String, String)>(
                    "insert into leases as held (name, holder, until)
                     select name, $2, (extract(epoch from clock_timestamp()) * 1000)::bigint + $3
                     from unnest(string_to_array($1, ' ')) as name
                     on conflict (name) do update set
                         holder = case
                             when held.until <= excluded.until - $3 then excluded.holder
                             else held.holder
                         end,
                         until = excluded.until
                     where
                         held.holder = excluded.holder
                         or held.until <= excluded.until - $3
                         or held.until > excluded.until
                     returning name, holder",
                )
                .bind(names)
                .bind(&holder)
                .bind(ttl)
                .fetch_all(&mut tx.conn)
                .await?;
                Ok(rows.into_iter().filter(|(_, of)| *of == holder).map(|(name, _)| name).collect())
            })
        })
        .await
}

/// Also forgets leases of what is no longer there, which nobody takes any more.
pub(in crate::store::sql) async fn release(
    writer: &Writer,
    names: &[String],
    holder: &str,
) -> Result<(), StoreError> {
    let (names, holder) = (names.join(BETWEEN), holder.to_owned());
    writer
        .write(move |tx| {
            Box::pin(async move {
                statement::query(
                    "delete from leases
                     where
                         (holder = $2 and name = any (string_to_array($1, ' ')))
                         or until < (extract(epoch from clock_timestamp()) * 1000)::bigint - 86400000",
                )
                .bind(names)
                .bind(holder)
                .execute(&mut tx.conn)
                .await?;
                Ok(())
            })
        })
        .await
}
