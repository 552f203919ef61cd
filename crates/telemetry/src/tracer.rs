//! Makes spans. A span costs its ids and two looks at the clock; only when it is to be kept, because its
//! trace is sampled or because it failed, does it become a record with a name and attributes.
//!
//! So failures are kept whatever the sampler says: the failed span itself and those above it, which fail
//! with it. Where records go is a [`Sink`]'s business.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::export::Exporter;
use crate::record::{self, Attribute, Kind, Service, Value};
use crate::sampling;
use crate::scope::{Parents, Scope};
use crate::trace::TraceContext;

/// Links of one span at most; OpenTelemetry's default.
pub const MAX_LINKS: usize = 128;

/// Takes records. MUST NOT wait, and MUST account for what it drops.
pub trait Sink: Send + Sync {
    /// Takes a span.
    fn span(&self, span: record::Span);
    /// Takes a log line.
    fn log(&self, log: record::Log);
}

impl Sink for Exporter {
    fn span(&self, span: record::Span) {
        Self::span(self, span);
    }

    fn log(&self, log: record::Log) {
        Self::log(self, log);
    }
}

/// Makes the spans of one service. Cheap to clone.
#[derive(Clone)]
pub struct Tracer {
    service: Service,
    sampler: Arc<sampling::Current>,
    /// Without one, spans have ids and nothing else.
    sink: Option<Arc<dyn Sink>>,
}

/// When something began, by the wall and by a clock that only goes forward.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    instant: Instant,
    unix_nanos: u64,
}

impl Start {
    /// Now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "spans carry the machine's time, and decide nothing by it")]
    pub fn now() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { instant: Instant::now(), unix_nanos: nanos(since_1970) }
    }

    /// Since then.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.instant.elapsed()
    }

    /// Then and now, in nanoseconds since 1970.
    fn until_now(&self) -> (u64, u64) {
        (self.unix_nanos, self.unix_nanos.saturating_add(nanos(self.elapsed())))
    }
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

impl Tracer {
    /// For a service of this process.
    #[must_use]
    pub fn new(service: Service, sampler: Arc<sampling::Current>, sink: Option<Arc<dyn Sink>>) -> Self {
        Self { service, sampler, sink }
    }

    /// One whose spans go nowhere.
    #[must_use]
    pub fn disabled() -> Self {
        Self::new(Service(0), Arc::default(), None)
    }

    /// Spans are recorded somewhere: looking for what they could be linked to is worth it.
    #[must_use]
    pub const fn is_recording(&self) -> bool {
        self.sink.is_some()
    }

    /// Whose spans these are.
    #[must_use]
    pub const fn service(&self) -> Service {
        self.service
    }

    /// The first span here of what `caller` asks for, or of a trace of its own.
    #[must_use]
    pub fn entry(&self, kind: Kind, caller: Option<&TraceContext>) -> Span {
        let sampler = self.sampler.get();
        let context = match caller {
            Some(caller) => caller.child().sampled(sampler.keeps(caller.trace_id(), Some(caller))),
            None => {
                let root = TraceContext::root(false);
                root.sampled(sampler.keeps(root.trace_id(), None))
            }
        };
        Span { has_remote_parent: caller.is_some(), ..self.span(kind, context) }
    }

    /// The first span of a trace that is not kept, unless it fails.
    #[must_use]
    pub fn unsampled(&self, kind: Kind) -> Span {
        self.span(kind, TraceContext::root(false))
    }

    /// A span below `parent`, which is at work in this process.
    #[must_use]
    pub fn child(&self, kind: Kind, parent: &TraceContext) -> Span {
        self.span(kind, parent.child())
    }

    fn span(&self, kind: Kind, context: TraceContext) -> Span {
        Span {
            sink: self.sink.clone(),
            service: self.service,
            context,
            has_remote_parent: false,
            kind,
            start: Start::now(),
            trace_state: None,
            links: Vec::new(),
            dropped_links: 0,
            failure: None,
        }
    }

