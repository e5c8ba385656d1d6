//! The attacks. Each is what one thread of an attacker does until it is over; several do it at once.

use std::{
    io, thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    scene::Scene,
    wire::{BEGIN, BINARY, FRAGMENT, PONG, Pipe, TEXT, frame, plain, websocket},
};
use crate::client::http::request;

/// One attack.
pub(super) struct Attack {
    pub(super) name: &'static str,
    pub(super) threads: usize,
    pub(super) run: fn(&Scene, usize),
}

const SOCKET_IO: &str = "/socket.io/?EIO=4&transport=websocket";
const POLL: &str = "/socket.io/?EIO=4&transport=polling";

/// All of them.
pub(super) const ATTACKS: &[Attack] = &[
    Attack { name: "none", threads: 0, run: |_, _| {} },
    Attack { name: "polling handshakes without CONNECT", threads: 2, run: handshakes },
    Attack { name: "registrations from 120 connections", threads: 2, run: registrations },
    Attack { name: "log-ins from 120 connections", threads: 2, run: log_ins },
    Attack { name: "BUY as fast as it goes, 50 sockets of one account", threads: 2, run: orders },
    Attack { name: "largest baskets, answers not read", threads: 2, run: baskets },
    Attack { name: "fragments without an end", threads: 2, run: fragments },
    Attack { name: "attachments without an end", threads: 2, run: attachments },
    Attack { name: "pongs, acks, namespaces", threads: 2, run: control },
    Attack { name: "polls with large bodies that stop", threads: 2, run: poll_bodies },
    Attack { name: "answers that are not read", threads: 2, run: answers },
    Attack { name: "heads and bodies byte by byte", threads: 2, run: slow },
    Attack { name: "idle connections", threads: 2, run: idle },
    Attack { name: "connections that come and go", threads: 2, run: churn },
    Attack { name: "event streams that are not read", threads: 2, run: streams },
    Attack { name: "questions whose answers are not read", threads: 2, run: questions },
    Attack { name: "chat to sockets that do not read", threads: 2, run: chat },
];

