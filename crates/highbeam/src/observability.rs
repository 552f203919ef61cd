//! Sets up logs, traces and metrics of this process from its settings, and ends them after everything
//! else has ended. What is told is the business of those who tell it.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::time::Duration;

use telemetry::export::{self, Exporter};
use telemetry::logging::{self, Encoder, Guard};
use telemetry::metrics::ConsoleCounts;
use telemetry::record::{Service, Value};
use telemetry::sampling;
use telemetry::scope::Scope;
use telemetry::tracer::Sink;
use telemetry::{Control, Metrics, Tracer};
use uuid::Uuid;

use crate::commands::Error;
use crate::roles::Part;
use crate::settings::Settings;

/// What the console in this process counts.
pub(crate) type Counts = Box<dyn Fn() -> ConsoleCounts + Send + Sync>;

/// How long what waits may take to reach the collector when the process ends.
const FLUSH: Duration = Duration::from_secs(3);

/// What every part of the process is given to tell how it fares.
pub(crate) struct Observability {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) control: Control,
    parts: Vec<Part>,
    sampler: Arc<sampling::Current>,
    exporter: Option<Exporter>,
    /// Writes the waiting lines when it is dropped.
    _log: Guard,
}

impl Observability {
    /// Starts telling. The log goes to standard error; standard output is for what a person asked to
    /// see.
    pub(crate) fn start(settings: &Settings, parts: Vec<Part>, console: Option<Counts>) -> Result<Self, Error> {
        let observability = &settings.observability;
        let names: Vec<_> = parts.iter().enumerate().map(|(index, part)| name(settings, index, *part)).collect();
        let first = names.first().map_or("", String::as_str);
        let metrics = Arc::new(metrics(settings, first, console));
        let exporter = export(settings, &names, &metrics)?;
        let log = log(settings, names, exporter.as_ref())?;
        metrics.count_lines(log.dropped());
        let sampler = Arc::new(sampling::Current::new(observability.sampler));
        let control = Control::new(Some(log.filter()), Arc::clone(&sampler));
        if !settings.ignored.is_empty() {
            tracing::warn!(settings = settings.ignored.join(", "), "settings without effect in this version");
        }
        Ok(Self { metrics, control, parts, sampler, exporter, _log: log })
    }

    /// Makes the spans of one part of this process.
    pub(crate) fn tracer(&self, part: Part) -> Tracer {
        let index = self.parts.iter().position(|own| *own == part).unwrap_or_default();
        let service = Service(u8::try_from(index).unwrap_or_default());
        let sink = self.exporter.clone().map(|exporter| Arc::new(exporter) as Arc<dyn Sink>);
        Tracer::new(service, Arc::clone(&self.sampler), sink)
    }

    /// The scope of a part's own work, which gives its log lines the right name.
    pub(crate) fn scope(&self, part: Part) -> Scope {
        let index = self.parts.iter().position(|own| *own == part).unwrap_or_default();
        Scope::of(Service(u8::try_from(index).unwrap_or_default()))
    }

    /// Sends what waits.
    pub(crate) async fn finish(self) {
        if let Some(exporter) = &self.exporter {
            exporter.shutdown(FLUSH).await;
        }
    }
}

/// Everything that this process exposes.
fn metrics(settings: &Settings, service: &str, console: Option<Counts>) -> Metrics {
    if !settings.observability.has_metrics {
        return Metrics::disabled();
    }
    let mut metrics = Metrics::new(service, env!("CARGO_PKG_VERSION"));
    metrics.register_process();
    metrics.register_runtime(&tokio::runtime::Handle::current());
    if settings.host_metrics.unwrap_or(false) {
        metrics.register_host(telemetry::metrics::host::Options::default());
    }
    if let Some(console) = console {
        metrics.register_console(console);
    }
    metrics
}

/// The name in the settings is the first part's: the others would not be told apart.
fn name(settings: &Settings, index: usize, part: Part) -> String {
    let own = settings.service_name.as_ref().filter(|_| index == 0);
    own.cloned().unwrap_or_else(|| part.service_name().to_owned())
}

fn export(settings: &Settings, names: &[String], metrics: &Metrics) -> Result<Option<Exporter>, Error> {
    let observability = &settings.observability;
    if !observability.is_on || (observability.spans.is_none() && observability.logs.is_none()) {
        return Ok(None);
    }
    let instance = Uuid::new_v4().to_string();
    let services = names.iter().map(|name| resource(settings, name, &instance)).collect();
    let options = export::Options { services, spans: observability.spans.clone(), logs: observability.logs.clone() };
    let exporter = Exporter::start(options, metrics.exports.clone());
    exporter.map(Some).map_err(|error| Error::Failed(format!("cannot export telemetry: {error}")))
}

/// What OpenTelemetry calls a resource. The settings have the last word.
fn resource(settings: &Settings, name: &str, instance: &str) -> Vec<(String, Value)> {
    let environment = if settings.is_development { "development" } else { "production" };
    let own: [(&str, Value); 8] = [
        ("service.name", name.to_owned().into()),
        ("service.version", env!("CARGO_PKG_VERSION").into()),
        ("service.instance.id", instance.to_owned().into()),
        ("deployment.environment.name", environment.into()),
        ("process.pid", std::process::id().into()),
        ("telemetry.sdk.name", "highbeam".into()),
        ("telemetry.sdk.language", "rust".into()),
        ("telemetry.sdk.version", env!("CARGO_PKG_VERSION").into()),
    ];
    let given = &settings.observability.resource;
    let is_given = |name: &str| given.iter().any(|(given, _)| given == name);
    let own = own.into_iter().filter(|(name, _)| *name == "service.name" || !is_given(name));
    let own = own.map(|(name, value)| (name.to_owned(), value));
    own.chain(given.iter().filter(|(name, _)| name != "service.name").cloned()).collect()
}

fn log(settings: &Settings, services: Vec<String>, exporter: Option<&Exporter>) -> Result<Guard, Error> {
    let terminal = stderr().is_terminal();
    let options = logging::Options {
        filter: settings.logger.filter.clone(),
        encoder: settings.logger.encoder.unwrap_or(if terminal { Encoder::Console } else { Encoder::Json }),
        ansi: terminal && std::env::var_os("NO_COLOR").is_none(),
        services,
    };
    let sends_logs = settings.observability.logs.is_some();
    let sink = exporter.filter(|_| sends_logs).cloned().map(|exporter| Arc::new(exporter) as Arc<dyn Sink>);
    logging::init(&options, stderr(), sink).map_err(|error| Error::Failed(format!("cannot start logging: {error}")))
}
