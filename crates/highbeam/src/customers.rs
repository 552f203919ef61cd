//! The traces of the demo traffic's customers: a span for each journey and one for each of its requests, so
//! that a trace begins where a user would say that it does. What customers do is the traffic generator's.

use std::sync::Arc;

use load::{Traced, Tracing};
use telemetry::Tracer;
use telemetry::record::Kind;
use telemetry::tracer::{self, attribute};

/// See the module.
pub(crate) struct Customers(Tracer);

impl Customers {
    /// Customers whose spans `tracer` makes.
    pub(crate) fn new(tracer: Tracer) -> Arc<Self> {
        Arc::new(Self(tracer))
    }
}

impl Tracing for Customers {
    fn journey(&self, scenario: &'static str) -> Box<dyn Traced> {
        let span = self.0.entry(Kind::Internal, None);
        Box::new(UnderWay { tracer: self.0.clone(), span, what: What::Journey(scenario) })
    }
}

struct UnderWay {
    tracer: Tracer,
    span: tracer::Span,
    what: What,
}

enum What {
    Journey(&'static str),
    Request(&'static str),
}

impl Traced for UnderWay {
    fn traceparent(&self) -> String {
        self.span.context().to_traceparent()
    }

    fn request(&self, operation: &'static str) -> Box<dyn Traced> {
        let span = self.tracer.child(Kind::Client, &self.span.context());
        Box::new(Self { tracer: self.tracer.clone(), span, what: What::Request(operation) })
    }

    fn end(self: Box<Self>, failure: Option<String>) {
        let Self { mut span, what, .. } = *self;
        let failed = failure.clone();
        if let Some(failure) = failure {
            span.fail(failure);
        }
        span.finish(|attributes| {
            let (name, key, value) = match what {
                What::Journey(scenario) => (format!("customer {scenario}"), "scenario", scenario),
                What::Request(operation) => (format!("request {operation}"), "request", operation),
            };
            attributes.push(attribute(key, value));
            attributes.extend(failed.map(|failure| attribute("error.type", failure)));
            name
        });
    }
}
