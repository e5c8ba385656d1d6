//! Orders at a steady rate, each with a key and again until it is acknowledged: what is told exists once, whatever
//! happens to the server meanwhile.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::{
    Result,
    client::{Target, http::Head},
};

/// Before an order that was not acknowledged is sent again.
const RETRY: Duration = Duration::from_millis(20);
/// So late may an order be and the next ones come the sooner for it.
const MADE_UP: Duration = Duration::from_secs(1);
/// How often the last order is sent again: ten seconds without a server that answers.
const LAST_ATTEMPTS: u32 = 500;

/// A thread that orders, on the core of its caller.
pub(super) struct Publisher {
    over: Arc<AtomicBool>,
    /// The number of the last order that was acknowledged, which is the id of its alert.
    pub(super) latest: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    /// Begins to order at a steady rate: with so long from one order to the next.
    pub(super) fn start(target: &Target, gap: Duration) -> Self {
        let (over, latest) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let buyer = Buyer {
            address: target.address,
            authorization: target
                .token
                .as_ref()
                .map(|token| format!("authorization: Bearer {token}\r\n"))
                .unwrap_or_default(),
            goods_id: target.goods_id,
            connection: None,
        };
        let thread = {
            let (over, latest) = (Arc::clone(&over), Arc::clone(&latest));
            std::thread::spawn(move || buyer.buy(gap, &over, &latest))
        };
        Self { over, latest, thread: Some(thread) }
    }

    /// How many orders were acknowledged.
    pub(super) fn acknowledged(&self) -> u64 {
        self.latest.load(Ordering::Relaxed)
    }

    /// Lets the order that is under way be the last. `meanwhile` is done again and again until it is acknowledged.
    /// Answers how many there were.
    ///
    /// # Errors
    /// Those of `meanwhile`.
    pub(super) fn end(mut self, mut meanwhile: impl FnMut() -> Result<()>) -> Result<u64> {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            meanwhile()?;
        }
        if let Some(thread) = self.thread.take() {
            thread.join().map_err(|_| "the publisher panicked")?;
        }
        Ok(self.acknowledged())
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

struct Buyer {
    address: SocketAddr,
    /// A line of the head, or nothing.
    authorization: String,
    goods_id: u64,
    connection: Option<TcpStream>,
}

impl Buyer {
    fn buy(mut self, gap: Duration, over: &AtomicBool, latest: &AtomicU64) {
        let mut due = Instant::now();
        let mut number = 0;
        while !over.load(Ordering::Relaxed) {
            number += 1;
            let text = self.order(number);
            let mut last_attempts = LAST_ATTEMPTS;
            while self.request(&text) != Some(201) {
                self.connection = None;
                if over.load(Ordering::Relaxed) {
                    last_attempts -= 1;
                    if last_attempts == 0 {
                        return;
                    }
                }
                std::thread::sleep(RETRY);
            }
            latest.store(number, Ordering::Relaxed);
            due += gap;
            // What is late is made up for, so that all servers get the same load. After a stall it would be a burst.
            if due.elapsed() > MADE_UP {
                due = Instant::now();
            }
            while !over.load(Ordering::Relaxed)
                && let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
            {
                std::thread::park_timeout(left);
            }
        }
    }

    /// An order. Peers take the id of its alert from the key, so that a restart does not begin anew.
    fn order(&self, number: u64) -> String {
        let Self { address, authorization, goods_id, .. } = self;
        let body = format!(r#"{{"items":[{{"goodsId":{goods_id},"quantity":1}}]}}"#);
        format!(
            "POST /api/orders HTTP/1.1\r\nhost: {address}\r\n{authorization}content-type: application/json\r\n\
             idempotency-key: order-{number}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// The status of the answer, if there is one.
    fn request(&mut self, text: &str) -> Option<u16> {
        if self.connection.is_none() {
            let stream = TcpStream::connect(self.address).ok()?;
            stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
            self.connection = Some(stream);
        }
        let stream = self.connection.as_mut()?;
        stream.write_all(text.as_bytes()).ok()?;
        let mut data = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            if let Some(head) = Head::parse(&data).ok()?
                && data.len() >= head.length + head.body?
            {
                return Some(head.status);
            }
            match stream.read(&mut buffer).ok()? {
                0 => return None,
                length => data.extend_from_slice(&buffer[..length]),
            }
        }
    }
}
