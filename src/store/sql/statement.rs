//! Statements for both databases: one text where the sentence is the same, [`either`] where it is not.
//!
//! In the style of `sqlx::query`, which wants the database to be known when the program is compiled. `sqlx::Any` does not,
//! but copies each row into a form of its own and knows neither the booleans of SQLite nor scripts of PostgreSQL.
//!
//! What is done at a server is in a box: beside a trip to it that costs nothing, and futures of what waits for a file, which are
//! moved about as a whole, are a fraction as large.

use std::{borrow::Cow, marker::PhantomData};

use sqlx::{
    Arguments as _, FromRow, PgConnection, Postgres, Sqlite,
    postgres::{PgArguments, PgRow},
    sqlite::{SqliteArguments, SqliteRow},
};

use super::{
    conn::{Conn, Connected, in_time},
    postgres::dialect::{self, Part},
};

/// The text of a statement, or of a script of several of which the last may return rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    sqlite: &'static str,
    postgres: &'static str,
}

impl From<&'static str> for Text {
    fn from(both: &'static str) -> Self {
        Self { sqlite: both, postgres: both }
    }
}

/// A sentence that the two databases say in different words. Both have the same parameters and return the same columns.
pub(super) const fn either(sqlite: &'static str, postgres: &'static str) -> Text {
    Text { sqlite, postgres }
}

/// A value that is bound. Which kind it is, is known without the value: PostgreSQL takes parameters by their types.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Bool(Option<bool>),
}

macro_rules! values {
    ($($kind:ident: $($from:ty => $into:expr),+;)+) => {$($(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                let into: fn($from) -> _ = $into;
                Self::$kind(Some(into(value)))
            }
        }

        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$kind(value.map($into))
            }
        }
    )+)+};
}

values! {
    Int: i64 => |value| value, i32 => i64::from, u32 => i64::from, u16 => i64::from;
    Text: String => |text| text, &str => str::to_owned, &String => String::clone;
    Bytes: Vec<u8> => |bytes| bytes, &Vec<u8> => Vec::clone, &[u8] => <[u8]>::to_vec;
    Bool: bool => |value| value;
}

impl From<&Option<String>> for Value {
    fn from(text: &Option<String>) -> Self {
        Self::Text(text.clone())
    }
}

/// What both databases' rows can be read as.
pub(super) trait AnyRow:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<R> AnyRow for R where R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

/// How what a statement returns is read.
pub(super) trait Reading {
    type Row: AnyRow;
    type Out;

    fn out(row: Self::Row) -> Self::Out;
}

/// A row.
pub(super) struct Whole<R>(PhantomData<fn() -> R>);

/// The only column of a row.
pub(super) struct Scalar<T>(PhantomData<fn() -> T>);

impl<R: AnyRow> Reading for Whole<R> {
    type Row = R;
    type Out = R;

    fn out(row: R) -> R {
        row
    }
}

impl<T> Reading for Scalar<T>
where
    (T,): AnyRow,
{
    type Row = (T,);
    type Out = T;

    fn out((value,): (T,)) -> T {
        value
    }
}

/// A statement with its values.
#[must_use = "a statement does nothing until it is executed"]
pub(super) struct Query<R = ()> {
    text: Text,
    values: Vec<Value>,
    reading: PhantomData<fn() -> R>,
}

/// A statement whose rows nobody reads.
pub(super) fn query(text: impl Into<Text>) -> Query {
    Query::new(text)
}

/// A statement that returns rows.
pub(super) fn query_as<R: AnyRow>(text: impl Into<Text>) -> Query<Whole<R>> {
    Query::new(text)
}

/// A statement that returns one column.
pub(super) fn query_scalar<T>(text: impl Into<Text>) -> Query<Scalar<T>>
where
    (T,): AnyRow,
{
    Query::new(text)
}

impl<R> Query<R> {
    fn new(text: impl Into<Text>) -> Self {
        Self { text: text.into(), values: Vec::new(), reading: PhantomData }
    }

    /// Gives the next parameter its value: the first is `$1`.
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs it, and says how many rows it changed.
    pub(super) async fn execute(self, conn: &mut Conn) -> Result<Changed, sqlx::Error> {
        let patience = conn.begin_statement();
        let done = in_time(patience, self.executed(conn)).await;
        conn.end_statement(&done);
        done
    }

