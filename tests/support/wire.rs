//! HTTP/1.1 by hand, for what a well-behaved client would not send or would not show: heads of any size,
//! bodies that break off, answers still compressed, connections that stay open.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::PATIENCE;

/// An answer as bytes.
#[derive(Debug)]
pub(crate) struct Raw {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Raw {
    /// A header's value, its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A connection to a service's URL.
pub(crate) fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes and reads one answer. The server may answer and close before it has read everything, so
/// a broken pipe is no failure yet.
pub(crate) fn exchange(stream: &mut TcpStream, request: &[u8]) -> Raw {
    let _ = stream.write_all(request);
    read(stream)
}

/// Reads one answer: a head, and as much body as `Content-Length` or the chunks say.
pub(crate) fn read(stream: &mut TcpStream) -> Raw {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        let read = stream.read(&mut byte).unwrap();
        assert_eq!(read, 1, "the connection ended within the head: {:?}", String::from_utf8_lossy(&head));
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut raw = Raw { status, head, body: Vec::new() };
    if let Some(length) = raw.header("content-length") {
        raw.body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut raw.body).unwrap();
    } else if raw.header("transfer-encoding") == Some("chunked") {
        raw.body = chunks(stream);
    }
    raw
}

/// Reads until these words have come.
pub(crate) fn read_until(stream: &mut TcpStream, words: &str) {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(words) {
        let mut some = [0; 1024];
        let length = stream.read(&mut some).unwrap();
        assert!(length > 0, "the connection ended before {words:?}: {:?}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&some[..length]);
    }
}

fn chunks(stream: &mut TcpStream) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            line.push(byte[0]);
        }
        let size = usize::from_str_radix(String::from_utf8(line).unwrap().trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&chunk[..size]);
    }
}
