//! A client of the event stream (`docs/contract.md` §3c): prints every purchase alert and resumes where it stopped. A
//! browser's `EventSource` does all of this by itself; this is what it does.
//!
//! Run `cargo run -- serve --demo` in one terminal. With the e-mail address and the password that it prints, in another:
//!
//! ```sh
//! cargo run --example sse_client -- shopper@example.com PASSWORD
//! ```
//!
//! You see nothing until someone orders: log in at <http://127.0.0.1:3000> and buy something, or run the example
//! `websocket_client` with `--buy 1`. Then you see `41 BUY_GOODS {…}`: the offset, the event, its payload. Stop the server and
//! start it again: the client comes back and gets what it missed.

use std::{error::Error, time::Duration};

use clap::Parser;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

/// What the client is told on the command line.
#[derive(Parser)]
struct Args {
    email: String,
    password: String,
    /// The server
    #[arg(long, default_value = "http://127.0.0.1:3000")]
    server: String,
}

/// What a client keeps between two connections.
struct Position {
    /// The `id` of the last event that had one.
    last_event_id: Option<String>,
    /// The server's `retry`: how long to wait before reconnecting.
    retry: Duration,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let http = reqwest::Client::new();
    let request = http.post(format!("{}/api/auth", args.server));
    let answer: Value =
        request.json(&json!({"email": args.email, "password": args.password})).send().await?.json().await?;
    let token = answer["token"].as_str().ok_or("the log-in failed")?;
    let mut position = Position { last_event_id: None, retry: Duration::from_secs(2) };
    loop {
        match listen(&http, &args.server, token, &mut position).await {
            Ok(reqwest::StatusCode::UNAUTHORIZED) => return Err("the log-in has ended".into()),
            Ok(status) => println!("-- the stream ended ({status})"),
            Err(error) => println!("-- no connection, or it was lost: {error}"),
        }
        tokio::time::sleep(position.retry).await;
    }
}

/// One stream, until it ends.
async fn listen(
    http: &reqwest::Client,
    server: &str,
    token: &str,
    position: &mut Position,
) -> Result<reqwest::StatusCode, Box<dyn Error>> {
    let mut request = http.get(format!("{server}/api/events")).bearer_auth(token);
    if let Some(id) = &position.last_event_id {
        request = request.header("last-event-id", id);
    }
    let response = request.send().await?;
    let status = response.status();
    if !status.is_success() {
        return Ok(status);
    }
    let (mut pieces, mut unread) = (response.bytes_stream(), Vec::new());
    while let Some(piece) = pieces.next().await {
        unread.extend_from_slice(&piece?);
        // An empty line ends an event; pieces of the body end anywhere.
        while let Some(end) = unread.windows(2).position(|two| two == b"\n\n") {
            let block: Vec<u8> = unread.drain(..end + 2).collect();
            print_event(&String::from_utf8_lossy(&block), position);
        }
    }
    Ok(status)
}

fn print_event(block: &str, position: &mut Position) {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    if let Some(millis) = field("retry:").and_then(|millis| millis.parse().ok()) {
        position.retry = Duration::from_millis(millis);
    }
    let id = field("id:");
    position.last_event_id = id.map(str::to_owned).or(position.last_event_id.take());
    // A block without data is a comment (":"), which keeps proxies from closing a quiet stream, or `retry:` alone.
    if let Some(data) = field("data:") {
        println!("{} {} {data}", id.unwrap_or("-"), field("event:").unwrap_or("message"));
    }
}
