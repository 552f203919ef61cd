//! The programs that are measured: the console and its peers, each on a folder of its own and free ports,
//! with the settings that it has by default where there is a choice.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::template::now_ns;
use crate::client::{Connection, get};
use crate::server::binary;

const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Console,
    JaegerMemory,
    JaegerBadger,
    Otelite,
    Prometheus,
    /// Sent lines that it keeps as they are.
    VictoriaLogs,
    /// Sent lines whose JSON it takes apart before it keeps them.
    VictoriaLogsFields,
    /// Runs once for each question, so that it is never started.
    Ripgrep,
}

/// What is counted as stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Spans,
    Lines,
    Samples,
}

/// A program that runs. It is killed when it is dropped.
pub struct Party {
    pub kind: Kind,
    pub otlp_http: SocketAddr,
    pub otlp_grpc: SocketAddr,
    /// Where it is asked.
    pub query: SocketAddr,
    /// Where it counts.
    counters: SocketAddr,
    /// From the start of the process to the first answer that says it is ready.
    pub started_in: Duration,
    child: Child,
    pub folder: TempDir,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::JaegerMemory => "Jaeger, memory",
            Self::JaegerBadger => "Jaeger, Badger",
            Self::Otelite => "otelite",
            Self::Prometheus => "Prometheus",
            Self::VictoriaLogs => "VictoriaLogs",
            Self::VictoriaLogsFields => "VictoriaLogs, fields at ingest",
            Self::Ripgrep => "ripgrep",
        }
    }

    fn binary(self) -> PathBuf {
        let name = match self {
            Self::Console => return binary(),
            Self::JaegerMemory | Self::JaegerBadger => "jaeger",
            Self::Otelite => "otelite",
            Self::Prometheus => "prometheus",
            Self::VictoriaLogs | Self::VictoriaLogsFields => "victorialogs",
            Self::Ripgrep => return PathBuf::from("rg"),
        };
        Path::new("target/peers/bin").join(name)
    }

    pub fn is_there(self) -> bool {
        if self == Self::Ripgrep {
            return Command::new(self.binary()).arg("--version").stdout(Stdio::null()).status().is_ok();
        }
        self.binary().exists()
    }

    fn ready(self) -> &'static str {
        match self {
            Self::Console => "/readyz",
            Self::JaegerMemory | Self::JaegerBadger => "/api/services",
            Self::Otelite => "/api/health",
            Self::Prometheus => "/prometheus/-/ready",
            Self::VictoriaLogs | Self::VictoriaLogsFields => "/health",
            Self::Ripgrep => "",
        }
    }

    fn command(self, folder: &Path, [grpc, http, query, counters]: [SocketAddr; 4]) -> Command {
        let mut command = Command::new(self.binary());
        match self {
            Self::Console => {
                let ports = [("--console-port", query), ("--otlp-grpc-port", grpc), ("--otlp-http-port", http)];
                command.args(["console", "--data-dir"]).arg(folder);
                command.args(ports.iter().flat_map(|(name, at)| [(*name).to_owned(), at.port().to_string()]));
            }
            Self::JaegerMemory | Self::JaegerBadger => {
                let path = folder.join("jaeger.yaml");
                let store = if self == Self::JaegerMemory {
                    // Enough for the spans that are searched; by default the oldest would give way.
                    "memory: { max_traces: 1000000 }".to_owned()
                } else {
                    let folder = folder.canonicalize().unwrap().display().to_string();
                    format!(
                        "badger: {{ directories: {{ keys: {folder}/keys, values: {folder}/values }}, ephemeral: false }}"
                    )
                };
                std::fs::write(&path, jaeger(&store, [grpc, http, query, counters])).unwrap();
                command.arg("--config").arg(path);
            }
            Self::Otelite => {
                command
                    .args(["serve", "--log-level", "error", "--addr", &query.to_string(), "--storage-path"])
                    .arg(folder);
                command.env("OTELITE_OTLP_GRPC_PORT", grpc.port().to_string());
                command.env("OTELITE_OTLP_HTTP_PORT", http.port().to_string());
            }
            Self::Prometheus => {
                let path = folder.join("prometheus.yml");
                std::fs::write(&path, "global: {}\n").unwrap();
                command.arg(format!("--config.file={}", path.display()));
                command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
                command.arg(format!("--web.listen-address={query}"));
                // Under the console's path, so that both are sent the same requests.
                command.args(["--web.route-prefix=/prometheus", "--web.enable-remote-write-receiver"]);
                command.arg("--log.level=error");
            }
            Self::VictoriaLogs | Self::VictoriaLogsFields => {
                command.arg(format!("-storageDataPath={}", folder.join("data").display()));
                command.arg(format!("-httpListenAddr={query}"));
                command.arg("-loggerLevel=ERROR");
            }
            Self::Ripgrep => {}
        }
        command
    }

    /// Starts it on an empty folder.
    pub async fn start(self) -> Party {
        self.start_in(tempfile::tempdir_in(".").unwrap()).await
    }

    async fn start_in(self, folder: TempDir) -> Party {
        let addresses = free();
        let [otlp_grpc, otlp_http, query, counters] = addresses;
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = self.command(folder.path(), addresses);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let begun = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.binary().display()));
        while !is_ok(query, self.ready()).await {
            let log = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            if let Some(status) = child.try_wait().unwrap() {
                panic!("{} ended before it was ready ({status}): {}", self.name(), log());
            }
            assert!(begun.elapsed() < PATIENCE, "{} does not get ready: {}", self.name(), log());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let started_in = begun.elapsed();
        // It takes everything at one address.
        let is_one = matches!(self, Self::VictoriaLogs | Self::VictoriaLogsFields);
        let otlp_http = if is_one { query } else { otlp_http };
        let counters = if matches!(self, Self::JaegerMemory | Self::JaegerBadger) { counters } else { query };
        Party { kind: self, otlp_http, otlp_grpc, query, counters, started_in, child, folder }
    }
}

