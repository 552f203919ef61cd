//! Log lines as records for a collector, with the ids of the span at work.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::{origin, wall_clock};
use crate::export;
use crate::record::{Attribute, Log, Severity, Value};
use crate::tracer::Sink;

/// Hands each event to a sink.
pub(super) struct Records {
    sink: Arc<dyn Sink>,
}

impl Records {
    pub(super) fn new(sink: Arc<dyn Sink>) -> Self {
        Self { sink }
    }
}

#[derive(Default)]
struct Fields {
    message: Cow<'static, str>,
    attributes: Vec<Attribute>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::Text(text)) => self.message = text,
            (name, value) => self.attributes.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Value::Text(Cow::Owned(format!("{value:?}"))));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::Text(Cow::Owned(value.to_owned())));
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

impl<S: Subscriber> Layer<S> for Records {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        // How the collector fares is not told to the collector: each failure would lead to a next one.
        if metadata.target().starts_with(export::TARGET) || export::is_exporting() {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let origin = origin();
        self.sink.log(Log {
            service: origin.service,
            unix_nanos: wall_clock().as_nanosecond().try_into().unwrap_or_default(),
            severity: severity(*metadata.level()),
            message: fields.message,
            target: metadata.target(),
            attributes: fields.attributes,
            span: origin.span,
        });
    }
}

const fn severity(level: Level) -> Severity {
    match level {
        Level::ERROR => Severity::Error,
        Level::WARN => Severity::Warn,
        Level::INFO => Severity::Info,
        Level::DEBUG => Severity::Debug,
        Level::TRACE => Severity::Trace,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::record::{Service, Span};
    use crate::scope::{self, Parents, Scope};
    use crate::trace::TraceContext;

    #[derive(Default)]
    struct Kept(Mutex<Vec<Log>>);

    impl Sink for Kept {
        fn span(&self, _span: Span) {}

        fn log(&self, log: Log) {
            self.0.lock().unwrap().push(log);
        }
    }

    #[test]
    fn a_record_has_what_the_line_has() {
        let kept = Arc::new(Kept::default());
        let layer = Records::new(Arc::clone(&kept) as _);
        let span = TraceContext::root(true);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let scope = Scope { service: Service(2), parents: Parents::One(span) };
            scope::run(Some(scope), || tracing::error!(event.position = 7_u64, cause = "full", "event parked"));
            tracing::error!(target: "telemetry::export::worker", "telemetry cannot be delivered");
        });
        let logs = kept.0.lock().unwrap();
        assert_eq!(logs.len(), 1, "how the collector fares is not told to the collector");
        let log = &logs[0];
        assert_eq!((log.service, log.severity, &*log.message), (Service(2), Severity::Error, "event parked"));
        assert_eq!(log.span, Some((span.trace_id(), span.span_id(), true)));
        let expected: [Attribute; 2] =
            [("event.position", Value::Integer(7)), ("cause", Value::Text("full".to_owned().into()))];
        assert_eq!(log.attributes, expected);
    }
}
