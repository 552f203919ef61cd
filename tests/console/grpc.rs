//! A client of gRPC that sends bytes as they are: one message, one answer, its trailers.

#![allow(dead_code, reason = "each test program uses its part")]

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};

/// A connection.
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    sender: SendRequest<Full<Bytes>>,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Called {
    pub code: u32,
    pub told: String,
    /// The message, without its frame.
    pub message: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sender = runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap();
            let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender
        });
        Self { runtime, sender }
    }

    /// Calls with a message that is compressed as `compression` says, if it says something.
    pub(crate) fn call(&mut self, path: &str, message: &[u8], compression: Option<&str>) -> Called {
        let mut frame = BytesMut::new();
        frame.put_u8(u8::from(compression.is_some()));
        frame.put_u32(u32::try_from(message.len()).unwrap());
        frame.put_slice(message);
        self.call_raw(path, frame.freeze(), compression)
    }

    /// Calls with a body of these bytes, frame and all.
    pub(crate) fn call_raw(&mut self, path: &str, body: Bytes, compression: Option<&str>) -> Called {
        let mut request = Request::post(format!("http://localhost{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        if let Some(compression) = compression {
            request = request.header("grpc-encoding", compression);
        }
        let request = request.body(Full::new(body)).unwrap();
        let sender = &mut self.sender;
        self.runtime.block_on(async {
            let response = sender.send_request(request).await.unwrap();
            assert_eq!(response.status(), 200, "{response:?}");
            let head = response.headers().clone();
            let body = response.into_body().collect().await.unwrap();
            let trailers = body.trailers().cloned().unwrap_or(head);
            let text = |name: &str| {
                let value = trailers.get(name).map(|value| value.to_str().unwrap());
                value.unwrap_or_default().replace("%20", " ")
            };
            let body = body.to_bytes();
            Called {
                code: text("grpc-status").parse().unwrap(),
                told: text("grpc-message"),
                message: body.get(5..).unwrap_or_default().to_vec(),
            }
        })
    }
}
