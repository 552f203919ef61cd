//! A million lines as applications write them: made, sent to whoever keeps lines, and written to a file for who
//! reads files. What is asked of them is none of its business.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::{Connection, post_head};
use crate::console::parties::{Kind, Party};
use crate::console::template::{mix, now_ns};

pub const LINES: u64 = 1_000_000;
/// From one line to the next, nanoseconds.
const APART_NS: u64 = 1_000_000;
/// Lines of one request.
const BATCH: u64 = 5_000;
const STREAMS: u64 = 20;
const PATIENCE: Duration = Duration::from_secs(60);

/// Bodies of Loki's push, in order of time, and all lines as one text.
pub struct Lines {
    pub begin_ns: u64,
    bodies: Vec<String>,
    text: String,
}

/// Some 200 bytes of JSON.
fn line(number: u64) -> String {
    let chance = mix(number);
    let method = ["GET", "POST", "PUT"][(chance % 3) as usize];
    let status = [200, 200, 200, 200, 201, 404, 500][(chance >> 8) as usize % 7];
    let level = match status {
        500 => "error",
        404 => "warn",
        _ => "info",
    };
    let order = chance >> 16 & 0xf_ffff;
    let fate = ["placed", "paid", "failed", "lost"][(chance >> 40) as usize % 4];
    let word = if number.is_multiple_of(9_973) { " needle" } else { "" };
    format!(
        "{{\"level\":\"{level}\",\"method\":\"{method}\",\"route\":\"/api/orders/{}\",\"status\":{status},\"took\":{}.{},\"trace\":\"{:032x}\",\"msg\":\"order {order} {fate}{word}\"}}",
        chance % 12,
        chance >> 20 & 0xff,
        chance >> 30 & 7,
        u128::from(chance) << 64 | u128::from(mix(chance)),
    )
}

impl Lines {
    pub fn new() -> Self {
        // No line is on a whole second, where windows that hold their end differ from those that hold their start.
        let begin_ns = (now_ns() - LINES * APART_NS) / APART_NS * APART_NS + APART_NS / 2;
        let mut text = String::new();
        let bodies = (0..LINES / BATCH).map(|batch| body(batch, begin_ns, &mut text)).collect();
        Self { begin_ns, bodies, text }
    }

    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    pub const fn end_ns(&self) -> u64 {
        self.begin_ns + LINES * APART_NS
    }

    pub fn write(&self, path: &Path) {
        std::fs::write(path, &self.text).unwrap();
    }

    /// Sends all over one connection, and waits until a question finds every one. Gives the seconds that it took.
    pub async fn send(&self, party: &Party) -> f64 {
        let path = match party.kind {
            Kind::VictoriaLogs => "/insert/loki/api/v1/push?disable_message_parsing=1",
            Kind::VictoriaLogsFields => "/insert/loki/api/v1/push?_msg_field=msg",
            _ => "/loki/api/v1/push",
        };
        let mut connection = Connection::open(party.query).await.unwrap();
        let begun = Instant::now();
        for body in &self.bodies {
            let mut request = post_head(path, "content-type: application/json\r\n", body.len());
            request.extend_from_slice(body.as_bytes());
            let answer = connection.send(&request).await.unwrap();
            assert_eq!(answer.status, 204, "{}: {}", party.kind.name(), String::from_utf8_lossy(&answer.body));
        }
        loop {
            let found = super::COUNTED.ask(party, self).await.0.values().sum::<f64>();
            if found == LINES as f64 {
                return begun.elapsed().as_secs_f64();
            }
            assert!(begun.elapsed() < PATIENCE, "{} finds {found} of {LINES} lines", party.kind.name());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn body(batch: u64, begin_ns: u64, text: &mut String) -> String {
    let mut body = String::from("{\"streams\":[");
    for stream in 0..STREAMS {
        let comma = if stream > 0 { "," } else { "" };
        write!(body, "{comma}{{\"stream\":{{\"app\":\"app-{stream}\"}},\"values\":[").unwrap();
        for at in 0..BATCH / STREAMS {
            let number = batch * BATCH + at * STREAMS + stream;
            let line = line(number);
            let comma = if at > 0 { "," } else { "" };
            let time_ns = begin_ns + number * APART_NS;
            write!(body, "{comma}[\"{time_ns}\",{}]", serde_json::Value::from(line.as_str())).unwrap();
            text.push_str(&line);
            text.push('\n');
        }
        body.push_str("]}");
    }
    body.push_str("]}");
    body
}