    async fn executed(self, conn: &mut Conn) -> Result<Changed, sqlx::Error> {
        match conn.connected() {
            Connected::Sqlite(conn) => {
                let done = sqlx::query_with(self.text.sqlite, in_sqlite(self.values)?).execute(conn).await?;
                Ok(Changed(done.rows_affected()))
            }
            Connected::Postgres(conn) => Box::pin(self.executed_there(conn)).await,
        }
    }

    async fn executed_there(self, conn: &mut PgConnection) -> Result<Changed, sqlx::Error> {
        let mut changed = 0;
        for part in dialect::parts(self.text.postgres) {
            let done = sqlx::query_with(part.text(), in_postgres(part, &self.values)?);
            changed += done.execute(&mut *conn).await?.rows_affected();
        }
        Ok(Changed(changed))
    }
}

impl<R: Reading> Query<R> {
    /// All rows.
    pub(super) async fn fetch_all(self, conn: &mut Conn) -> Result<Vec<R::Out>, sqlx::Error> {
        let patience = conn.begin_statement();
        let rows = in_time(patience, self.all_fetched(conn)).await;
        conn.end_statement(&rows);
        Ok(rows?.into_iter().map(R::out).collect())
    }

    async fn all_fetched(self, conn: &mut Conn) -> Result<Vec<R::Row>, sqlx::Error> {
        match conn.connected() {
            Connected::Sqlite(conn) => {
                let values = in_sqlite(self.values)?;
                sqlx::query_as_with::<Sqlite, _, _>(self.text.sqlite, values).fetch_all(conn).await
            }
            Connected::Postgres(conn) => {
                let all = async {
                    let (last, values) = self.all_but_the_last(conn).await?;
                    sqlx::query_as_with::<Postgres, _, _>(last, values).fetch_all(conn).await
                };
                Box::pin(all).await
            }
        }
    }

    /// The first row, if there is one.
    pub(super) async fn fetch_optional(self, conn: &mut Conn) -> Result<Option<R::Out>, sqlx::Error> {
        let patience = conn.begin_statement();
        let row = in_time(patience, self.first_fetched(conn)).await;
        conn.end_statement(&row);
        Ok(row?.map(R::out))
    }

    async fn first_fetched(self, conn: &mut Conn) -> Result<Option<R::Row>, sqlx::Error> {
        match conn.connected() {
            Connected::Sqlite(conn) => {
                let values = in_sqlite(self.values)?;
                sqlx::query_as_with::<Sqlite, _, _>(self.text.sqlite, values).fetch_optional(conn).await
            }
            Connected::Postgres(conn) => {
                let first = async {
                    let (last, values) = self.all_but_the_last(conn).await?;
                    sqlx::query_as_with::<Postgres, _, _>(last, values).fetch_optional(conn).await
                };
                Box::pin(first).await
            }
        }
    }

    /// The first row.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn fetch_one(self, conn: &mut Conn) -> Result<R::Out, sqlx::Error> {
        self.fetch_optional(conn).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Runs a script but for its last statement, which is returned with its values.
    async fn all_but_the_last(
        &self,
        conn: &mut PgConnection,
    ) -> Result<(&'static str, PgArguments), sqlx::Error> {
        let parts = dialect::parts(self.text.postgres);
        let (last, before) = parts.split_last().ok_or(sqlx::Error::RowNotFound)?;
        for part in before {
            sqlx::query_with(part.text(), in_postgres(part, &self.values)?).execute(&mut *conn).await?;
        }
        Ok((last.text(), in_postgres(last, &self.values)?))
    }
}

/// How many rows a statement changed.
pub(super) struct Changed(u64);

impl Changed {
    /// The number.
    pub(super) const fn rows_affected(&self) -> u64 {
        self.0
    }
}

fn in_sqlite(values: Vec<Value>) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
            Value::Bool(value) => arguments.add(value),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// The values that one statement of a script asks for.
fn in_postgres(part: &Part, values: &[Value]) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    for value in part.values(values) {
        match value {
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value.as_deref().map(without_nul)),
            Value::Bytes(value) => arguments.add(value.as_deref()),
            Value::Bool(value) => arguments.add(value),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// PostgreSQL's text holds every character but U+0000. In what is kept there is none; whoever looks for it finds nothing,
/// as in SQLite.
fn without_nul(text: &str) -> Cow<'_, str> {
    match text.contains('\0') {
        true => text.replace('\0', "\u{fffd}").into(),
        false => text.into(),
    }
}
