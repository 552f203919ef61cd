//! OTLP's JSON turned into Jaeger's: what a page of Jaeger asks for when a file of OTLP is opened there. Nothing
//! of it is kept.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use console_model::{SpanBatch, SpanGroup, TraceId};
use console_storage::{TRACE_SPANS_MAX, Trace};

use super::answer::{Envelope, Refusal, StructuredError, json, write};
use super::parameters::Parameters;
use super::trace::TraceView;
use super::{Pairs, Shared, is_pretty};
use crate::intake::{Failure, body};

pub(super) async fn transform(
    State(shared): State<Shared>,
    Query(pairs): Query<Pairs>,
    body: Body,
) -> Result<Response, Response> {
    let received = body::receive(&shared.bodies, body).await;
    let received = received.map_err(Failure::from);
    let (bytes, share) = received.map_err(|failure| Refusal::new(failure.status(), failure.to_string()).classic())?;
    let is_pretty = is_pretty(&Parameters::new(pairs));
    let read = shared
        .reads
        .run(move |_| {
            let transformed = transformed(&bytes, is_pretty);
            drop(share);
            Ok(transformed)
        })
        .await;
    let body = read.map_err(|failure| Refusal::from(failure).classic())?;
    body.map(json).map_err(Refusal::classic)
}

fn transformed(bytes: &[u8], is_pretty: bool) -> Result<Vec<u8>, Refusal> {
    let decoded = console_otlp::traces::from_json(bytes, 0).map_err(|error| {
        let right = r#"the JSON of OTLP is right, as in {"resourceSpans":[]}"#;
        Refusal::asked(format!("cannot unmarshal OTLP : {error}; {right}"))
    })?;
    let count = decoded.batch.len();
    if count > TRACE_SPANS_MAX {
        let told = format!("{count} spans, but at most {TRACE_SPANS_MAX} are turned into Jaeger's JSON at once");
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, told));
    }
    let traces = by_trace(decoded.batch);
    let views: Vec<TraceView<'_>> = traces
        .iter()
        .map(|(trace_id, trace)| TraceView { trace_id: *trace_id, trace, is_raw: true, notice: None })
        .collect();
    let mut envelope = Envelope::of(views, 0);
    let rejected = decoded.rejected;
    envelope.errors = (rejected.count > 0).then(|| {
        let msg = format!("{} spans are left out: {}", rejected.count, rejected.message);
        vec![StructuredError { code: None, msg, trace_id: None }]
    });
    Ok(write(&envelope, is_pretty))
}

/// The traces of spans, in the order of their first ones.
fn by_trace(batch: SpanBatch) -> Vec<(TraceId, Trace)> {
    let mut traces: Vec<(TraceId, Trace)> = Vec::new();
    let mut places: HashMap<TraceId, usize> = HashMap::new();
    for group in batch.groups {
        for span in group.spans {
            let place = *places.entry(span.trace_id).or_insert(traces.len());
            if place == traces.len() {
                traces.push((span.trace_id, Trace::default()));
            }
            let Some((_, trace)) = traces.get_mut(place) else { continue };
            let groups = &mut trace.batch.groups;
            match groups.last_mut().filter(|last| Arc::ptr_eq(&last.scope, &group.scope)) {
                Some(last) => last.spans.push(span),
                None => groups.push(SpanGroup {
                    resource: Arc::clone(&group.resource),
                    scope: Arc::clone(&group.scope),
                    spans: vec![span],
                }),
            }
        }
    }
    traces
}
