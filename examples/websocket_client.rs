//! A client of the plain WebSocket (`docs/contract.md` §3b): logs in, prints every purchase alert, and comes back after a
//! lost connection without missing one.
//!
//! Run `cargo run -- serve --demo` in one terminal. With the e-mail address and the password that it prints, in another:
//!
//! ```sh
//! cargo run --example websocket_client -- shopper@example.com PASSWORD            # listens
//! cargo run --example websocket_client -- shopper@example.com PASSWORD --buy 1    # orders goods 1 and listens
//! ```
//!
//! You see `hello` with the newest offset, the acknowledgement of your order, and the alert that everyone gets. Stop the
//! server and start it again: the client waits as long as the server asked, and resumes after the last alert it has seen.

use std::{error::Error, time::Duration};

use clap::Parser;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, protocol::CloseFrame},
};

/// What the client is told on the command line.
#[derive(Parser)]
struct Args {
    email: String,
    password: String,
    /// The server
    #[arg(long, default_value = "http://127.0.0.1:3000")]
    server: String,
    /// Order one piece of these goods first
    #[arg(long, value_name = "GOODS_ID")]
    buy: Option<i64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = Args::parse();
    let token = log_in(&args).await?;
    // The offset of the last alert that was seen: what a reconnect resumes from.
    let mut last = None;
    loop {
        let delay = match listen(&args.server, &token, &mut last, args.buy.take()).await {
            Ok(Some(close)) if u16::from(close.code) == 4001 => return Err("the log-in has ended".into()),
            // "The server goes away": the reason is the delay in milliseconds that it chose for this session.
            Ok(Some(close)) if u16::from(close.code) == 1001 => close.reason.parse().unwrap_or(500),
            Ok(_) => 500,
            Err(error) => {
                println!("no connection: {error}");
                1000
            }
        };
        println!("-- coming back in {delay} ms, after {last:?}");
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
}

async fn log_in(args: &Args) -> Result<String, Box<dyn Error>> {
    let request = reqwest::Client::new().post(format!("{}/api/auth", args.server));
    let answer: Value =
        request.json(&json!({"email": args.email, "password": args.password})).send().await?.json().await?;
    // A refusal is problem+json; `errorMessage` is its sentence for people.
    let refused = || answer["errorMessage"].as_str().unwrap_or("the log-in failed").to_owned();
    Ok(answer["token"].as_str().ok_or_else(refused)?.to_owned())
}

/// One connection, until it ends. Returns the close frame, if there was one.
async fn listen(
    server: &str,
    token: &str,
    last: &mut Option<i64>,
    buy: Option<i64>,
) -> Result<Option<CloseFrame>, Box<dyn Error>> {
    let after = last.map(|offset| format!("?after={offset}")).unwrap_or_default();
    let url = format!("{}/ws{after}", server.replacen("http", "ws", 1));
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
    let (mut socket, _) = connect_async(request).await?;
    if let Some(goods) = buy {
        // `id` asks for an acknowledgement, which is `{"type": "ack", "id": 1, …}`.
        let order = json!({"type": "BUY", "payload": {"goodsId": goods, "quantity": 1}, "id": 1});
        socket.send(Message::text(order.to_string())).await?;
    }
    while let Some(message) = socket.next().await {
        match message? {
            Message::Text(text) => {
                let event: Value = serde_json::from_str(&text)?;
                println!("{} {}", event["type"].as_str().unwrap_or("?"), event["payload"]);
                // Only BUY_GOODS and BUY_CANCELED have an offset; `hello` has the newest one.
                *last = match event["type"].as_str() {
                    Some("hello") if last.is_none() => event["payload"]["latest"].as_i64(),
                    Some("BUY_GOODS" | "BUY_CANCELED") => event["payload"]["id"].as_i64(),
                    _ => *last,
                };
            }
            Message::Close(frame) => return Ok(frame),
            // The library answers pings by itself.
            _ => {}
        }
    }
    Ok(None)
}
