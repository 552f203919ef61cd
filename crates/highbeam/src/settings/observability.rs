//! The settings of logs, traces and metrics: OpenTelemetry's standard variables, and those of the older
//! program that spoke to Jaeger, put into the same terms.

use std::time::Duration;

use secrecy::SecretString;
use telemetry::export::{Batching, Endpoint, Protocol, Signal};
use telemetry::record::Value;
use telemetry::sampling::{self, Sampler};

use super::read::{Reader, flag};

/// The port on which Jaeger's agent took spans from the older program's client, and that on which a
/// collector takes them today.
const AGENT_PORTS: [u16; 2] = [6831, 6832];
const OTLP_GRPC_PORT: u16 = 4317;

/// What is told, and to whom.
#[derive(Clone)]
pub struct Observability {
    /// `OTEL_SDK_DISABLED` turns it off: no spans, no metrics, no lines for a collector.
    pub is_on: bool,
    /// `OTEL_METRICS_EXPORTER` is not `none`.
    pub has_metrics: bool,
    /// `OTEL_TRACES_SAMPLER` and its argument.
    pub sampler: Sampler,
    /// `OTEL_RESOURCE_ATTRIBUTES`
    pub resource: Vec<(String, Value)>,
    /// Where spans go, if anywhere.
    pub spans: Option<Signal>,
    /// Where log lines go beside standard error, if anywhere.
    pub logs: Option<Signal>,
}

impl std::fmt::Debug for Observability {
    /// Without endpoints, which may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observability")
            .field("is_on", &self.is_on)
            .field("sampler", &self.sampler)
            .finish_non_exhaustive()
    }
}

/// The variables of one signal.
struct Names {
    exporter: &'static str,
    endpoint: &'static str,
    protocol: &'static str,
    path: &'static str,
    queue: &'static str,
    batch: &'static str,
    delay: &'static str,
}

const SPANS: Names = Names {
    exporter: "OTEL_TRACES_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    protocol: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    path: "v1/traces",
    queue: "OTEL_BSP_MAX_QUEUE_SIZE",
    batch: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    delay: "OTEL_BSP_SCHEDULE_DELAY",
};

const LOGS: Names = Names {
    exporter: "OTEL_LOGS_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    protocol: "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
    path: "v1/logs",
    queue: "OTEL_BLRP_MAX_QUEUE_SIZE",
    batch: "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
    delay: "OTEL_BLRP_SCHEDULE_DELAY",
};

impl Observability {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let is_on = !reader.value("OTEL_SDK_DISABLED", flag, false);
        let has_metrics = reader.word("OTEL_METRICS_EXPORTER", &["prometheus", "none"]) != Some("none");
        let sampler = sampler(reader);
        let resource = reader.pairs("OTEL_RESOURCE_ATTRIBUTES");
        let resource = resource.into_iter().map(|(name, value)| (name, value.into())).collect();
        let jaeger = jaeger(reader);
        let spans = signal(reader, &SPANS, jaeger.as_deref());
        let logs = signal(reader, &LOGS, None);
        Self { is_on, has_metrics: is_on && has_metrics, sampler, resource, spans, logs }
    }
}

fn sampler(reader: &mut Reader<'_>) -> Sampler {
    let name = reader.text("OTEL_TRACES_SAMPLER").unwrap_or_default();
    let argument = reader.text("OTEL_TRACES_SAMPLER_ARG");
    // The argument matters, and is looked at, only where a sampler takes one.
    Sampler::parse(&name, argument.as_deref()).unwrap_or_else(|error| {
        let variable = match error {
            sampling::Error::Name => "OTEL_TRACES_SAMPLER",
            sampling::Error::Argument => "OTEL_TRACES_SAMPLER_ARG",
        };
        reader.fault(variable, error.to_string());
        Sampler::default()
    })
}

