//! Heartbeats of sessions that poll, also when the server itself was late: the program is held up with SIGSTOP, as a
//! busy machine would hold it up.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::polling::Polling;
use crate::{
    serving::{Serving, folder},
    support::{pass, within},
};

const INTERVAL: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(2);

fn serve(folder: &std::path::Path) -> Serving {
    Serving::start(folder, &["--ping-interval", "1s", "--ping-timeout", "2s", "--workers", "1"])
}

/// A client in the namespace: one that does not connect to it is ended soon.
async fn connected(serving: &Serving) -> Polling {
    let session = Polling::open_at(serving.http(), None).await;
    session.post("40").await.expect(200);
    assert!(session.poll().await.expect(200).text.starts_with("40"));
    session
}

/// A connection that the server knows already.
async fn connection(serving: &Serving) -> TcpStream {
    let mut socket = TcpStream::connect(serving.addr()).await.unwrap();
    send(&mut socket, &format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", serving.addr())).await;
    within("an answer", socket.read(&mut [0; 4096])).await.unwrap();
    socket
}

async fn send(socket: &mut TcpStream, request: &str) {
    socket.write_all(request.as_bytes()).await.unwrap();
}

fn get(serving: &Serving, session: &Polling) -> String {
    format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", session.path, serving.addr())
}

fn pong(serving: &Serving, session: &Polling) -> String {
    let (path, host) = (&session.path, serving.addr());
    format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\n3")
}

/// Head and body of a short answer.
async fn answer(socket: &mut TcpStream) -> String {
    let mut read = Vec::new();
    within("an answer", async {
        while !read.ends_with(b"\r\n\r\n2") && !read.ends_with(b"ok") && !read.ends_with(b"}") {
            assert_ne!(socket.read_buf(&mut read).await.unwrap(), 0, "{read:?}");
        }
    })
    .await;
    String::from_utf8(read).unwrap()
}

/// The session ends, and not before a client had its time.
async fn ends_after_its_time(session: &Polling) {
    let begin = Instant::now();
    let end = session.poll().await;
    assert!(end.status == 400 || end.text == "1", "{end:?}");
    assert!(begin.elapsed() > TIMEOUT * 3 / 4, "it was given time: {:?}", begin.elapsed());
    Polling::is_unknown(&session.poll().await);
}

#[tokio::test]
async fn a_client_that_polls_has_its_whole_ping_timeout_from_when_the_ping_leaves() {
    let folder = folder();
    let serving = serve(folder.path());
    let session = connected(&serving).await;
    let mut polling = connection(&serving).await;
    send(&mut polling, &get(&serving, &session)).await;
    // The one thread that serves has read the poll when it answers what came later.
    connection(&serving).await;
    serving.hold_up(INTERVAL + TIMEOUT + TIMEOUT).await;
    let ping = answer(&mut polling).await;
    assert!(ping.starts_with("HTTP/1.1 200") && ping.ends_with('2'), "{ping}");
    // Late, but within the time that the handshake promised.
    pass(TIMEOUT / 2).await;
    session.post("3").await.expect(200);
    assert_eq!(session.poll().await.expect(200).text, "2", "the session goes on");
    ends_after_its_time(&session).await;
}

#[tokio::test]
async fn a_poll_that_lay_unread_while_the_server_was_held_up_counts() {
    let folder = folder();
    let serving = serve(folder.path());
    let session = connected(&serving).await;
    let mut polling = connection(&serving).await;
    serving.signal("-STOP");
    send(&mut polling, &get(&serving, &session)).await;
    serving.hold_up(INTERVAL + TIMEOUT + TIMEOUT).await;
    let ping = answer(&mut polling).await;
    assert!(ping.starts_with("HTTP/1.1 200") && ping.ends_with('2'), "{ping}");
    ends_after_its_time(&session).await;
}

#[tokio::test]
async fn an_answer_that_lay_unread_while_the_server_was_held_up_counts() {
    let folder = folder();
    let serving = serve(folder.path());
    let session = connected(&serving).await;
    let mut answering = connection(&serving).await;
    assert_eq!(session.poll().await.expect(200).text, "2");
    serving.signal("-STOP");
    send(&mut answering, &pong(&serving, &session)).await;
    serving.hold_up(TIMEOUT * 3 / 2).await;
    let taken = answer(&mut answering).await;
    assert!(taken.starts_with("HTTP/1.1 200"), "{taken}");
    assert_eq!(session.poll().await.expect(200).text, "2", "the session goes on");
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_closed_although_the_server_was_held_up() {
    let folder = folder();
    let serving = serve(folder.path());
    let session = connected(&serving).await;
    assert_eq!(session.poll().await.expect(200).text, "2");
    serving.hold_up(TIMEOUT * 3 / 2).await;
    let begin = Instant::now();
    let end = session.poll().await;
    assert!(end.status == 400 || end.text == "1", "{end:?}");
    assert!(begin.elapsed() < TIMEOUT, "its time was up: {:?}", begin.elapsed());
}

#[tokio::test]
async fn a_client_that_does_not_come_for_its_ping_is_closed() {
    let folder = folder();
    let serving = serve(folder.path());
    let session = connected(&serving).await;
    pass(INTERVAL + TIMEOUT + INTERVAL).await;
    Polling::is_unknown(&session.poll().await);
}
