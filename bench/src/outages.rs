//! A collector in trouble, and the service under full load: what it costs, what memory it takes, and
//! that every span is accounted for, to the item.

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::Row;
use crate::client::{Connection, get};
use crate::commands::closed_loop;
use crate::cost::median;
use crate::server::Server;
use crate::telemetry::{answer_after, receiver};

const ROUNDS: usize = 3;
const SECONDS: u64 = 5;
const CONCURRENCY: usize = 64;
/// Request, command, append; taken up and written by either projection.
const SPANS_OF_ONE: u64 = 7;

pub async fn of_the_collector() -> Vec<Row> {
    let stalled = TcpListener::bind("127.0.0.1:0").unwrap();
    let troubles = [
        ("well", receiver()),
        ("gone (connections are refused)", refused()),
        ("stalled (accepts, never answers)", format!("http://{}", stalled.local_addr().unwrap())),
        ("slow (answers after a second)", answer_after(Duration::from_secs(1))),
    ];
    let mut runs: Vec<(Vec<f64>, Vec<f64>, u64)> = vec![Default::default(); troubles.len()];
    for _ in 0..ROUNDS {
        for ((_, url), (rates, memory, dropped)) in troubles.iter().zip(&mut runs) {
            let (rate, megabytes, lost) = run(url).await;
            rates.push(rate);
            memory.push(megabytes);
            *dropped += lost;
        }
    }
    let well = runs[0].0.clone();
    troubles
        .iter()
        .zip(runs)
        .map(|((name, _), (rates, memory, dropped))| {
            let ratio = median(rates.iter().zip(&well).map(|(rate, well)| rate / well).collect());
            let memory = median(memory);
            let detail = format!("× {ratio:.3} of well; {memory:.0} MiB RSS; {dropped} spans dropped, all counted");
            Row::new(format!("create, collector {name}"), median(rates), "commands/s", detail)
        })
        .collect()
}

/// An address where nobody listens any more.
fn refused() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert!(TcpStream::connect(address).is_err());
    format!("http://{address}")
}

/// Commands a second, memory afterwards, spans dropped.
async fn run(collector: &str) -> (f64, f64, u64) {
    let folder = tempfile::tempdir_in(".").unwrap();
    let endpoint = ["--otel-exporter-otlp-endpoint", collector, "--otel-logs-exporter", "none"];
    let server = Server::start(folder.path(), &[&["up", "--no-traffic", "--no-console"], &endpoint[..]].concat());
    let (rate, latencies) = closed_loop(&server, CONCURRENCY, SECONDS).await;
    let memory = server.resident() as f64 / 1_048_576.0;
    let mut connection = Connection::open(server.address).await.unwrap();
    let made = latencies.len() * SPANS_OF_ONE;
    let begun = Instant::now();
    loop {
        let metrics = connection.send(&get("/metrics")).await.unwrap().body;
        let metrics = String::from_utf8(metrics).unwrap();
        let sum = |name: &str| metrics.lines().filter(|line| line.starts_with(name)).map(value).sum::<u64>();
        let dropped = sum(r#"telemetry_dropped_total{signal="traces""#);
        let exported = sum(r#"telemetry_exported_total{signal="traces""#);
        let waiting = sum(r#"telemetry_queue_records{signal="traces""#);
        // The projections may still have some way to go.
        if dropped + exported + waiting == made {
            return (rate, memory, dropped);
        }
        let told = format!("{dropped} dropped + {exported} exported + {waiting} waiting of {made} made");
        assert!(begun.elapsed() < Duration::from_secs(30), "{told}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn value(line: &str) -> u64 {
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).unwrap_or_default()
}
