//! A small HTTP/1.1 client: one request after another on one connection.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use memchr::memmem;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Result;

/// What matters in the head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// Bytes of the head itself.
    pub length: usize,
    /// Bytes of the body that follows; `None` when it comes in chunks or without an end.
    pub body: Option<usize>,
}

impl Head {
    /// Reads a head; `None` when more must come.
    ///
    /// # Errors
    /// It is no HTTP.
    pub fn parse(data: &[u8]) -> Result<Option<Self>> {
        let Some(end) = memmem::find(data, b"\r\n\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&data[..end])?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
        let status = status.ok_or("the server does not answer in HTTP/1.1")?;
        let body = lines.filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        Ok(Some(Self { status, length: end + 4, body }))
    }
}

/// A request as it is sent.
#[must_use]
pub fn request(
    method: &str,
    path: &str,
    address: SocketAddr,
    token: Option<&str>,
    body: Option<&Value>,
) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n");
    if let Some(token) = token {
        text += &format!("authorization: Bearer {token}\r\n");
    }
    match body {
        None => text += "\r\n",
        Some(body) => {
            let body = body.to_string();
            text += "content-type: application/json\r\n";
            text += &format!("content-length: {}\r\n\r\n{body}", body.len());
        }
    }
    text.into_bytes()
}

/// What a server answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body, which is text.
    pub body: String,
}

/// A connection that is kept.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    address: SocketAddr,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, address })
    }

    /// Sends a request and waits for the answer.
    ///
    /// # Errors
    /// There is none within 30 s, or it has no length.
    pub fn call(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer> {
        self.stream.write_all(&request(method, path, self.address, token, body))?;
        let mut data = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if let Some(head) = Head::parse(&data)? {
                let length = head.length + head.body.ok_or("an answer without a length")?;
                if data.len() >= length {
                    let body = String::from_utf8(data.split_off(head.length))?;
                    return Ok(Answer { status: head.status, headers: headers(&data), body });
                }
            }
            match self.stream.read(&mut buffer)? {
                0 => return Err(format!("{method} {path}: the server closed the connection").into()),
                length => data.extend_from_slice(&buffer[..length]),
            }
        }
    }

    /// As [`Connection::call`], for an answer in JSON that says that all is well.
    ///
    /// # Errors
    /// It says something else.
    pub fn json(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value> {
        let answer = self.call(method, path, token, body)?;
        if !(200..300).contains(&answer.status) {
            return Err(format!("{method} {path}: {} {}", answer.status, answer.body).into());
        }
        Ok(serde_json::from_str(&answer.body)?)
    }
}

fn headers(head: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(head);
    let pairs = text.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_how_much_follows() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello";
        let expected = Head { status: 200, length: head.len() - 5, body: Some(12) };
        assert_eq!(Head::parse(head).unwrap(), Some(expected));
        assert_eq!(Head::parse(&head[..30]).unwrap(), None);
        assert!(Head::parse(b"SSH-2.0\r\n\r\n").is_err());
    }
}
