//! A mail server that keeps what it is handed: as much of SMTP (RFC 5321) as a client needs.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::until;

/// The server. Letters come in the order in which they were taken.
#[derive(Clone)]
pub struct Sink {
    /// `smtp://127.0.0.1:41234`
    pub url: String,
    letters: Arc<Mutex<Vec<String>>>,
    refusals: Arc<AtomicUsize>,
}

impl Sink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let sink = Self { url, letters: Arc::default(), refusals: Arc::default() };
        let serving = sink.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(socket));
            }
        });
        sink
    }

    /// How many letters came.
    pub fn count(&self) -> usize {
        self.letters.lock().unwrap().len()
    }

    /// A letter with its head, as a reader sees it, once it has come.
    pub async fn letter(&self, index: usize) -> String {
        let letters = Arc::clone(&self.letters);
        let look = || {
            let found = letters.lock().unwrap().get(index).cloned();
            async { found }
        };
        decoded(&until("a letter", look).await)
    }

    async fn serve(self, socket: TcpStream) {
        let mut socket = BufReader::new(socket);
        let (mut line, mut letter, mut in_data) = (String::new(), String::new(), false);
        let mut answer = "220 sink\r\n";
        loop {
            if socket.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
            line.clear();
            if socket.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            if in_data {
                in_data = line != ".\r\n";
                answer = if in_data { "" } else { "250 kept\r\n" };
                if in_data {
                    letter.push_str(&line);
                } else {
                    self.letters.lock().unwrap().push(std::mem::take(&mut letter));
                }
                continue;
            }
            let word = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            answer = match word.as_str() {
                "EHLO" | "HELO" => "250-sink\r\n250 SMTPUTF8\r\n",
                "MAIL" if self.is_busy() => "451 later\r\n",
                "DATA" => {
                    in_data = true;
                    "354 go on\r\n"
                }
                "QUIT" => "221 bye\r\n",
                _ => "250 ok\r\n",
            };
        }
    }

    /// From now on so many letters are put off.
    pub fn be_busy(&self, times: usize) {
        self.refusals.store(times, Ordering::Relaxed);
    }

    fn is_busy(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// The head as it came, the body in the clear.
fn decoded(letter: &str) -> String {
    let (head, body) = letter.split_once("\r\n\r\n").unwrap();
    let body = if head.contains("base64") {
        let packed: String = body.split_whitespace().collect();
        String::from_utf8(BASE64_STANDARD.decode(packed).unwrap()).unwrap()
    } else if head.contains("quoted-printable") {
        // Enough for what is ASCII but for `=`.
        body.replace("=\r\n", "").replace("=3D", "=")
    } else {
        body.to_owned()
    };
    format!("{head}\r\n\r\n{body}")
}
