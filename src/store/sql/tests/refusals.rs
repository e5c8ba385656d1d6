//! Which column a database refuses is read from its error, whatever it says that in.

use super::{
    conn::{Options, Renewed},
    errors::{is_missing, is_taken},
    postgres_store::server,
    *,
};

/// What each breaks where there are two accounts and two goods.
const TAKEN: [(&str, &str); 5] = [
    ("users.email_key", "update users set email_key = 'kim@example.com'"),
    ("users.nickname_key", "update users set nickname_key = 'kim'"),
    ("users.nickname_look", "update users set nickname_look = 'kim'"),
    ("goods.goods_id", "update goods set goods_id = 1 where goods_id = 2"),
    ("goods.sku", "update goods set sku = 'A-1'"),
];

async fn each_refusal_names_its_column(store: SqlStore, options: Options) {
    for name in ["kim", "lee"] {
        a_user(&store, name).await;
        some_goods(&store, name, None).await;
    }
    let mut conn = options.connect().await.unwrap();
    for (column, change) in TAKEN {
        let refused = conn.script(change).await.unwrap_err();
        for (other, _) in TAKEN {
            assert_eq!(is_taken(&refused, other), other == column, "{other}: {refused}");
        }
        assert!(!is_missing(&refused, column), "{refused}");
    }
    let refused = conn.script("update users set role = null").await.unwrap_err();
    assert!(is_missing(&refused, "users.role") && !is_missing(&refused, "users.email"), "{refused}");
    assert!(!is_taken(&refused, "users.role"), "{refused}");
    let refused = conn.script("update users set role = 'nobody'").await.unwrap_err();
    assert!(!is_missing(&refused, "users.role") && !is_taken(&refused, "users.role"), "{refused}");
    conn.close().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn sqlite_names_its_column() {
    let (store, folder) = fresh().await;
    let options = SqliteConnectOptions::new().filename(folder.path().join("shop.db"));
    each_refusal_names_its_column(store, Options::Sqlite(Box::new(options))).await;
}

#[tokio::test]
async fn postgres_names_its_column() {
    let url = server::fresh_database().await;
    let store = postgres::open(&url, usd()).await.unwrap();
    let options = url.replace("&pool=4", "").parse().unwrap();
    each_refusal_names_its_column(store, Options::Postgres(Box::new(options), Renewed::new())).await;
}
