//! `/api/traces/{traceId}`: one trace, whole.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{self, Path};
use axum::http::Uri;
use console_model::{Attributes, Span, SpanId, SpanKind, StatusCode, TraceId, Value};
use console_storage::Trace;
use hashbrown::{HashMap, HashSet};

use super::error::Error;
use super::parameters::Parameters;
use super::reads::Answer;
use super::wire::{
    AttributeView, EventView, EvictedSpans, Failure, Kind, LinkView, Nanoseconds, ResourceView, ScopeView,
    ServiceSpans, Shown, SpanView, StatusName, Stretch, Time, TraceView, ValueType,
};
use super::{Shared, absent};
use crate::trace_tree::{Node, Tree};

/// A trace with all of its spans that are kept, 50,000 at most.
#[utoipa::path(
    get,
    path = "/api/traces/{traceId}",
    operation_id = "trace",
    tag = "traces",
    params(("traceId" = String, Path, description = "32 hexadecimal digits", example = "4bf92f3577b34da6a3ce929d0e0e4736")),
    responses(
        (status = 200, description = "The trace", body = TraceView<'static>),
        (status = 404, description = "It is not there: removed, or never seen", body = Failure),
        Error
    )
)]
pub(super) async fn trace(
    extract::State(shared): extract::State<Arc<Shared>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Answer, Error> {
    Parameters::read(&uri, &[])?;
    let expected = "32 hexadecimal digits, as in /api/traces/4bf92f3577b34da6a3ce929d0e0e4736";
    let invalid = |error| Error::parameter("traceId", &id, format_args!("{expected}: {error}"));
    let id: TraceId = id.parse().map_err(invalid)?;
    let store = shared.state.store.clone();
    let work = move || {
        let trace = store.trace(id)?;
        if trace.batch.is_empty() {
            return Err(Error::NotFound(absent::message(&store, id, &trace.evicted)));
        }
        let tree = Tree::new(&trace.batch);
        Answer::of(&view(id, &trace, &tree))
    };
    shared.reads.run(work).await
}

/// What a page is shown of a trace.
pub(super) fn view<'a>(id: TraceId, trace: &'a Trace, tree: &'a Tree<'a>) -> TraceView<'a> {
    let mut senders = Senders::new(trace);
    let here: HashSet<SpanId> = tree.nodes.iter().map(|node| node.span.span_id).collect();
    let spans: Vec<SpanView<'a>> = tree
        .nodes
        .iter()
        .map(|node| {
            let places = senders.places(node.group);
            let mut view = span(tree, node, &places);
            let is_here = |trace_id, span_id| trace_id == id && here.contains(&span_id);
            view.links = links(node.span, is_here);
            view
        })
        .collect();
    TraceView {
        trace_id: Shown(id),
        start: Time(tree.start_ns),
        duration: Nanoseconds(tree.duration_ns()),
        is_truncated: trace.is_truncated,
        missing_spans: tree.missing_spans,
        evicted: trace
            .evicted
            .iter()
            .map(|it| EvictedSpans { at: Time::from_ms(it.at_ms), service: it.service.to_string() })
            .collect(),
        errors: spans.iter().filter(|span| span.status == StatusName::Error).count(),
        services: senders.services,
        resources: senders.resources,
        scopes: senders.scopes,
        spans,
    }
}

