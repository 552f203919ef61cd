//! Alertmanagers elsewhere: what rules have to say waits for each of them, within bounds, and is sent as
//! Prometheus sends it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::Notify;

use super::delivery::{Client, Told};
use super::{Notice, Outcome};
use crate::rules::Texts;
use crate::time;

/// What may wait for one Alertmanager; the oldest give way.
const WAITING_MAX: usize = 10_000;
/// Alerts in one request.
const TOGETHER_MAX: usize = 256;
/// Where an Alertmanager takes alerts.
const PATH: &str = "/api/v2/alerts";

/// One Alertmanager.
#[derive(Debug)]
pub struct Forwarder {
    url: String,
    waiting: Mutex<VecDeque<Notice>>,
    wake: Notify,
    sent: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent<'a> {
    annotations: &'a Texts,
    ends_at: String,
    starts_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    labels: &'a Texts,
}

impl Forwarder {
    /// One that is reached at this URL, such as `http://alertmanager:9093`.
    pub fn new(base: &str) -> Self {
        let url = format!("{}{PATH}", base.trim_end_matches('/'));
        let (waiting, wake) = (Mutex::default(), Notify::new());
        Self { url, waiting, wake, sent: AtomicU64::new(0), dropped: AtomicU64::new(0), failed: AtomicU64::new(0) }
    }

    /// Where alerts are sent.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Alerts sent, alerts dropped, and requests that failed.
    pub fn counts(&self) -> (u64, u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.sent), read(&self.dropped), read(&self.failed))
    }

    /// Has this wait.
    pub fn push(&self, notices: &[Notice]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(notices.iter().cloned());
        let excess = waiting.len().saturating_sub(WAITING_MAX);
        waiting.drain(..excess);
        drop(waiting);
        self.dropped.fetch_add(excess as u64, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Waits until something waits.
    pub async fn ready(&self) {
        loop {
            let woken = self.wake.notified();
            if !self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                return;
            }
            woken.await;
        }
    }

    /// Sends some of what waits. What cannot be sent is dropped: rules say it again before it is out of date.
    pub async fn send(&self, client: &Client) -> Told {
        let notices: Vec<Notice> = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let count = waiting.len().min(TOGETHER_MAX);
            waiting.drain(..count).collect()
        };
        if notices.is_empty() {
            return None;
        }
        let count = notices.len() as u64;
        let (outcome, told) = client.post(&self.url, body(&notices)).await;
        match outcome {
            Outcome::Arrived => self.sent.fetch_add(count, Ordering::Relaxed),
            Outcome::Failed | Outcome::Refused => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                self.dropped.fetch_add(count, Ordering::Relaxed)
            }
        };
        told
    }
}

fn body(notices: &[Notice]) -> Bytes {
    let sent = notices.iter().map(|notice| Sent {
        annotations: &notice.annotations,
        ends_at: time::exact(notice.ends_at_ms),
        starts_at: time::exact(notice.starts_at_ms),
        generator_url: &notice.generator_url,
        labels: &notice.labels,
    });
    let sent: Vec<Sent<'_>> = sent.collect();
    serde_json::to_vec(&sent).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(number: usize) -> Notice {
        Notice {
            labels: Texts::from([("alertname".to_owned(), format!("A{number}"))]),
            annotations: Texts::new(),
            starts_at_ms: 1_500,
            ends_at_ms: 2_000,
            generator_url: "http://here".to_owned(),
        }
    }

    #[test]
    fn what_waits_is_bounded_and_the_oldest_give_way() {
        let forwarder = Forwarder::new("http://alertmanager.test:9093/");
        assert_eq!(forwarder.url(), "http://alertmanager.test:9093/api/v2/alerts");
        let notices: Vec<Notice> = (0..WAITING_MAX + 3).map(notice).collect();
        forwarder.push(&notices);
        assert_eq!(forwarder.counts(), (0, 3, 0));
        assert_eq!(forwarder.waiting.lock().unwrap().front(), notices.get(3));
    }

    #[test]
    fn alerts_are_sent_in_the_form_that_alertmanager_takes() {
        let text = String::from_utf8(body(&[notice(1)]).to_vec()).unwrap();
        assert_eq!(
            text,
            r#"[{"annotations":{},"endsAt":"1970-01-01T00:00:02.000Z","startsAt":"1970-01-01T00:00:01.500Z","generatorURL":"http://here","labels":{"alertname":"A1"}}]"#
        );
    }
}
