//! The JSON form of a log line:
//! `{"timestamp","level","message","service.name","target","trace_id"?,"span_id"?,…fields}`.
//!
//! `trace_id` and `span_id` come from the nearest span that has fields of these names.

use std::fmt;
use std::io::Write;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Writes each event as one line of JSON.
pub(super) struct Lines<W> {
    service_name: String,
    writer: W,
    now: fn() -> jiff::Timestamp,
}

impl<W> Lines<W> {
    pub(super) fn new(service_name: &str, writer: W) -> Self {
        Self { service_name: service_name.to_owned(), writer, now: wall_clock }
    }
}

/// A log line's time is part of no decision, and `tracing` has no place to hand a clock through.
#[expect(clippy::disallowed_methods, reason = "log lines carry the machine's time")]
fn wall_clock() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// The trace that a span belongs to, kept with the span.
#[derive(Default)]
struct Trace {
    trace_id: Option<String>,
    span_id: Option<String>,
}

impl Visit for Trace {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "trace_id" => self.trace_id = Some(format!("{value:?}")),
            "span_id" => self.span_id = Some(format!("{value:?}")),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

/// An event's fields as JSON.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut trace = Trace::default();
        attributes.record(&mut trace);
        if let Some(span) = context.span(id).filter(|_| trace.trace_id.is_some()) {
            span.extensions_mut().insert(trace);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        let mut trace = extensions.remove::<Trace>().unwrap_or_default();
        values.record(&mut trace);
        extensions.insert(trace);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Map::new();
        line.insert("timestamp".into(), format!("{:.6}", (self.now)()).into());
        line.insert("level".into(), event.metadata().level().as_str().to_ascii_lowercase().into());
        line.insert("message".into(), Value::Null);
        line.insert("service.name".into(), self.service_name.as_str().into());
        line.insert("target".into(), event.metadata().target().into());
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(Trace { trace_id: Some(trace_id), span_id }) = span.extensions().get::<Trace>() {
                line.insert("trace_id".into(), trace_id.as_str().into());
                if let Some(span_id) = span_id {
                    line.insert("span_id".into(), span_id.as_str().into());
                }
                break;
            }
        }
        event.record(&mut Fields(&mut line));
        let mut bytes = Value::Object(line).to_string();
        bytes.push('\n');
        // Nobody is left to tell that logging itself failed; the writer counts what it drops.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(bytes.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn lines(log: impl FnOnce()) -> Vec<Value> {
        let buffer = Buffer::default();
        let target = buffer.clone();
        let layer = Lines::new("delivery-api", move || target.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        let bytes = buffer.0.lock().unwrap().clone();
        bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_carries_its_fields_and_the_ids_of_the_nearest_trace() {
        let lines = lines(|| {
            let outer = tracing::info_span!("request", trace_id = "aa", span_id = %"bb");
            let _outer = outer.enter();
            let _inner = tracing::info_span!("step", order.id = 7).entered();
            tracing::warn!(http.response.status_code = 503_u64, retry = true, "request \"served\"\nbadly");
        });
        assert_eq!(lines.len(), 1, "a line break in a value does not end the line");
        let line = &lines[0];
        assert_eq!(line["level"], "warn");
        assert_eq!(line["message"], "request \"served\"\nbadly");
        assert_eq!(line["service.name"], "delivery-api");
        assert_eq!((&line["trace_id"], &line["span_id"]), (&"aa".into(), &"bb".into()));
        assert_eq!((&line["http.response.status_code"], &line["retry"]), (&503.into(), &true.into()));
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn without_a_trace_there_are_no_ids() {
        let lines = lines(|| tracing::info!("ready"));
        assert!(lines[0].get("trace_id").is_none());
    }
}