/// Services, resources and scopes, each once, in order of first appearance.
struct Senders<'a> {
    trace: &'a Trace,
    services: Vec<ServiceSpans<'a>>,
    resources: Vec<ResourceView<'a>>,
    scopes: Vec<ScopeView<'a>>,
    known_services: HashMap<&'a str, usize>,
    known_resources: HashMap<(usize, Vec<AttributeView<'a>>), usize>,
    known_scopes: HashMap<(&'a str, &'a str, Vec<AttributeView<'a>>), usize>,
    by_group: HashMap<usize, Places>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Places {
    service: usize,
    resource: usize,
    scope: usize,
}

impl<'a> Senders<'a> {
    fn new(trace: &'a Trace) -> Self {
        Self {
            trace,
            services: Vec::new(),
            resources: Vec::new(),
            scopes: Vec::new(),
            known_services: HashMap::new(),
            known_resources: HashMap::new(),
            known_scopes: HashMap::new(),
            by_group: HashMap::new(),
        }
    }

    /// Where one more span of a group finds its senders.
    fn places(&mut self, group: usize) -> Places {
        let places = match self.by_group.get(&group) {
            Some(places) => *places,
            None => {
                let places = self.add(group);
                self.by_group.insert(group, places);
                places
            }
        };
        if let Some(service) = self.services.get_mut(places.service) {
            service.spans += 1;
        }
        places
    }

    fn add(&mut self, group: usize) -> Places {
        let Some(group) = self.trace.batch.groups.get(group) else { return Places::default() };
        let name = group.resource.service();
        let service = *self.known_services.entry(name).or_insert_with(|| {
            self.services.push(ServiceSpans { name, spans: 0 });
            self.services.len() - 1
        });
        let key = (service, attributes(&group.resource.attributes));
        let resource = *self.known_resources.entry(key).or_insert_with_key(|(service, attributes)| {
            self.resources.push(ResourceView { service: *service, attributes: attributes.clone() });
            self.resources.len() - 1
        });
        let key = (group.scope.name.as_str(), group.scope.version.as_str(), attributes(&group.scope.attributes));
        let scope = *self.known_scopes.entry(key).or_insert_with_key(|(name, version, attributes)| {
            self.scopes.push(ScopeView { name, version, attributes: attributes.clone() });
            self.scopes.len() - 1
        });
        Places { service, resource, scope }
    }
}

fn span<'a>(tree: &Tree<'a>, node: &Node<'a>, places: &Places) -> SpanView<'a> {
    let span = node.span;
    let offset = |time_ns: u64| Nanoseconds(time_ns.saturating_sub(tree.start_ns));
    let above = node.parent.and_then(|parent| tree.nodes.get(parent)).map(|above| above.span.span_id);
    SpanView {
        span_id: Shown(span.span_id),
        parent_id: above.or(span.parent_span_id).map(Shown),
        depth: node.depth,
        service: places.service,
        resource: places.resource,
        scope: places.scope,
        name: &span.name,
        kind: span.kind.into(),
        start: offset(span.start_ns),
        duration: Nanoseconds(span.duration_ns()),
        status: span.status.code.into(),
        status_message: &span.status.message,
        is_async: node.is_async,
        is_missing_parent: node.is_missing_parent,
        children: node.children,
        critical_path: node
            .critical_path
            .iter()
            .map(|it| Stretch { start: offset(it.from_ns), duration: Nanoseconds(it.length_ns()) })
            .collect(),
        self_time: Nanoseconds(node.self_time_ns),
        attributes: attributes(&span.attributes),
        dropped_attributes: span.dropped_attributes_count,
        events: span
            .events
            .iter()
            .map(|it| EventView { time: offset(it.time_ns), name: &it.name, attributes: attributes(&it.attributes) })
            .collect(),
        links: Vec::new(),
        trace_state: &span.trace_state,
    }
}

fn links(span: &Span, is_here: impl Fn(TraceId, SpanId) -> bool) -> Vec<LinkView<'_>> {
    span.links
        .iter()
        .map(|link| LinkView {
            trace_id: Shown(link.trace_id),
            span_id: Shown(link.span_id),
            attributes: attributes(&link.attributes),
            is_here: is_here(link.trace_id, link.span_id),
        })
        .collect()
}

fn attributes(attributes: &Attributes) -> Vec<AttributeView<'_>> {
    attributes
        .iter()
        .map(|attribute| {
            let (kind, value) = value(&attribute.value);
            AttributeView { key: &attribute.key, kind, value }
        })
        .collect()
}

fn value(value: &Value) -> (ValueType, Cow<'_, str>) {
    let kind = match value {
        Value::String(text) => return (ValueType::String, Cow::Borrowed(text)),
        Value::Empty => ValueType::Empty,
        Value::Bool(_) => ValueType::Bool,
        Value::Int(_) => ValueType::Int,
        Value::Double(_) => ValueType::Double,
        Value::Bytes(_) => ValueType::Bytes,
        Value::Array(_) => ValueType::Array,
        Value::Map(_) => ValueType::Map,
    };
    (kind, Cow::Owned(value.to_string()))
}

impl From<SpanKind> for Kind {
    fn from(kind: SpanKind) -> Self {
        match kind {
            SpanKind::Unspecified => Self::Unspecified,
            SpanKind::Internal => Self::Internal,
            SpanKind::Server => Self::Server,
            SpanKind::Client => Self::Client,
            SpanKind::Producer => Self::Producer,
            SpanKind::Consumer => Self::Consumer,
        }
    }
}

impl From<StatusCode> for StatusName {
    fn from(status: StatusCode) -> Self {
        match status {
            StatusCode::Unset => Self::Unset,
            StatusCode::Ok => Self::Ok,
            StatusCode::Error => Self::Error,
        }
    }
}