impl Party {
    /// How many items it has stored, by its own account.
    pub async fn stored(&self, signal: Signal) -> u64 {
        let path = match self.kind {
            // It keeps answers for a while, unless the question is another.
            Kind::Otelite => &format!("/api/stats?asked={}", now_ns()),
            Kind::Prometheus => "/prometheus/metrics",
            _ => "/metrics",
        };
        let text = ask(self.counters, path).await.map(|(_, text)| text).unwrap_or_default();
        let count = match (self.kind, signal) {
            (Kind::Console, Signal::Spans) => counter(&text, "console_ingested_total", "signal=\"traces\""),
            (Kind::Console, Signal::Lines) => counter(&text, "console_ingested_total", "signal=\"logs\""),
            (Kind::Console, Signal::Samples) => counter(&text, "console_ingested_total", "signal=\"metrics\""),
            (Kind::JaegerMemory | Kind::JaegerBadger, _) => counter(&text, "otelcol_exporter_sent_spans_total", ""),
            (Kind::VictoriaLogs | Kind::VictoriaLogsFields, _) => counter(&text, "vl_storage_rows", ""),
            (Kind::Ripgrep, _) => 0.0,
            (Kind::Prometheus, _) => counter(&text, "prometheus_tsdb_head_samples_appended_total", "type=\"float\""),
            (Kind::Otelite, signal) => {
                let key = if signal == Signal::Spans { "span_count" } else { "log_count" };
                let stats: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
                stats[key].as_f64().unwrap_or_default()
            }
        };
        count as u64
    }

    /// Where a trace is had by its id.
    pub fn trace_path(&self, id: u128) -> String {
        let prefix = if self.kind == Kind::Console { "/jaeger" } else { "" };
        format!("{prefix}/api/traces/{id:032x}")
    }

    /// Resident memory, MiB.
    pub fn resident_mib(&self) -> f64 {
        self.memory_mib("VmRSS:")
    }

    /// The most that was ever resident, MiB.
    pub fn resident_peak_mib(&self) -> f64 {
        self.memory_mib("VmHWM:")
    }

    /// Resident memory but for pages of files, MiB.
    pub fn resident_anonymous_mib(&self) -> f64 {
        self.memory_mib("RssAnon:")
    }

    fn memory_mib(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// Bytes of its files.
    pub fn bytes_on_disk(&self) -> u64 {
        fn sum(folder: &Path) -> u64 {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|it| it.metadata().map_or(0, |at| if at.is_dir() { sum(&it.path()) } else { at.len() })).sum()
        }
        sum(self.folder.path())
    }

    /// Ends it, asked to or killed, and starts it on the same folder.
    pub async fn restart(mut self, is_killed: bool) -> Self {
        if is_killed {
            self.child.kill().unwrap();
        } else {
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        }
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "{} does not end", self.kind.name());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        self.kind.start_in(folder).await
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Addresses that are free when they are asked for.
fn free() -> [SocketAddr; 4] {
    let listeners = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    [0, 1, 2, 3].map(|index: usize| listeners[index].local_addr().unwrap())
}

/// An answer's status and text, on a connection of its own.
pub async fn ask(address: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    let answer = Connection::open(address).await?.send(&get(path)).await?;
    Ok((answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
}

async fn is_ok(address: SocketAddr, path: &str) -> bool {
    ask(address, path).await.is_ok_and(|(status, _)| status == 200)
}

/// The sum of a counter's series that have a label.
pub fn counter(text: &str, name: &str, label: &str) -> f64 {
    let lines = text.lines().filter_map(|line| line.strip_prefix(name)).filter(|rest| rest.contains(label));
    let value = |rest: &str| {
        let value = rest.split_once('}').map_or(rest, |(_, value)| value);
        value.split_whitespace().next().and_then(|value| value.parse::<f64>().ok())
    };
    lines.filter_map(value).sum()
}

/// Jaeger's way from OTLP to the store, as its own examples have it.
fn jaeger(store: &str, [grpc, http, query, counters]: [SocketAddr; 4]) -> String {
    let other = free()[0];
    format!(
        "service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {{ receivers: [otlp], processors: [batch], exporters: [jaeger_storage_exporter] }}
  telemetry:
    metrics:
      level: basic
      readers: [{{ pull: {{ exporter: {{ prometheus: {{ host: 127.0.0.1, port: {} }} }} }} }}]
    logs: {{ level: error }}
extensions:
  jaeger_query:
    storage: {{ traces: store }}
    http: {{ endpoint: \"{query}\" }}
    grpc: {{ endpoint: \"{other}\" }}
  jaeger_storage:
    backends:
      store: {{ {store} }}
receivers:
  otlp:
    protocols:
      grpc: {{ endpoint: \"{grpc}\" }}
      http: {{ endpoint: \"{http}\" }}
processors: {{ batch: {{}} }}
exporters:
  jaeger_storage_exporter: {{ trace_storage: store }}
",
        counters.port()
    )
}
