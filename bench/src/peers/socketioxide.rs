//! socketioxide on axum, on one thread: what its documentation shows, and an alert for each order.

use std::{sync::Arc, time::Duration};

use axum::{Router, serve::ListenerExt};
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef},
};
use tokio::net::TcpListener;

use super::child::{alert, listening};
use crate::Result;

/// So long that no heartbeat falls into a measurement.
const PING: Duration = Duration::from_secs(600);

/// Serves until the process is ended.
pub(super) fn run() -> Result<()> {
    let alert: Arc<Value> = Arc::new(serde_json::from_str(&alert()?)?);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async move {
        let (layer, io) = SocketIo::builder().ping_interval(PING).ping_timeout(PING).build_layer();
        io.ns("/", move |socket: SocketRef| {
            let alert = Arc::clone(&alert);
            socket.on("BUY", move |io: SocketIo, ack: AckSender| {
                let alert = Arc::clone(&alert);
                async move {
                    drop(io.emit("BUY_GOODS", &*alert).await);
                    drop(ack.send(&json!({ "ok": true })));
                }
            });
            async {}
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        listening(listener.local_addr()?)?;
        // As all the other servers do by themselves.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, Router::new().layer(layer)).await?;
        Ok(())
    })
}
