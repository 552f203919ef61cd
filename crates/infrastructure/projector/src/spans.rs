//! What a projection tells in traces. An event that is taken up shortly after it happened is part of the
//! trace of the command that led to it. What is done again later (a rebuild, a replay, a projection that
//! begins at the first event) has a trace of its own, linked to those: they are long over, and a trace
//! that grows for days is of no use to anybody.

use delivery::events::Event;
use delivery::repository::{Generation, ParkedEvent};
use eventsourcing::RecordedEvent;
use jiff::{SignedDuration, Timestamp};
use telemetry::names::{attribute, span};
use telemetry::record::{Attribute, Kind, Value};
use telemetry::scope::{self, Parents, Scope};
use telemetry::tracer::{MAX_LINKS, Span, Start};
use telemetry::{TraceContext, Tracer};

/// Older than this, an event's trace is over.
const OVER_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// The kinds of failure that spans name.
const PARKED: &str = "parked";
const FAILED: &str = "projection_failed";

/// Where and why events are projected.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) projection: &'static str,
    pub(crate) generation: Generation,
    pub(crate) is_rebuild: bool,
}

impl Place {
    fn attributes(self) -> [Attribute; 2] {
        [(attribute::PROJECTION, Value::from(self.projection)), (attribute::GENERATION, Value::from(self.generation.0))]
    }
}

/// The spans of a batch at work.
pub(crate) struct Batch {
    tracer: Tracer,
    place: Place,
    start: Start,
    /// Events that are part of their own traces, if these are kept.
    processes: Vec<Process>,
    /// The events whose traces are over.
    late: Option<(Span, u64)>,
}

struct Process {
    span: Span,
    event_type: &'static str,
    position: u64,
    stream: String,
}

impl Batch {
    /// Looks at the events before they are folded. Where nobody records, that is nothing.
    pub(crate) fn begin(tracer: &Tracer, place: Place, events: &[RecordedEvent], now: Timestamp) -> Self {
        let start = Start::now();
        let mut batch = Self { tracer: tracer.clone(), place, start, processes: Vec::new(), late: None };
        if !tracer.is_recording() {
            return batch;
        }
        let is_late = |event: &&RecordedEvent| place.is_rebuild || now.duration_since(event.recorded_at) > OVER_AFTER;
        let late = events.iter().filter(is_late).count() as u64;
        if late > 0 {
            // One more than there may be, so that the span can tell that some are missing.
            let links = events.iter().filter(is_late).filter_map(origin).take(MAX_LINKS + 1);
            batch.late = Some((tracer.entry(Kind::Internal, None).since(start).with_links(links), late));
        }
        batch.processes =
            events.iter().filter(|event| !is_late(event)).filter_map(|event| batch.process(event)).collect();
        batch
    }

    /// The span of an event, if its trace is kept.
    fn process(&self, event: &RecordedEvent) -> Option<Process> {
        let span = self.tracer.entry(Kind::Consumer, Some(&origin(event)?)).since(self.start);
        span.context().is_sampled().then(|| Process::new(span, event))
    }

    /// In whose traces the batch's commit is.
    pub(crate) fn scope(&self) -> Option<Scope> {
        let processes = self.processes.iter().map(|process| process.span.context());
        let late = self.late.iter().map(|(span, _)| span.context());
        let parents: Vec<_> = processes.chain(late).collect();
        (!parents.is_empty()).then(|| Scope { service: self.tracer.service(), parents: Parents::Many(parents.into()) })
    }

    /// Ends the spans. Events that were set aside show whether their traces are kept or not.
    pub(crate) fn end(mut self, outcome: Result<&[ParkedEvent], ()>) {
        let parked = outcome.unwrap_or_default();
        if self.tracer.is_recording() {
            for ParkedEvent { event, .. } in parked {
                if !self.processes.iter().any(|process| process.position == event.position.0) {
                    let span = self.tracer.entry(Kind::Consumer, origin(event).as_ref()).since(self.start);
                    self.processes.push(Process::new(span, event));
                }
            }
        }
        for mut process in self.processes {
            if outcome.is_err() {
                process.span.fail(FAILED);
            } else if parked.iter().any(|parked| parked.event.position.0 == process.position) {
                process.span.fail(PARKED);
            }
            process.finish(self.place);
        }
        if let Some((mut span, events)) = self.late {
            if outcome.is_err() {
                span.fail(FAILED);
            }
            span.finish(|attributes| {
                attributes.extend(self.place.attributes());
                attributes.push((attribute::EVENTS, events.into()));
                let what = if self.place.is_rebuild { "rebuild" } else { "catch up" };
                format!("{what} {}", self.place.projection)
            });
        }
    }
}

impl Process {
    fn new(span: Span, event: &RecordedEvent) -> Self {
        // What is stored may have any name; spans have few.
        let known = Event::NAMES.into_iter().find(|name| *name == event.event_type);
        Self {
            span,
            event_type: known.unwrap_or("unknown"),
            position: event.position.0,
            stream: event.stream.as_str().to_owned(),
        }
    }

    fn finish(self, place: Place) {
        self.span.finish(|attributes| {
            attributes.extend(place.attributes());
            attributes.push((attribute::EVENT_TYPE, self.event_type.into()));
            attributes.push((attribute::EVENT_POSITION, self.position.into()));
            attributes.push((attribute::STREAM, self.stream.into()));
            format!("process {}", self.event_type)
        });
    }
}

/// What somebody has done about parked events: a span within that request's, linked to what led to the
/// events.
pub(crate) struct Mending {
    span: Span,
    name: &'static str,
}

impl Mending {
    pub(crate) fn replay(tracer: &Tracer, asked_by: Option<&Scope>, events: &[ParkedEvent]) -> Self {
        Self::new(tracer, asked_by, span::REPLAY_PARKED_EVENTS, events)
    }

    pub(crate) fn skip(tracer: &Tracer, asked_by: Option<&Scope>, events: &[ParkedEvent]) -> Self {
        Self::new(tracer, asked_by, span::SKIP_PARKED_EVENT, events)
    }

    fn new(tracer: &Tracer, asked_by: Option<&Scope>, name: &'static str, events: &[ParkedEvent]) -> Self {
        let span = match asked_by.and_then(|scope| scope.parents.only()) {
            Some(parent) => tracer.child(Kind::Internal, parent),
            None => tracer.entry(Kind::Internal, None),
        };
        let links = events.iter().filter_map(|parked| origin(&parked.event)).take(MAX_LINKS + 1);
        Self { span: span.with_links(links), name }
    }

    /// Runs the work; `position` is that of the event that was asked for.
    pub(crate) async fn run<T, E>(
        self,
        place: Place,
        position: u64,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let Self { mut span, name } = self;
        let done = scope::within(Some(span.scope()), work).await;
        if done.is_err() {
            span.fail(FAILED);
        }
        span.finish(|attributes| {
            attributes.extend(place.attributes());
            attributes.push((attribute::EVENT_POSITION, position.into()));
            name
        });
        done
    }
}

/// The span that appended an event.
fn origin(event: &RecordedEvent) -> Option<TraceContext> {
    let headers = event.trace_headers();
    TraceContext::from_headers(headers.traceparent.as_deref(), headers.uber_trace_id.as_deref())
}
