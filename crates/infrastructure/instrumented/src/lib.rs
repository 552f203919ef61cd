//! Decorators around every port: each call is timed, counted by how it ended, and shows as a span in the
//! traces of those on whose behalf it was made. Calls that nobody asked for, a projection's own polling
//! for one, are in no trace. Adapters and domain stay silent.
//!
//! Names and meanings are in `semconv/`; nothing here changes an answer.

mod event_store;
mod read_side;

pub use event_store::EventStore;
pub use read_side::{IdempotencyStore, OrderReadModel, OrderSearch, ProjectionStore};

use std::future::Future;
use std::sync::Arc;

use telemetry::names::attribute;
use telemetry::record::Value;
use telemetry::scope::{self, Scope};
use telemetry::tracer::Start;
use telemetry::{Metrics, Tracer};

/// What every decorator needs.
#[derive(Clone)]
pub struct Instruments {
    /// The engine's name.
    pub backend: &'static str,
    /// Where calls are counted.
    pub metrics: Arc<Metrics>,
    /// Where spans are made.
    pub tracer: Tracer,
}

/// A call of a port.
#[derive(Clone, Copy)]
struct Operation {
    /// Its name in metrics.
    name: &'static str,
    /// The name of its spans; `None` for what is never part of a request.
    span: Option<&'static str>,
}

impl Operation {
    const fn new(name: &'static str, span: &'static str) -> Self {
        Self { name, span: Some(span) }
    }

    const fn untraced(name: &'static str) -> Self {
        Self { name, span: None }
    }
}

/// Runs a call and tells how it ended; `observe` gets its outcome and its seconds.
///
/// A call that is dropped half-way (its client left, or its deadline passed) is told as `cancelled`.
async fn timed<T, E>(
    instruments: &Instruments,
    operation: Operation,
    call: impl Future<Output = Result<T, E>>,
    outcome: impl Fn(&E) -> &'static str,
    observe: impl Fn(&'static str, f64),
) -> Result<T, E> {
    // Looked up before the call, since it may be dropped where there is no scope any more.
    let scope = operation.span.filter(|_| instruments.tracer.is_recording()).and_then(|_| scope::current());
    let mut ending = Ending { instruments, operation, observe, scope, start: Start::now(), outcome: "cancelled" };
    let result = call.await;
    ending.outcome = result.as_ref().err().map_or("ok", outcome);
    result
}

struct Ending<'a, O: Fn(&'static str, f64)> {
    instruments: &'a Instruments,
    operation: Operation,
    observe: O,
    scope: Option<Scope>,
    start: Start,
    outcome: &'static str,
}

impl<O: Fn(&'static str, f64)> Drop for Ending<'_, O> {
    fn drop(&mut self) {
        (self.observe)(self.outcome, self.start.elapsed().as_secs_f64());
        let (Some(scope), Some(name)) = (&self.scope, self.operation.span) else { return };
        // A conflict is how writers take turns, and a client that leaves is no fault of the engine.
        let failure = (!matches!(self.outcome, "ok" | "conflict" | "cancelled")).then_some(self.outcome);
        self.instruments.tracer.record_call(scope, name, self.start, failure, || {
            let mut attributes = Vec::with_capacity(4);
            attributes.push((attribute::DB_SYSTEM_NAME, Value::from(self.instruments.backend)));
            attributes.push((attribute::DB_OPERATION_NAME, self.operation.name.into()));
            attributes.push((attribute::OUTCOME, self.outcome.into()));
            attributes.extend(failure.map(|failure| (attribute::ERROR_TYPE, failure.into())));
            attributes
        });
    }
}
