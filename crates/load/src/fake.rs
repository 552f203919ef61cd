//! The fake order service in memory, for unit tests in paused time: answers after a set time, and
//! stalls or refuses when told to.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    fault::{Fault, Kind},
    journey::{WallClock, World},
    trace::Untraced,
    transport::{Answer, Transport},
};

#[path = "../tests/support/fake_service.rs"]
mod service;

pub(crate) use service::{Call, FakeService, Trouble};

/// Between two times since the fake was made.
pub(crate) type Span = (Duration, Duration);

pub(crate) struct Fake {
    pub(crate) service: Arc<FakeService>,
    pub(crate) service_time: Duration,
    /// Requests that come then are answered at its end.
    pub(crate) stall: Option<Span>,
    /// Connections are refused then.
    pub(crate) down: Option<Span>,
    /// When each request came, and what it was.
    pub(crate) calls: Arc<Mutex<Vec<(Duration, String)>>>,
    began: Instant,
}

impl Fake {
    pub(crate) fn new(service_time: Duration) -> Self {
        Self {
            service: Arc::default(),
            service_time,
            stall: None,
            down: None,
            calls: Arc::default(),
            began: Instant::now(),
        }
    }

    pub(crate) fn world(self) -> World<Self> {
        World {
            transport: self,
            base: "http://fake/api".to_owned(),
            clock: clock(),
            patience: Duration::from_secs(10),
            tracing: Arc::new(Untraced),
        }
    }
}

pub(crate) fn clock() -> WallClock {
    Arc::new(|| "2026-01-02T03:04:05Z".to_owned())
}

impl Transport for Fake {
    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, Fault> {
        let at = self.began.elapsed();
        let line = format!("{} {}", request.method(), request.uri().path());
        self.calls.lock().unwrap().push((at, line));
        let within = |span: Option<Span>| span.filter(|(from, to)| (*from..*to).contains(&at));
        if within(self.down).is_some() {
            return Err(Fault::new(Kind::Connect, "refused"));
        }
        sleep(self.service_time).await;
        if let Some((_, to)) = within(self.stall) {
            sleep_until(self.began + to).await;
        }
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let reply = self.service.answer(&Call {
            method: parts.method.as_str(),
            path_and_query: parts.uri.path_and_query().unwrap().as_str(),
            header: &|name| Some(parts.headers.get(name)?.to_str().unwrap().to_owned()),
            body: &body,
        });
        let mut headers = HeaderMap::new();
        for (name, value) in reply.headers {
            headers.insert(name, value.parse().unwrap());
        }
        Ok(Answer { status: reply.status, headers, body: Bytes::from(reply.body) })
    }
}
