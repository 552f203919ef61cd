//! From the start of the process to its readiness, and memory: empty, and with the disk as full as it may be.

use std::time::{Duration, Instant};

use super::drive::{Feed, Until, send};
use super::otlp;
use super::parties::Kind;
use super::queries::{pages, watch};
use super::table::{Table, Target};
use super::template::trace_id;

const STARTS: usize = 3;
/// Just below what the console keeps by default.
const BYTES: u64 = 1_000_000_000;
const FILL: Duration = Duration::from_secs(75);
/// Filling is looked at this often.
const PIECE_SECONDS: u64 = 3;

pub async fn empty(table: &mut Table) {
    for turn in 0..STARTS {
        for kind in [Kind::Console, Kind::JaegerMemory, Kind::JaegerBadger, Kind::Otelite, Kind::Prometheus] {
            if !kind.is_there() {
                continue;
            }
            let party = kind.start().await;
            let ready_ms = party.started_in.as_secs_f64() * 1_000.0;
            table.figure("from start to ready, empty", "ms", Target::Below(50.0)).add(kind, ready_ms);
            if turn + 1 == STARTS {
                tokio::time::sleep(Duration::from_secs(2)).await;
                table
                    .figure("memory, empty, idle for 2 s", "MiB RSS", Target::Below(25.0))
                    .add(kind, party.resident_mib());
            }
        }
    }
}

/// Fills a console with spans and log records, and starts it again and again.
pub async fn full(table: &mut Table) {
    let console = Kind::Console.start().await;
    let (spans, records) = (Feed::Http(otlp::spans()), Feed::Http(otlp::records("/v1/logs")));
    let begun = Instant::now();
    let (mut longest, mut told, mut items, mut trace) = (0.0, String::new(), 0, 1);
    while console.bytes_on_disk() < BYTES && begun.elapsed() < FILL {
        let watch = watch(&console, pages(&console, trace), Duration::from_secs(PIECE_SECONDS));
        let until = Until::seconds(PIECE_SECONDS);
        let (spans, records) =
            tokio::join!(send(&spans, console.otlp_http, until), send(&records, console.otlp_http, until));
        items += (spans.taken + records.taken) * u64::from(otlp::ITEMS);
        trace = spans.sample.last().map_or(trace, |sending| trace_id(*sending, 0));
        let waits = watch.join().unwrap();
        if waits.longest_ms() > longest {
            (longest, told) = (waits.longest_ms(), waits.told());
        }
    }
    let rate = items as f64 / begun.elapsed().as_secs_f64();
    let figure = table.figure("longest wait for a page while spans and lines come in", "ms", Target::Below(1_000.0));
    figure.add(Kind::Console, longest);
    figure.note("of", format!("in the worst {PIECE_SECONDS} s: {told}; {rate:.0} items/s, eight senders"));
    let console = console.restart(true).await;
    let kept = format!("{:.2} GB kept", console.bytes_on_disk() as f64 / 1e9);
    let target = Target::Below(1_000.0);
    let figure = table.figure("from start to ready, 1 GB kept, after kill -9", "ms", target);
    figure.add(Kind::Console, console.started_in.as_secs_f64() * 1_000.0);
    figure.note("kept", kept.clone());
    let mut console = console;
    for _ in 0..STARTS {
        console = console.restart(false).await;
        let figure = table.figure("from start to ready, 1 GB kept", "ms", target);
        figure.add(Kind::Console, console.started_in.as_secs_f64() * 1_000.0);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let figure = table.figure("memory, 1 GB kept, idle for 2 s", "MiB RSS", Target::None);
    figure.add(Kind::Console, console.resident_mib());
    figure.note("kept", kept);
}