/// Keeps so many connections open: opens what is missing, and does something with each in turn; whoever ended is replaced.
/// `act` is told how often it was called for the connection.
fn keep(
    scene: &Scene,
    most: usize,
    open: impl Fn() -> io::Result<Pipe>,
    mut act: impl FnMut(&mut Pipe, u64, usize) -> io::Result<bool>,
) {
    let mut places: Vec<Option<(Pipe, u64)>> = (0..most).map(|_| None).collect();
    while !scene.is_over() {
        let mut idle = true;
        for (number, place) in places.iter_mut().enumerate() {
            if scene.is_over() {
                return;
            }
            if place.is_none() {
                *place = open().ok().map(|pipe| (pipe, 0));
                idle &= place.is_none();
            }
            let Some((pipe, times)) = place else { continue };
            match act(pipe, *times, number) {
                Ok(did) => {
                    *times += u64::from(did);
                    scene.count(usize::from(did));
                    idle &= !did;
                }
                Err(_) => *place = None,
            }
        }
        if idle {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Sends the same again and again over some connections, and takes the answers.
fn flood(scene: &Scene, connections: usize, bytes: &dyn Fn() -> Vec<u8>) {
    keep(
        scene,
        connections,
        || plain(scene.address),
        |pipe, _, _| {
            pipe.drain()?;
            pipe.push(&bytes())
        },
    );
}

fn handshakes(scene: &Scene, _: usize) {
    let burst = request("GET", POLL, scene.address, None, None).repeat(16);
    flood(scene, 60, &|| burst.clone());
}

fn registrations(scene: &Scene, thread: usize) {
    let number = std::cell::Cell::new(0);
    flood(scene, 60, &|| {
        number.set(number.get() + 1);
        let name = format!("m{thread}x{}", number.get());
        let body = json!({
            "nickname": name, "email": format!("{name}@example.com"),
            "password": "some password", "confirmPassword": "some password",
        });
        request("POST", "/api/users", scene.address, None, Some(&body))
    });
}

/// Half of them for the members.
fn log_ins(scene: &Scene, thread: usize) {
    let number = std::cell::Cell::new(0);
    flood(scene, 60, &|| {
        number.set(number.get() + 1);
        let (n, of_member) = (number.get(), number.get() % 2 == 0);
        let name = if of_member { format!("member{}", n % 6) } else { format!("n{thread}x{n}") };
        let body = json!({"email": format!("{name}@example.com"), "password": "a wrong password"});
        request("POST", "/api/auth", scene.address, None, Some(&body))
    });
}

fn sockets_of_member(scene: &Scene, path: &'static str) -> impl Fn() -> io::Result<Pipe> {
    move || websocket(scene.address, path, Some(&scene.attacker.token))
}

/// Just below the rate at which a session is closed.
fn orders(scene: &Scene, _: usize) {
    let body = json!({"type": "BUY", "payload": {"goodsId": scene.goods_id, "quantity": 1}, "id": 1});
    let burst = frame(TEXT, body.to_string().as_bytes()).repeat(64);
    let begin = Instant::now();
    keep(scene, 25, sockets_of_member(scene, "/ws"), |pipe, times, _| {
        pipe.drain()?;
        let due = begin.elapsed().as_secs_f64() * 1_900.0 >= times as f64 * 64.0;
        Ok(due && pipe.push(&burst)?)
    });
}

fn baskets(scene: &Scene, _: usize) {
    let items: Vec<_> = (1..=100).map(|id| json!({"goodsId": id, "quantity": 1})).collect();
    let body = json!({"type": "BUY", "payload": {"items": items}, "id": "x".repeat(60)});
    let burst = frame(TEXT, body.to_string().as_bytes()).repeat(8);
    keep(scene, 100, sockets_of_member(scene, "/ws"), |pipe, _, _| pipe.push(&burst));
}

fn fragments(scene: &Scene, _: usize) {
    let (first, more) = (frame(BEGIN, &[b' '; 60_000]), frame(FRAGMENT, &[b' '; 60_000]));
    let open = || websocket(scene.address, "/ws", None);
    // Up to the largest message, and then nothing.
    keep(scene, 400, open, |pipe, times, _| match times {
        0 => pipe.push(&first),
        1..=15 => pipe.push(&more),
        _ => pipe.check().map(|()| false),
    });
}

fn attachments(scene: &Scene, thread: usize) {
    let event = r#"451-["BUY",{"_placeholder":true,"num":0}]"#;
    let (first, more) = (frame(BINARY, &[0; 60_000]), frame(FRAGMENT, &[0; 60_000]));
    let token = (thread == 0).then_some(scene.attacker.token.as_str());
    let open = || websocket(scene.address, SOCKET_IO, token);
    keep(scene, 400, open, |pipe, times, _| match times {
        0 => pipe.push(&frame(TEXT, b"40")),
        // Its answer comes first.
        1 => Ok(pipe.drain()?.windows(7).any(|part| part == b"40{\"sid")),
        2 => pipe.push(&frame(TEXT, event.as_bytes())),
        3 => pipe.push(&first),
        4..=18 => pipe.push(&more),
        _ => pipe.check().map(|()| false),
    });
}

fn control(scene: &Scene, _: usize) {
    let bursts = [
        frame(PONG, b"").repeat(200),
        frame(TEXT, b"431[]").repeat(200),
        [frame(TEXT, b"41"), frame(TEXT, b"40")].concat(),
        frame(TEXT, b"3").repeat(200),
    ];
    keep(scene, 100, sockets_of_member(scene, SOCKET_IO), |pipe, times, number| {
        pipe.drain()?;
        pipe.push(if times == 0 { &TEXT_CONNECT } else { &bursts[number % bursts.len()] })
    });
}

/// `40` in a frame.
const TEXT_CONNECT: [u8; 8] = [TEXT, 0x82, 0, 0, 0, 0, b'4', b'0'];

/// A session that polls of its own each, and posts to it that stop before their end.
fn poll_bodies(scene: &Scene, _: usize) {
    let token = Some(scene.attacker.token.as_str());
    let sids = std::cell::RefCell::new(vec![String::new(); 400]);
    keep(
        scene,
        400,
        || plain(scene.address),
        |pipe, times, number| {
            let head = || {
                format!(
                    "POST {POLL}&sid={} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: text/plain\r\n",
                    sids.borrow()[number],
                    scene.attacker.token
                )
            };
            match times {
                0 => pipe.push(&request("GET", POLL, scene.address, token, None)),
                1 => {
                    let answer = String::from_utf8_lossy(&pipe.drain()?).into_owned();
                    let Some((_, rest)) = answer.split_once(r#""sid":""#) else { return Ok(false) };
                    sids.borrow_mut()[number] = rest.split('"').next().unwrap_or_default().to_owned();
                    Ok(true)
                }
                2 => pipe.push(format!("{}Content-Length: 2\r\n\r\n40", head()).as_bytes()),
                3 => Ok(!pipe.drain()?.is_empty()),
                4 => pipe.push(format!("{}Content-Length: 990000\r\n\r\n", head()).as_bytes()),
                5 => pipe.push(&vec![b' '; 900_000]),
                _ => Ok(!pipe.drain()?.is_empty()),
            }
        },
    );
}

fn answers(scene: &Scene, _: usize) {
    let burst = request("GET", "/api/goods", scene.address, None, None).repeat(50);
    keep(scene, 500, || plain(scene.address), |pipe, _, _| pipe.push(&burst));
}

fn slow(scene: &Scene, thread: usize) {
    let begin: &[u8] = if thread == 0 {
        b"GET /api/goods HTTP/1.1\r\nHost: x\r\nX-Slow: "
    } else {
        b"POST /api/auth HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"
    };
    keep(
        scene,
        1500,
        || plain(scene.address),
        |pipe, times, _| {
            pipe.check()?;
            pipe.push(if times == 0 { begin } else { b" " })
        },
    );
}

fn idle(scene: &Scene, _: usize) {
    let once = request("GET", "/healthz", scene.address, None, None);
    keep(
        scene,
        3000,
        || plain(scene.address),
        |pipe, times, _| {
            pipe.drain()?;
            Ok(times == 0 && pipe.push(&once)?)
        },
    );
}

fn churn(scene: &Scene, _: usize) {
    while !scene.is_over() {
        if plain(scene.address).and_then(|mut pipe| pipe.push(b"GET / HTTP/1.1\r\n")).is_ok() {
            scene.count(1);
        }
    }
}

fn streams(scene: &Scene, _: usize) {
    let open_stream = request("GET", "/api/events?after=0", scene.address, Some(&scene.attacker.token), None);
    keep(
        scene,
        300,
        || plain(scene.address),
        |pipe, times, _| match times {
            0 => pipe.push(&open_stream),
            _ => pipe.check().map(|()| false),
        },
    );
}

fn questions(scene: &Scene, thread: usize) {
    let body = json!({"type": "x".repeat(100), "payload": 1, "id": "x".repeat(60)});
    let burst = frame(TEXT, body.to_string().as_bytes()).repeat(100);
    let token = (thread == 0).then_some(scene.attacker.token.as_str());
    let open = || websocket(scene.address, "/ws", token);
    keep(scene, 140, open, |pipe, _, _| pipe.push(&burst));
}

fn chat(scene: &Scene, thread: usize) {
    let room = format!("room{thread}");
    let enter = frame(TEXT, json!({"type": "enter_room", "payload": room}).to_string().as_bytes());
    let text = json!({"type": "new_message", "payload": ["한".repeat(2000), room]});
    let say = frame(TEXT, text.to_string().as_bytes());
    keep(scene, 140, sockets_of_member(scene, "/ws"), |pipe, times, _| {
        pipe.push(if times == 0 { &enter } else { &say })
    });
}
