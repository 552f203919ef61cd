//! A client that costs as little as can be: one HTTP/1.1 connection, requests as ready-made bytes,
//! answers parsed for status and length only. Generator and server share the cores, so each
//! microsecond spent here is one that the server does not get.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The server said that it closes, so the next request needs another connection.
    is_over: bool,
}

pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { address, stream, buffer: Vec::with_capacity(16 * 1024), is_over: false })
    }

    /// Sends one request and reads its answer to the end.
    pub async fn send(&mut self, request: &[u8]) -> std::io::Result<Answer> {
        if self.is_over {
            *self = Self::open(self.address).await?;
        }
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let begin = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let head = Head::read(&self.buffer[..begin])?;
        self.is_over = head.is_last;
        let body = match head.length {
            Some(length) => {
                while self.buffer.len() < begin + length {
                    self.more().await?;
                }
                self.buffer[begin..begin + length].to_vec()
            }
            None => self.chunks(begin).await?,
        };
        Ok(Answer { status: head.status, body })
    }

    async fn more(&mut self) -> std::io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// A body in chunks, from this place of the buffer on.
    async fn chunks(&mut self, mut at: usize) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                match find(&self.buffer[at..], b"\r\n") {
                    Some(length) => break at + length,
                    None => self.more().await?,
                }
            };
            let length = std::str::from_utf8(&self.buffer[at..line]).ok();
            let length = length.and_then(|digits| usize::from_str_radix(digits.trim(), 16).ok());
            let length = length.ok_or_else(|| std::io::Error::other("a chunk without a length"))?;
            let begin = line + 2;
            while self.buffer.len() < begin + length + 2 {
                self.more().await?;
            }
            body.extend_from_slice(&self.buffer[begin..begin + length]);
            at = begin + length + 2;
            if length == 0 {
                return Ok(body);
            }
        }
    }
}

struct Head {
    status: u16,
    /// `None` where the body comes in chunks.
    length: Option<usize>,
    is_last: bool,
}

impl Head {
    fn read(bytes: &[u8]) -> std::io::Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        let bad = || std::io::Error::other(format!("an answer this client does not understand: {text}"));
        let status = text.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(bad)?;
        let value = |wanted: &str| {
            let pairs = text.lines().filter_map(|line| line.split_once(':'));
            pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
        };
        let is_last = value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let length = match (value("content-length"), value("transfer-encoding"), status) {
            (Some(length), ..) => Some(length.parse().map_err(|_| bad())?),
            (None, Some("chunked"), _) => None,
            (None, None, 204) => Some(0),
            _ => return Err(bad()),
        };
        Ok(Self { status, length, is_last })
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

pub fn post(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The head of a request with a body of this length, which follows it.
pub fn post_head(path: &str, headers: &str, length: usize) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n").into_bytes()
}
