//! The console beside its peers: what it takes in, how long it lets one wait, what it needs. Everyone gets
//! the same requests from the same sender on the same machine, in turns.
//!
//! Items count once they are stored, by the own count of whoever stores them. A peer that is not there is
//! left out, and a line says so.

mod drive;
mod footprint;
mod grep;
mod ingest;
mod otlp;
mod parties;
mod promql;
mod protobuf;
mod pushed;
mod queries;
mod table;
mod template;

use parties::Kind;
use table::Table;

/// What can be measured on its own, in this order.
pub const PARTS: [&str; 8] = [
    "console-empty",
    "console-spans",
    "console-lines",
    "console-samples",
    "console-queries",
    "console-promql",
    "console-logql",
    "console-full",
];

pub async fn beside_its_peers(parts: &[&str]) {
    for (kind, script) in
        [(Kind::JaegerMemory, "jaeger.sh"), (Kind::Otelite, "otelite.sh"), (Kind::Prometheus, "prometheus.sh")]
    {
        if !kind.is_there() {
            let name = kind.name().split(',').next().unwrap_or_default();
            println!("{name} is not there to be measured beside: bench/peers/{script}, or make bench-peers");
        }
    }
    let load = || std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load before: {}", load().trim());
    let mut table = Table::default();
    for part in parts {
        match *part {
            "console-empty" => footprint::empty(&mut table).await,
            "console-spans" => ingest::spans(&mut table).await,
            "console-lines" => ingest::lines(&mut table).await,
            "console-samples" => ingest::samples(&mut table).await,
            "console-logql" => grep::measure(&mut table).await,
            "console-queries" => queries::measure(&mut table).await,
            "console-promql" => promql::beside_prometheus(&mut table).await,
            _ => footprint::full(&mut table).await,
        }
    }
    table.print();
    println!("load after: {}", load().trim());
}