/// The collector that the older program's settings mean.
fn jaeger(reader: &mut Reader<'_>) -> Option<String> {
    let is_on = reader.value("JAEGER_ENABLE", flag, false);
    let address = reader.text("JAEGER_HOST_PORT").unwrap_or_default();
    let parts = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let Some((host, port)) = parts.filter(|(host, _)| !host.is_empty()) else {
        reader.fault("JAEGER_HOST_PORT", "must be a host and a port");
        return None;
    };
    let port = if AGENT_PORTS.contains(&port) { OTLP_GRPC_PORT } else { port };
    is_on.then(|| format!("http://{host}:{port}"))
}

/// Where a signal goes: to its own endpoint, to the one for all, or to what Jaeger's settings name.
fn signal(reader: &mut Reader<'_>, names: &Names, jaeger: Option<&str>) -> Option<Signal> {
    let is_wanted = reader.word(names.exporter, &["otlp", "none"]) != Some("none");
    let protocol = protocol(reader, names.protocol).or_else(|| protocol(reader, "OTEL_EXPORTER_OTLP_PROTOCOL"));
    let protocol = protocol.unwrap_or(Protocol::HttpProtobuf);
    let own = url(reader, names.endpoint);
    let common = url(reader, "OTEL_EXPORTER_OTLP_ENDPOINT");
    let endpoint = Endpoint {
        url: String::new(),
        protocol,
        headers: headers(reader),
        gzip: reader.word("OTEL_EXPORTER_OTLP_COMPRESSION", &["none", "gzip"]) == Some("gzip"),
        timeout: milliseconds(reader, "OTEL_EXPORTER_OTLP_TIMEOUT", 600_000),
        certificate: certificate(reader),
    };
    let batching = Batching {
        queue: count(reader, names.queue, 1_000_000),
        batch: count(reader, names.batch, 1_000_000),
        delay: milliseconds(reader, names.delay, 600_000),
    };
    // Only now, when everything has been read and every fault been found.
    let endpoint = match (own, common, jaeger) {
        (Some(url), _, _) => Endpoint { url, ..endpoint },
        (None, Some(url), _) if protocol == Protocol::Grpc => Endpoint { url, ..endpoint },
        (None, Some(url), _) => Endpoint { url: format!("{}/{}", url.trim_end_matches('/'), names.path), ..endpoint },
        (None, None, Some(url)) => Endpoint { url: url.to_owned(), protocol: Protocol::Grpc, ..endpoint },
        (None, None, None) => return None,
    };
    is_wanted.then_some(Signal { endpoint, batching })
}

fn protocol(reader: &mut Reader<'_>, name: &'static str) -> Option<Protocol> {
    match reader.word(name, &["http/protobuf", "grpc"])? {
        "grpc" => Some(Protocol::Grpc),
        _ => Some(Protocol::HttpProtobuf),
    }
}

fn url(reader: &mut Reader<'_>, name: &'static str) -> Option<String> {
    let url = reader.text(name)?;
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    if host.is_none_or(|host| host.is_empty() || host.starts_with('/') || host.contains(char::is_whitespace)) {
        reader.fault(name, "must begin with http:// or https:// and name a host");
        return None;
    }
    Some(url)
}

fn headers(reader: &mut Reader<'_>) -> Vec<(String, SecretString)> {
    let pairs = reader.pairs("OTEL_EXPORTER_OTLP_HEADERS");
    pairs.into_iter().map(|(name, value)| (name, SecretString::from(value))).collect()
}

fn milliseconds(reader: &mut Reader<'_>, name: &'static str, most: u64) -> Duration {
    Duration::from_millis(whole(reader, name, most))
}

fn count(reader: &mut Reader<'_>, name: &'static str, most: u64) -> usize {
    usize::try_from(whole(reader, name, most)).unwrap_or(usize::MAX)
}

fn whole(reader: &mut Reader<'_>, name: &'static str, most: u64) -> u64 {
    let number = reader.text(name).and_then(|text| text.parse().ok()).filter(|number| (1..=most).contains(number));
    number.unwrap_or_else(|| {
        reader.fault(name, format!("must be a whole number from 1 to {most}"));
        1
    })
}

fn certificate(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    let path = reader.text("OTEL_EXPORTER_OTLP_CERTIFICATE")?;
    std::fs::read(path).map_err(|error| reader.fault("OTEL_EXPORTER_OTLP_CERTIFICATE", error.to_string())).ok()
}
