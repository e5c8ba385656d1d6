//! The attacks. Each is what one thread of an attacker does until it is over; several do it at once.

use std::{
    io,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    scene::Scene,
    wire::{ATTACKER, BEGIN, BINARY, FRAGMENT, PONG, TEXT, connect, drain, frame, push, websocket},
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

/// Keeps so many sockets open: opens what is missing, and does something with each in turn; whoever ended is replaced.
fn keep(
    scene: &Scene,
    most: usize,
    open: impl Fn(usize) -> io::Result<TcpStream>,
    mut act: impl FnMut(&mut TcpStream, usize) -> io::Result<()>,
) {
    let mut sockets: Vec<Option<TcpStream>> = (0..most).map(|_| None).collect();
    while !scene.is_over() {
        let mut failed = 0;
        for (number, place) in sockets.iter_mut().enumerate() {
            if scene.is_over() {
                return;
            }
            if place.is_none() {
                *place = open(number).ok();
            }
            match place {
                None => failed += 1,
                Some(socket) => match act(socket, number) {
                    Ok(()) => scene.count(1),
                    Err(_) => *place = None,
                },
            }
        }
        if failed == most {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn plain(scene: &Scene) -> io::Result<TcpStream> {
    let socket = connect(ATTACKER, scene.address, Duration::from_secs(1))?;
    socket.set_read_timeout(Some(Duration::from_millis(1)))?;
    socket.set_write_timeout(Some(Duration::from_millis(20)))?;
    Ok(socket)
}

/// Sends the same again and again over some connections, and takes the answers.
fn flood(scene: &Scene, connections: usize, bytes: &dyn Fn() -> Vec<u8>) {
    keep(
        scene,
        connections,
        |_| plain(scene),
        |socket, _| {
            push(socket, &bytes())?;
            drain(socket).map(drop)
        },
    );
}

fn handshakes(scene: &Scene, _: usize) {
    let burst = request("GET", POLL, scene.address, None, None).repeat(16);
    flood(scene, 8, &|| burst.clone());
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

fn log_ins(scene: &Scene, thread: usize) {
    let number = std::cell::Cell::new(0);
    flood(scene, 60, &|| {
        number.set(number.get() + 1);
        // Half of them for the members.
        let name = if number.get() % 2 == 0 {
            format!("member{}", number.get() % 6)
        } else {
            format!("n{thread}x{}", number.get())
        };
        let body = json!({"email": format!("{name}@example.com"), "password": "a wrong password"});
        request("POST", "/api/auth", scene.address, None, Some(&body))
    });
}

fn sockets_of_member(scene: &Scene, path: &'static str) -> impl Fn(usize) -> io::Result<TcpStream> {
    move |_| websocket(scene.address, path, Some(&scene.attacker.token))
}

fn orders(scene: &Scene, _: usize) {
    let body = json!({"type": "BUY", "payload": {"goodsId": scene.goods_id, "quantity": 1}, "id": 1});
    // Just below the rate at which a session is closed, when the sockets have their turns.
    let burst = frame(TEXT, body.to_string().as_bytes()).repeat(64);
    let begin = Instant::now();
    let mut sent = [0_u64; 25];
    keep(scene, 25, sockets_of_member(scene, "/ws"), |socket, number| {
        if sent[number] as f64 <= begin.elapsed().as_secs_f64() * 1_900.0 && push(socket, &burst)? {
            sent[number] += 64;
        }
        drain(socket).map(drop)
    });
}

fn baskets(scene: &Scene, _: usize) {
    let items: Vec<_> = (1..=100).map(|id| json!({"goodsId": id, "quantity": 1})).collect();
    let body = json!({"type": "BUY", "payload": {"items": items}, "id": "x".repeat(60)});
    let burst = frame(TEXT, body.to_string().as_bytes()).repeat(8);
    keep(scene, 100, sockets_of_member(scene, "/ws"), |socket, _| push(socket, &burst).map(drop));
}

fn fragments(scene: &Scene, _: usize) {
    let (first, more) = (frame(BEGIN, &[b' '; 60_000]), frame(FRAGMENT, &[b' '; 60_000]));
    let mut begun = [false; 400];
    let open = |_| websocket(scene.address, "/ws", None);
    keep(scene, 400, open, |socket, number| {
        let sent = push(socket, if begun[number] { &more } else { &first });
        begun[number] = sent.is_ok();
        sent.map(drop)
    });
}

fn attachments(scene: &Scene, thread: usize) {
    let event = r#"451-["BUY",{"_placeholder":true,"num":0}]"#;
    let head = [frame(TEXT, b"40"), frame(TEXT, event.as_bytes())].concat();
    let part = frame(BINARY & 0x0F, &[0; 60_000]);
    let more = frame(FRAGMENT, &[0; 60_000]);
    let token = (thread == 0).then_some(scene.attacker.token.as_str());
    let mut sent = [0; 140];
    let open = |_| websocket(scene.address, SOCKET_IO, token);
    keep(scene, 140, open, |socket, number| {
        let bytes = match sent[number] {
            0 => &head,
            1 => &part,
            _ => &more,
        };
        let outcome = push(socket, bytes);
        sent[number] = if outcome.is_ok() { sent[number] + 1 } else { 0 };
        if sent[number] == 1 {
            // Its answer comes first.
            thread::sleep(Duration::from_millis(1));
        }
        outcome.map(drop)
    });
}

fn control(scene: &Scene, _: usize) {
    let pongs = frame(PONG, b"").repeat(200);
    let acks = frame(TEXT, b"431[]").repeat(200);
    let comings = [frame(TEXT, b"41"), frame(TEXT, b"40")].concat().repeat(100);
    let heartbeats = frame(TEXT, b"3").repeat(200);
    let bursts = [pongs, acks, comings, heartbeats];
    let open = sockets_of_member(scene, SOCKET_IO);
    let open = |number| {
        let mut socket = open(number)?;
        push(&mut socket, &frame(TEXT, b"40"))?;
        Ok(socket)
    };
    keep(scene, 50, open, |socket, number| {
        push(socket, &bursts[number % bursts.len()])?;
        drain(socket).map(drop)
    });
}

fn poll_bodies(scene: &Scene, _: usize) {
    keep(
        scene,
        400,
        |_| plain(scene),
        |socket, _| {
            // A session of its own each: its id is somewhere in the answer.
            push(socket, &request("GET", POLL, scene.address, Some(&scene.attacker.token), None))?;
            thread::sleep(Duration::from_millis(1));
            let mut answer = [0; 4096];
            let read = io::Read::read(socket, &mut answer).unwrap_or(0);
            let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
            let Some((_, rest)) = answer.split_once(r#""sid":""#) else { return Ok(()) };
            let sid = rest.split('"').next().unwrap_or_default();
            let head = format!(
                "POST {POLL}&sid={sid} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n",
                scene.attacker.token
            );
            push(
                socket,
                format!("{head}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n40").as_bytes(),
            )?;
            thread::sleep(Duration::from_millis(2));
            drain(socket)?;
            push(
                socket,
                format!("{head}Content-Type: text/plain\r\nContent-Length: 990000\r\n\r\n").as_bytes(),
            )?;
            push(socket, &vec![b' '; 900_000]).map(drop)
        },
    );
}

fn answers(scene: &Scene, _: usize) {
    let burst = request("GET", "/api/goods", scene.address, None, None).repeat(50);
    keep(scene, 500, |_| plain(scene), |socket, _| push(socket, &burst).map(drop));
}

fn slow(scene: &Scene, thread: usize) {
    let request: &[u8] = if thread == 0 {
        b"GET /api/goods HTTP/1.1\r\nHost: x\r\nX-Slow: "
    } else {
        b"POST /api/auth HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"
    };
    let mut begun = vec![false; 1500];
    keep(
        scene,
        1500,
        |_| plain(scene),
        |socket, number| {
            let bytes = if begun[number] { b" ".as_slice() } else { request };
            let sent = push(socket, bytes);
            begun[number] = sent.is_ok();
            sent.map(drop)
        },
    );
}

fn idle(scene: &Scene, _: usize) {
    let once = request("GET", "/healthz", scene.address, None, None);
    let mut asked = vec![false; 3000];
    keep(
        scene,
        3000,
        |_| plain(scene),
        |socket, number| {
            if !asked[number] {
                push(socket, &once)?;
                asked[number] = true;
            }
            let alive = socket.set_nonblocking(true).and_then(|()| drain(socket));
            asked[number] = alive.is_ok();
            alive.map(drop)
        },
    );
}

fn churn(scene: &Scene, _: usize) {
    while !scene.is_over() {
        if plain(scene).and_then(|mut socket| push(&mut socket, b"GET / HTTP/1.1\r\n")).is_ok() {
            scene.count(1);
        }
    }
}

fn streams(scene: &Scene, _: usize) {
    let open_stream = request("GET", "/api/events?after=0", scene.address, Some(&scene.attacker.token), None);
    let mut begun = [false; 300];
    keep(
        scene,
        300,
        |_| plain(scene),
        |socket, number| {
            if !begun[number] {
                push(socket, &open_stream)?;
                begun[number] = true;
            }
            let mut one = [0; 1];
            socket.set_nonblocking(true)?;
            let alive = socket.peek(&mut one);
            let ended = matches!(&alive, Ok(0))
                || matches!(&alive, Err(error) if error.kind() != io::ErrorKind::WouldBlock);
            begun[number] = !ended;
            if ended { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
        },
    );
}

fn questions(scene: &Scene, thread: usize) {
    let body = json!({"type": "x".repeat(100), "payload": 1, "id": "x".repeat(60)});
    let burst = frame(TEXT, body.to_string().as_bytes()).repeat(100);
    let token = (thread == 0).then_some(scene.attacker.token.as_str());
    let open = |_| websocket(scene.address, "/ws", token);
    keep(scene, 140, open, |socket, _| push(socket, &burst).map(drop));
}

fn chat(scene: &Scene, thread: usize) {
    let enter =
        frame(TEXT, json!({"type": "enter_room", "payload": format!("room{thread}")}).to_string().as_bytes());
    let text = json!({"type": "new_message", "payload": ["한".repeat(2000), format!("room{thread}")]});
    let say = frame(TEXT, text.to_string().as_bytes());
    let mut entered = [false; 140];
    keep(scene, 140, sockets_of_member(scene, "/ws"), |socket, number| {
        let sent = push(socket, if entered[number] { &say } else { &enter });
        entered[number] = sent.is_ok();
        sent.map(drop)
    });
}
