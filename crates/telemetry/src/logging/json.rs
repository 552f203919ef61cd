//! The JSON form of a log line:
//! `{"timestamp","level","message","service.name","trace_id"?,"span_id"?,"target",…fields}`.

use std::fmt;
use std::io::Write;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

use super::{name, origin, wall_clock};

/// Names that a line has anyway; a field of one of these names is told with a hyphen before it.
const TAKEN: [&str; 7] = ["timestamp", "level", "message", "service.name", "trace_id", "span_id", "target"];

/// Writes each event as one line of JSON.
pub(super) struct Lines<W> {
    services: Vec<String>,
    writer: W,
    now: fn() -> jiff::Timestamp,
}

impl<W> Lines<W> {
    pub(super) fn new(services: Vec<String>, writer: W) -> Self {
        Self { services, writer, now: wall_clock }
    }
}

/// An event's message, and its other fields as members of a JSON object, each with a comma before it.
#[derive(Default)]
struct Fields {
    message: Vec<u8>,
    others: Vec<u8>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: impl serde::Serialize) {
        if field.name() == "message" {
            put(&mut self.message, value);
            return;
        }
        self.others.extend_from_slice(if TAKEN.contains(&field.name()) { b",\"-" } else { b",\"" });
        // Identifiers and dots: nothing to escape.
        self.others.extend_from_slice(field.name().as_bytes());
        self.others.extend_from_slice(b"\":");
        put(&mut self.others, value);
    }
}

/// Text, numbers and truth values always have a JSON form, and memory takes every byte.
fn put(buffer: &mut Vec<u8>, value: impl serde::Serialize) {
    let _ = serde_json::to_writer(buffer, &value);
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let origin = origin();
        let mut line = Vec::with_capacity(256 + fields.others.len());
        // Writing to memory does not fail.
        let _ = write!(line, "{{\"timestamp\":\"{:.6}\",\"level\":\"{}\",\"message\":", (self.now)(), level(event));
        line.extend_from_slice(if fields.message.is_empty() { b"null" } else { &fields.message });
        line.extend_from_slice(b",\"service.name\":");
        put(&mut line, name(&self.services, origin.service));
        if let Some((trace, span, _)) = origin.span {
            let _ = write!(line, ",\"trace_id\":\"{trace}\",\"span_id\":\"{span}\"");
        }
        line.extend_from_slice(b",\"target\":");
        put(&mut line, event.metadata().target());
        line.extend_from_slice(&fields.others);
        line.extend_from_slice(b"}\n");
        // Nobody is left to tell that logging itself failed; the writer counts what it drops.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(&line);
    }
}

fn level(event: &Event<'_>) -> &'static str {
    match *event.metadata().level() {
        tracing::Level::ERROR => "error",
        tracing::Level::WARN => "warn",
        tracing::Level::INFO => "info",
        tracing::Level::DEBUG => "debug",
        tracing::Level::TRACE => "trace",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::record::Service;
    use crate::scope::{self, Parents, Scope};
    use crate::trace::TraceContext;

    #[derive(Clone, Default)]
    pub(crate) struct Buffer(pub(crate) Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(log: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let target = buffer.clone();
        let layer = Lines::new(vec!["delivery-api".into(), "orders-projector".into()], move || target.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn lines(log: impl FnOnce()) -> Vec<Value> {
        written(log).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_carries_its_fields_and_the_ids_of_the_span_at_work() {
        let span = TraceContext::root(true);
        let lines = lines(|| {
            let scope = Scope { service: Service(1), parents: Parents::One(span) };
            scope::run(Some(scope), || {
                tracing::warn!(http.response.status_code = 503_u64, retry = true, "request \"served\"\nbadly");
            });
        });
        assert_eq!(lines.len(), 1, "a line break in a value does not end the line");
        let line = &lines[0];
        assert_eq!(line["level"], "warn");
        assert_eq!(line["message"], "request \"served\"\nbadly");
        assert_eq!(line["service.name"], "orders-projector");
        assert_eq!(line["trace_id"], span.trace_id().to_string());
        assert_eq!(line["span_id"], span.span_id().to_string());
        assert_eq!((&line["http.response.status_code"], &line["retry"]), (&503.into(), &true.into()));
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn what_is_looked_for_first_stands_first() {
        let line = written(|| tracing::info!(a.b = 1, "ready"));
        assert!(line.starts_with("{\"timestamp\":\""), "{line}");
        assert!(line.contains("\"level\":\"info\",\"message\":\"ready\",\"service.name\":\"delivery-api\""), "{line}");
        assert!(line.ends_with(",\"a.b\":1}\n"), "{line}");
    }

    #[test]
    fn without_a_span_there_are_no_ids() {
        let lines = lines(|| tracing::info!("ready"));
        assert!(lines[0].get("trace_id").is_none());
    }

    #[test]
    fn a_field_never_takes_the_place_of_another() {
        let lines = lines(|| tracing::info!(level = 7, share = f64::NAN, "odd"));
        assert_eq!((&lines[0]["level"], &lines[0]["-level"]), (&"info".into(), &7.into()));
        assert_eq!(lines[0]["share"], Value::Null);
    }
}
