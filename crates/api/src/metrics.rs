//! `/metrics`, as OpenMetrics text with exemplars, or in Prometheus' older format for who asks for that
//! and no other.

use std::sync::Arc;

use axum::extract::State as Extract;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::response::IntoResponse;
use telemetry::Metrics;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::State;
use crate::error::{Error, Kind};

pub(crate) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// The metrics of this process
#[utoipa::path(get, path = "/metrics", tag = "operations", operation_id = "metrics",
    responses((status = 200, description = "OpenMetrics 1.0; Prometheus' text format 0.0.4 for who accepts text/plain and not OpenMetrics",
        content((String = "application/openmetrics-text"), (String = "text/plain")))))]
async fn metrics(Extract(state): Extract<Arc<State>>, headers: HeaderMap) -> Result<impl IntoResponse, Error> {
    let older = wants_older_format(&headers);
    // Metrics of the host are read from files and mounts, and one of those may keep a scrape waiting.
    let encoding = tokio::task::spawn_blocking(move || match older {
        true => (Metrics::TEXT_CONTENT_TYPE, state.metrics.encode_text()),
        false => (Metrics::CONTENT_TYPE, state.metrics.encode()),
    });
    let (content_type, encoded) = encoding.await.map_err(|error| Error::caused(Kind::Internal, &error))?;
    let text = encoded.map_err(|error| Error::caused(Kind::Internal, &error))?;
    Ok(([(CONTENT_TYPE, content_type), (VARY, "accept")], text))
}

/// Whether `Accept` (RFC 9110, section 12.5.1) names plain text and leaves OpenMetrics out. Whoever
/// takes anything gets OpenMetrics, since only that has exemplars.
fn wants_older_format(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<_> = accepted.flat_map(|value| value.split(',')).collect();
    let accepts = |kind: &str| {
        ranges.iter().any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let named = parts.next().is_some_and(|range| range.eq_ignore_ascii_case(kind));
            let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
            named && weight.is_none_or(|weight| weight.trim().parse() != Ok(0.0_f32))
        })
    };
    accepts("text/plain") && !accepts("application/openmetrics-text")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn who_knows_open_metrics_or_says_nothing_gets_it() {
        let wants = |accept: &'static str| {
            wants_older_format(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]))
        };
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                          text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        assert!(!wants_older_format(&HeaderMap::new()));
        for accept in [prometheus, "*/*", "", "text/html,*/*;q=0.8", "text/*", "text/plain;q=0", ";,;"] {
            assert!(!wants(accept), "{accept}");
        }
        for accept in
            ["text/plain", "Text/Plain;version=0.0.4;q=0.5,*/*;q=0.1", "text/plain, application/openmetrics-text;q=0"]
        {
            assert!(wants(accept), "{accept}");
        }
    }
}