    /// A call that was made on behalf of `scope` and has just ended: one span for each parent. Attributes
    /// are asked for only when there is something to record.
    pub fn record_call(
        &self,
        scope: &Scope,
        name: &'static str,
        start: Start,
        failure: Option<&'static str>,
        attributes: impl FnOnce() -> Vec<Attribute>,
    ) {
        let Some(sink) = &self.sink else { return };
        // A failure shows in a trace that is not kept, too; once, however many it concerns.
        let parents = scope.parents.all();
        let unsampled = parents.first().filter(|_| failure.is_some() && !parents.iter().any(TraceContext::is_sampled));
        let mut parents = parents.iter().filter(|parent| parent.is_sampled()).chain(unsampled).peekable();
        if parents.peek().is_none() {
            return;
        }
        let (start_unix_nanos, end_unix_nanos) = start.until_now();
        let mut attributes = attributes();
        while let Some(parent) = parents.next() {
            let is_last = parents.peek().is_none();
            sink.span(record::Span {
                service: scope.service,
                context: parent.child(),
                has_remote_parent: false,
                trace_state: None,
                kind: Kind::Client,
                name: Cow::Borrowed(name),
                start_unix_nanos,
                end_unix_nanos,
                attributes: if is_last { std::mem::take(&mut attributes) } else { attributes.clone() },
                links: Vec::new(),
                dropped_links: 0,
                failure: failure.map(Cow::Borrowed),
            });
        }
    }
}

/// A span at work.
pub struct Span {
    sink: Option<Arc<dyn Sink>>,
    service: Service,
    context: TraceContext,
    has_remote_parent: bool,
    kind: Kind,
    start: Start,
    trace_state: Option<String>,
    links: Vec<TraceContext>,
    dropped_links: u32,
    failure: Option<Cow<'static, str>>,
}

impl Span {
    /// Its place in the trace.
    #[must_use]
    pub const fn context(&self) -> TraceContext {
        self.context
    }

    /// When it began.
    #[must_use]
    pub const fn start(&self) -> Start {
        self.start
    }

    /// The same span, begun earlier.
    #[must_use]
    pub const fn since(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// `tracestate` as it came.
    pub fn set_trace_state(&mut self, trace_state: Option<String>) {
        self.trace_state = trace_state;
    }

    /// Names spans of other traces that led to this one; more than [`MAX_LINKS`] are counted only.
    #[must_use]
    pub fn with_links(mut self, links: impl IntoIterator<Item = TraceContext>) -> Self {
        for link in links {
            if self.links.len() < MAX_LINKS {
                self.links.push(link);
            } else {
                self.dropped_links = self.dropped_links.saturating_add(1);
            }
        }
        self
    }

    /// What runs on its behalf runs in this scope.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope { service: self.service, parents: Parents::One(self.context) }
    }

    /// It failed; `kind` is a constant word.
    pub fn fail(&mut self, kind: impl Into<Cow<'static, str>>) {
        self.failure = Some(kind.into());
    }

    /// Ends it. Name and attributes are asked for only when it is kept.
    pub fn finish<N: Into<Cow<'static, str>>>(self, describe: impl FnOnce(&mut Vec<Attribute>) -> N) {
        let Some(sink) = self.sink else { return };
        if !self.context.is_sampled() && self.failure.is_none() {
            return;
        }
        let mut attributes = Vec::with_capacity(8);
        let name = describe(&mut attributes).into();
        let (start_unix_nanos, end_unix_nanos) = self.start.until_now();
        sink.span(record::Span {
            service: self.service,
            context: self.context,
            has_remote_parent: self.has_remote_parent,
            trace_state: self.trace_state,
            kind: self.kind,
            name,
            start_unix_nanos,
            end_unix_nanos,
            attributes,
            links: self.links,
            dropped_links: self.dropped_links,
            failure: self.failure,
        });
    }
}

/// An attribute, for lists of them.
pub fn attribute(name: &'static str, value: impl Into<Value>) -> Attribute {
    (name, value.into())
}
