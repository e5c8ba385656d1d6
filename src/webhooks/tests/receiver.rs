//! A receiver on loopback that does what receivers do, the bad ones too. It speaks just enough HTTP to say so.

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What it does with a request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Answers these bytes and goes on with the connection.
    Say(String),
    /// Answers these bytes and closes.
    SayAndClose(String),
    /// Answers these bytes and then writes on and on.
    NoEnd(String),
    /// Says nothing and keeps the connection.
    Hang,
    /// Closes without an answer.
    Close,
}

impl Act {
    pub(super) fn status(status: u16) -> Self {
        Self::answer(status, "", "")
    }

    /// `headers` is lines, each ended with CRLF.
    pub(super) fn answer(status: u16, headers: &str, body: &str) -> Self {
        Self::Say(format!("HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()))
    }
}

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// Request line and headers, in lower case.
    pub(super) head: String,
    pub(super) body: String,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_default()
    }
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    connections: usize,
    script: VecDeque<Act>,
    otherwise: Option<Act>,
}

/// A listening receiver.
#[derive(Clone)]
pub(super) struct Receiver {
    pub(super) port: u16,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    /// Answers 200.
    pub(super) async fn start() -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into()).await
    }

    pub(super) async fn start_at(address: IpAddr) -> Self {
        Self::listen(TcpListener::bind((address, 0)).await.unwrap())
    }

    pub(super) fn listen(listener: TcpListener) -> Self {
        let receiver = Self { port: listener.local_addr().unwrap().port(), state: Arc::default() };
        let served = receiver.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                served.state.lock().unwrap().connections += 1;
                let served = served.clone();
                tokio::spawn(async move { served.serve(socket).await });
            }
        });
        receiver
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// What is done with the next requests, one each.
    pub(super) fn script(&self, acts: impl IntoIterator<Item = Act>) {
        self.state.lock().unwrap().script.extend(acts);
    }

    /// What is done with all requests after the script.
    pub(super) fn always(&self, act: Act) {
        self.state.lock().unwrap().otherwise = Some(act);
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    async fn serve(&self, mut socket: TcpStream) -> Option<()> {
        let mut bytes = Vec::new();
        loop {
            let received = request(&mut socket, &mut bytes).await?;
            let act = {
                let mut state = self.state.lock().unwrap();
                state.received.push(received);
                let scripted = state.script.pop_front().or_else(|| state.otherwise.clone());
                scripted.unwrap_or_else(|| Act::status(200))
            };
            match act {
                Act::Say(text) => socket.write_all(text.as_bytes()).await.ok()?,
                Act::SayAndClose(text) => {
                    socket.write_all(text.as_bytes()).await.ok()?;
                    return None;
                }
                Act::NoEnd(text) => {
                    socket.write_all(text.as_bytes()).await.ok()?;
                    loop {
                        socket.write_all(&[b'x'; 400]).await.ok()?;
                    }
                }
                Act::Hang => {
                    // Until the other end goes.
                    let _ = socket.read(&mut [0; 1]).await;
                    return None;
                }
                Act::Close => return None,
            }
        }
    }
}

async fn request(socket: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Received> {
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                let body = String::from_utf8(bytes[end + 4..end + 4 + length].to_vec()).unwrap();
                bytes.drain(..end + 4 + length);
                return Some(Received { head, body });
            }
        }
        if socket.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}
