//! How much is taken in and stored a second, each party on an empty folder, in turns.

use std::sync::Arc;

use super::drive::{Feed, Rate, SENDERS, Until, rate};
use super::otlp::{self, ITEMS, SPANS_PER_TRACE, TRACES};
use super::parties::{Kind, Party, Signal, ask};
use super::pushed::{self, Requests, SERIES};
use super::table::{Figure, Table, Target};
use super::template::trace_id;

const ROUNDS: usize = 3;
const SECONDS: u64 = 4;
/// Requests of each sender that are made before: more than are answered in the time, on most machines.
const MADE: u32 = 600;
/// Traces that are looked for after each round.
const LOOKED_FOR: usize = 50;

/// One way in, and whom it is tried with: each is sent the same, by the path that it has for it.
struct Way {
    what: &'static str,
    unit: &'static str,
    signal: Signal,
    /// Items of a request.
    items: u32,
    feeds: Vec<(Kind, Feed)>,
    /// Of items a second.
    target: Target,
}

pub async fn spans(table: &mut Table) {
    let way = |what, feed: &Feed| {
        let parties = [Kind::Console, Kind::JaegerMemory, Kind::JaegerBadger, Kind::Otelite];
        let feeds = parties.map(|kind| (kind, feed.clone())).into();
        Way { what, unit: "spans/s", signal: Signal::Spans, items: ITEMS, feeds, target: Target::AtLeast(130_000.0) }
    };
    let templates = otlp::spans();
    turns(table, way("spans, OTLP/HTTP", &Feed::Http(templates.clone()))).await;
    turns(table, way("spans, OTLP/gRPC", &Feed::Grpc(templates))).await;
}

pub async fn lines(table: &mut Table) {
    let way = |what, feeds| Way {
        what,
        unit: "lines/s",
        signal: Signal::Lines,
        items: ITEMS,
        feeds,
        target: Target::AtLeast(450_000.0),
    };
    let otlp = Feed::Http(otlp::records("/v1/logs"));
    let elsewhere = Feed::Http(otlp::records("/insert/opentelemetry/v1/logs"));
    let feeds = vec![(Kind::Console, otlp.clone()), (Kind::Otelite, otlp), (Kind::VictoriaLogs, elsewhere)];
    turns(table, way("log lines, OTLP/HTTP", feeds)).await;
    for (what, make) in [
        ("log lines, Loki push, JSON and gzip", pushed::lines_json as fn(&str, u32, u32) -> Vec<Requests>),
        ("log lines, Loki push, protobuf and snappy", pushed::lines_protobuf),
    ] {
        let of = |path: &str| made(|senders, requests| make(path, senders, requests));
        let own = of("/loki/api/v1/push");
        // As they are: by default it takes JSON in lines apart.
        let elsewhere = of("/insert/loki/api/v1/push?disable_message_parsing=1");
        turns(table, way(what, vec![(Kind::Console, own), (Kind::VictoriaLogs, elsewhere)])).await;
    }
}

pub async fn samples(table: &mut Table) {
    let feed = made(pushed::samples);
    let way = Way {
        what: "samples, remote write 1.0",
        unit: "samples/s",
        signal: Signal::Samples,
        items: SERIES,
        feeds: vec![(Kind::Console, feed.clone()), (Kind::Prometheus, feed)],
        target: Target::AtLeast(500_000.0),
    };
    turns(table, way).await;
}

fn made(make: impl Fn(u32, u32) -> Vec<Requests>) -> Feed {
    Feed::Made(Arc::new(make(SENDERS, MADE)))
}

async fn turns(table: &mut Table, way: Way) {
    for _ in 0..ROUNDS {
        for (kind, feed) in way.feeds.iter().filter(|(kind, _)| kind.is_there()) {
            let kind = *kind;
            let party = kind.start().await;
            let until = Until::seconds(SECONDS);
            let rate = rate(&party, way.signal, u64::from(way.items), feed, until).await;
            eprintln!("{}: {} {:.0} {}", way.what, kind.name(), rate.per_second, way.unit);
            let figure = table.figure(way.what, way.unit, way.target);
            figure.add(kind, rate.per_second);
            tell(figure, kind, &rate);
            if way.signal == Signal::Spans {
                look_for(figure, party, &rate).await;
            } else if kind == Kind::Console && rate.stored > 0 {
                let bytes = party.bytes_on_disk() as f64 / rate.stored as f64;
                figure.note("bytes", format!("{bytes:.0} bytes each on disk"));
            }
        }
    }
}

/// What a rate alone does not say.
fn tell(figure: &mut Figure, kind: Kind, rate: &Rate) {
    if let Some(reason) = &rate.sent.reason {
        let reason: String = reason.chars().take(80).collect();
        let matter = format!("{} refused", kind.name());
        figure.note(&matter, format!("{matter} {} requests: {reason}", rate.sent.refused));
    }
    if rate.missing > 0 {
        let matter = format!("{} had not stored", kind.name());
        figure.note(&matter, format!("{matter} {} of what it took", rate.missing));
    }
}

/// Asks for some of the traces that were sent: of the console after it was killed and started again.
async fn look_for(figure: &mut Figure, party: Party, rate: &Rate) {
    let party = if party.kind == Kind::Console {
        // What a crash may lose is no older than a second.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        let party = party.restart(true).await;
        let bytes = party.bytes_on_disk() as f64 / rate.stored.max(1) as f64;
        figure.note("bytes", format!("{bytes:.0} bytes each on disk"));
        party
    } else {
        party
    };
    let step = (rate.sent.sample.len() / LOOKED_FOR).max(1);
    let mut missing = 0;
    let sample: Vec<u64> = rate.sent.sample.iter().step_by(step).copied().collect();
    for (index, sending) in sample.iter().enumerate() {
        let path = party.trace_path(trace_id(*sending, index as u32 % TRACES));
        let answer = ask(party.query, &path).await;
        missing += u32::from(!answer.is_ok_and(|(status, text)| status == 200 && spans_in(&text) == SPANS_PER_TRACE));
    }
    if missing > 0 {
        let matter = format!("{} does not give whole", party.kind.name());
        figure.note(&matter, format!("{matter} {missing} of {} traces that it stored", sample.len()));
    } else if party.kind == Kind::Console {
        figure.note("found", format!("{} of {0} traces whole after kill -9", sample.len()));
    }
}

/// How many spans a trace has in the answer of Jaeger's API, or of otelite's own.
fn spans_in(text: &str) -> u32 {
    let answer: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let spans = answer.pointer("/data/0/spans").or_else(|| answer.pointer("/spans"));
    spans.and_then(serde_json::Value::as_array).map_or(0, |spans| spans.len() as u32)
}
