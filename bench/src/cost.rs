//! What telemetry costs the service: the same load with telemetry off, with metrics only, and with all
//! three signals sent to a receiver that reads and discards, at a tenth and at all of the traces. Both
//! projections run in the process, so each command is seven spans where its trace is kept.
//!
//! The ways are taken in turns, round after round, and compared within a round: a shared machine changes
//! its pace, but less so from one minute to the next.

use crate::Row;
use crate::commands::{closed_loop, open_loop};
use crate::server::Server;
use crate::telemetry::receiver;

const ROUNDS: usize = 5;
const SECONDS: u64 = 4;
const CONCURRENCY: usize = 64;
/// Commands a second at which latency is looked at: well below what the service can do.
const DUE: f64 = 5_000.0;

struct Way {
    name: &'static str,
    arguments: Vec<String>,
    rates: Vec<f64>,
    p99_ms: Vec<f64>,
}

pub async fn of_telemetry() -> Vec<Row> {
    let url = receiver();
    let all = |share: &str| {
        let sampler = ["--otel-traces-sampler", "parentbased_traceidratio", "--otel-traces-sampler-arg", share];
        [&["--logger-level", "info", "--otel-exporter-otlp-endpoint", &url][..], &sampler].concat().join(" ")
    };
    let mut ways: Vec<_> = [
        ("off", "--otel-sdk-disabled true".to_owned()),
        ("metrics only", String::new()),
        ("all three, 10 % of the traces", all("0.1")),
        ("all three, 100 % of the traces", all("1")),
    ]
    .into_iter()
    .map(|(name, arguments)| {
        let arguments = arguments.split_whitespace().map(str::to_owned).collect();
        Way { name, arguments, rates: Vec::new(), p99_ms: Vec::new() }
    })
    .collect();
    for _ in 0..ROUNDS {
        for way in &mut ways {
            let folder = tempfile::tempdir_in(".").unwrap();
            let arguments =
                ["up", "--no-traffic", "--no-console"].into_iter().chain(way.arguments.iter().map(String::as_str));
            let server = Server::start(folder.path(), &arguments.collect::<Vec<_>>());
            way.rates.push(closed_loop(&server, CONCURRENCY, SECONDS).await.0);
            let latencies = open_loop(&server, DUE, CONCURRENCY, SECONDS).await.1;
            way.p99_ms.push(latencies.value_at_quantile(0.99) as f64 / 1e6);
        }
    }
    let off = (ways[0].rates.clone(), ways[0].p99_ms.clone());
    ways.iter()
        .map(|way| {
            let detail = format!(
                "× {:.3} of off; p99 at {DUE:.0}/s {:.2} ms, × {:.2}; medians of {ROUNDS} rounds",
                median(ratios(&way.rates, &off.0)),
                median(way.p99_ms.clone()),
                median(ratios(&way.p99_ms, &off.1))
            );
            Row::new(format!("create, telemetry {}", way.name), median(way.rates.clone()), "commands/s", detail)
        })
        .collect()
}

fn ratios(values: &[f64], base: &[f64]) -> Vec<f64> {
    values.iter().zip(base).map(|(value, base)| value / base).collect()
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
