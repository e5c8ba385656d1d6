//! Honest members, from an address of their own: they order and log in all the time.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::wire::{MEMBER, connect};
use crate::{
    Result,
    client::http::{Head, request},
    stats::Latencies,
};

const PASSWORD: &str = "correct horse battery";
/// How long a member waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two orders, and between two log-ins.
const ORDER: Duration = Duration::from_millis(40);
const LOG_IN: Duration = Duration::from_millis(200);

/// Someone with an account.
pub(super) struct Member {
    pub(super) email: String,
    pub(super) token: String,
}

impl Member {
    /// Makes an account and logs in.
    pub(super) fn register(server: SocketAddr, nickname: &str) -> Result<Self> {
        let email = format!("{nickname}@example.com");
        let body = json!({
            "nickname": nickname, "email": email, "password": PASSWORD, "confirmPassword": PASSWORD,
        });
        call(server, "/api/users", None, &body)?;
        let token = log_in(server, &email)?;
        Ok(Self { email, token })
    }
}

/// What came of what members did.
#[derive(Default)]
pub(super) struct Served {
    pub(super) latencies: Latencies,
    pub(super) failed: usize,
}

impl Served {
    /// Does something again and again until it is over.
    fn again(over: &AtomicBool, pause: Duration, mut act: impl FnMut(usize) -> Result<()>) -> Self {
        let mut served = Self::default();
        let mut number = 0;
        while !over.load(Ordering::Relaxed) {
            let begin = Instant::now();
            match act(number) {
                Ok(()) => served.latencies.record(begin.elapsed()),
                Err(error) => {
                    served.failed += 1;
                    if served.failed <= 3 {
                        eprintln!("    a member was not served: {error}");
                    }
                }
            }
            number += 1;
            thread::sleep(pause.saturating_sub(begin.elapsed()));
        }
        served
    }
}

/// Some members.
pub(super) struct Honest {
    server: SocketAddr,
    members: Vec<Member>,
}

impl Honest {
    /// Makes their accounts.
    pub(super) fn register(server: SocketAddr, count: usize) -> Result<Self> {
        let members = (0..count).map(|number| Member::register(server, &format!("member{number}")));
        Ok(Self { server, members: members.collect::<Result<_>>()? })
    }

    /// They order in turn, each on a new connection: no connection of theirs is older than the attack.
    pub(super) fn order(&self, goods_id: u64, over: &AtomicBool) -> Served {
        let body = json!({"items": [{"goodsId": goods_id, "quantity": 1}]});
        Served::again(over, ORDER, |number| {
            let member = &self.members[number % self.members.len()];
            call(self.server, "/api/orders", Some(&member.token), &body).map(drop)
        })
    }

    /// They log in in turn.
    pub(super) fn log_in(&self, over: &AtomicBool) -> Served {
        Served::again(over, LOG_IN, |number| {
            log_in(self.server, &self.members[number % self.members.len()].email).map(drop)
        })
    }
}

fn log_in(server: SocketAddr, email: &str) -> Result<String> {
    let answer = call(server, "/api/auth", None, &json!({"email": email, "password": PASSWORD}))?;
    Ok(answer["token"].as_str().ok_or("a log-in without a token")?.to_owned())
}

/// One request on a connection of its own.
fn call(server: SocketAddr, path: &str, token: Option<&str>, body: &Value) -> Result<Value> {
    let from: IpAddr = MEMBER;
    let mut socket = connect(from, server, PATIENCE)?;
    socket.write_all(&request("POST", path, server, token, Some(body)))?;
    let mut read = Vec::new();
    loop {
        if let Some(head) = Head::parse(&read)?
            && let Some(length) = head.body
            && read.len() >= head.length + length
        {
            let text = String::from_utf8_lossy(&read[head.length..]).into_owned();
            return match head.status {
                200..300 => Ok(serde_json::from_str(&text)?),
                status => Err(format!("{path}: {status} {text}").into()),
            };
        }
        let mut piece = [0; 4096];
        match socket.read(&mut piece)? {
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            length => read.extend_from_slice(&piece[..length]),
        }
    }
}
