//! The source or the target of a copy: a connection of its own, and where the key of the log-in tokens is.

use super::{
    super::{
        conn::{Conn, Connected},
        sqlite::files,
        statement,
        token_key::{self, TokenKey},
    },
    catalog::Catalog,
    errors::{CopyError, not_read, not_written},
    mark,
};
use crate::store::StoreError;

/// A database that is copied or filled.
pub(in crate::store) struct Side {
    pub(super) conn: Conn,
    key: TokenKey,
}

impl Side {
    /// Reads or fills a database by a connection of one's own.
    pub(in crate::store::sql) fn new(conn: Conn, key: TokenKey) -> Self {
        Self { conn, key }
    }

    /// Sees one moment from here on, for as long as that takes.
    pub(super) async fn hold_still(&mut self) -> Result<(), CopyError> {
        if let Connected::Postgres(_) = self.conn.connected() {
            let patience = "set idle_in_transaction_session_timeout = 0; set statement_timeout = 0";
            self.conn.script(patience).await.map_err(not_read("the source"))?;
        }
        self.conn.begin_reading().await.map_err(not_read("the source"))
    }

    /// Sees what happens, again.
    pub(super) async fn let_go(&mut self) -> Result<(), CopyError> {
        self.conn.script("rollback").await.map_err(not_read("the source"))
    }

    /// Its tables.
    pub(super) async fn catalog(&mut self) -> Result<Catalog, CopyError> {
        Catalog::read(&mut self.conn).await
    }

    /// Of which log it is, up to where, and in which form: the words of the mark.
    pub(super) async fn moment(&mut self) -> Result<String, CopyError> {
        let failed = || not_read("the log");
        if mark::found(&mut self.conn).await.map_err(failed())?.is_some() {
            return Err(CopyError::Half);
        }
        let (epoch, sequence) =
            statement::query_as::<(String, i64)>("select epoch, sequence from order_log_reach")
                .fetch_one(&mut self.conn)
                .await
                .map_err(failed())?;
        let version: i64 = statement::query_scalar("select max(version) from _sqlx_migrations where success")
            .fetch_one(&mut self.conn)
            .await
            .map_err(failed())?;
        Ok(format!("{epoch} {sequence} {version}"))
    }

    /// The rules by which forms of texts were computed.
    pub(super) async fn text_rules(&mut self) -> Result<Option<String>, CopyError> {
        statement::query_scalar("select value from settings where key = 'text_rules'")
            .fetch_optional(&mut self.conn)
            .await
            .map_err(not_read("settings"))
    }

    /// Whether its texts cannot hold U+0000.
    pub(super) fn takes_no_nul(&mut self) -> bool {
        matches!(self.conn.connected(), Connected::Postgres(_))
    }

    /// The key of the log-in tokens, if the program made one.
    pub(super) async fn token_key(&mut self) -> Result<Option<String>, CopyError> {
        match &self.key {
            TokenKey::Beside(path) => files::kept_token_key(path).map_err(|error| key_failed(&error)),
            TokenKey::Within => statement::query_scalar("select value from settings where key = $1")
                .bind(token_key::ROW)
                .fetch_optional(&mut self.conn)
                .await
                .map_err(not_read("the token key")),
        }
    }

    /// Keeps the source's, so that log-ins hold.
    pub(super) async fn keep_token_key(&mut self, key: Option<&str>) -> Result<(), CopyError> {
        let Some(key) = key else { return Ok(()) };
        match &self.key {
            TokenKey::Beside(path) => files::keep_token_key(path, key).map_err(|error| key_failed(&error)),
            TokenKey::Within => {
                let kept = statement::query(
                    "insert into settings (key, value)
                     values ($1, $2)
                     on conflict (key) do nothing",
                );
                let kept = kept.bind(token_key::ROW).bind(key).execute(&mut self.conn).await;
                kept.map(drop).map_err(not_written("the token key"))
            }
        }
    }

    /// Says goodbye. What was committed holds without it.
    pub(super) async fn close(self) {
        drop(self.conn.close().await);
    }
}

fn key_failed(error: &std::io::Error) -> CopyError {
    StoreError::Busy(format!("the token key beside the database cannot be kept: {error}")).into()
}
