//! How long an answer takes over a million spans, alone and while more come in.

use std::time::{Duration, Instant};

use super::drive::{Feed, SENDERS, Until, rate, send};
use super::otlp::{self, ITEMS, RARE_TAG, SERVICES, TRACES, service};
use super::parties::{Kind, Party, Signal};
use super::table::{Table, Target};
use super::template::{now_ns, trace_id};
use crate::client::{Connection, get};

const SPANS: u64 = 1_000_000;
/// A peer that takes longer is asked over fewer spans, and a note says so.
const LOAD: Until = Until { time: Duration::from_secs(45), requests: SPANS / (ITEMS as u64 * SENDERS as u64) };
const BY_ID: usize = 200;
const SEARCHES: usize = 20;
/// One kind of search is asked for no longer than this.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long pages are watched while more comes in.
const WATCHED_SECONDS: u64 = 5;
/// Between one page and the next.
const REST: Duration = Duration::from_millis(10);

pub async fn measure(table: &mut Table) {
    let feed = Feed::Http(otlp::spans());
    for kind in [Kind::JaegerBadger, Kind::JaegerMemory, Kind::Otelite, Kind::Console] {
        if !kind.is_there() {
            continue;
        }
        let party = kind.start().await;
        let loaded = rate(&party, Signal::Spans, u64::from(ITEMS), &feed, LOAD).await;
        eprintln!("queries: {} has {} spans", kind.name(), loaded.stored);
        tokio::time::sleep(Duration::from_secs(2)).await;
        let figure = table.figure("memory with 1 M spans, idle for 2 s", "MiB RSS", Target::None);
        figure.add(kind, party.resident_mib());
        if loaded.stored < SPANS {
            figure.note(kind.name(), format!("{} has {} spans, here and below", kind.name(), loaded.stored));
        }
        let traces: Vec<u128> = (0..BY_ID)
            .filter_map(|index| Some((index, loaded.sent.sample.get(index * 7 % loaded.sent.sample.len().max(1))?)))
            .map(|(index, sending)| trace_id(*sending, index as u32 * 13 % TRACES))
            .collect();
        let by_id = traces.iter().map(|id| party.trace_path(*id)).collect();
        ask_for(table, &party, "trace by id", Target::Below(5.0), by_id).await;
        if kind != Kind::Otelite {
            searches(table, &party).await;
        }
        let pages = pages(&party, traces.first().copied().unwrap_or(1));
        let watch = watch(&party, pages, Duration::from_secs(WATCHED_SECONDS));
        let begun = Instant::now();
        let sent = send(&feed, party.otlp_http, Until::seconds(WATCHED_SECONDS)).await;
        let took = begun.elapsed().as_secs_f64();
        let figure = table.figure("longest wait for a page while spans come in", "ms", Target::Below(1_000.0));
        let waits = watch.join().unwrap();
        figure.add(kind, waits.longest_ms());
        if kind == Kind::Console {
            let rate = (sent.taken * u64::from(ITEMS)) as f64 / took;
            figure.note("of", format!("{}, at {rate:.0} spans/s", waits.told()));
        }
    }
}

async fn searches(table: &mut Table, party: &Party) {
    let (end_us, hour_us) = (now_ns() / 1_000, 3_600_000_000);
    let jaeger = |rest: &dyn Fn(usize) -> String| -> Vec<String> {
        let prefix = if party.kind == Kind::Console { "/jaeger" } else { "" };
        let window = format!("start={}&end={end_us}&limit=20", end_us - hour_us);
        (0..SEARCHES).map(|turn| format!("{prefix}/api/traces?{window}&{}", rest(turn))).collect()
    };
    let own = |rest: &str| -> Vec<String> { vec![format!("/api/traces?limit=20&{rest}"); SEARCHES] };
    let any = |turn: usize| service(turn as u32 % SERVICES);
    let tag = |key: &str, value: &str| format!("tags=%7B%22{key}%22%3A%22{value}%22%7D");
    let rare = tag(RARE_TAG.0, RARE_TAG.1);
    // What `otlp` gives the tag to.
    let its_service = service(11);
    let common = [
        ("search by service", jaeger(&|turn| format!("service={}", any(turn)))),
        (
            "search by service and operation",
            jaeger(&|turn| format!("service={}&operation=POST%20%2Fapi%2Forders", any(turn))),
        ),
        (
            "search by service and tag",
            jaeger(&|turn| format!("service={}&{}", any(turn), tag("http.response.status_code", "503"))),
        ),
        ("search by service and rare tag", jaeger(&|_| format!("service={its_service}&{rare}"))),
        (
            "search by service and a tag that nothing has",
            jaeger(&|turn| format!("service={}&{}", any(turn), tag("a", "b"))),
        ),
        ("search by service and duration", jaeger(&|turn| format!("service={}&minDuration=450ms", any(turn)))),
    ];
    for (what, paths) in common {
        ask_for(table, party, what, Target::Below(50.0), paths).await;
    }
    if party.kind == Kind::Console {
        let alone = [
            ("search without a service", own("")),
            ("search without a service, rare tag", own(&rare)),
            ("search without a service, duration", own("minDuration=450ms")),
            ("search without a service, errors", own("errors=true")),
        ];
        for (what, paths) in alone {
            ask_for(table, party, what, Target::Below(50.0), paths).await;
        }
    }
}

/// Asks one after the other, over one connection.
async fn ask_for(table: &mut Table, party: &Party, what: &str, target: Target, paths: Vec<String>) {
    let figure = table.figure(what, "ms", target);
    let mut connection = Connection::open(party.query).await.unwrap();
    let (begun, mut waits, mut traces, mut failed) = (Instant::now(), Vec::new(), 0, 0);
    for path in paths {
        let asked = Instant::now();
        let answer = connection.send(&get(&path)).await.unwrap();
        waits.push(asked.elapsed().as_secs_f64() * 1_000.0);
        traces += traces_in(&answer.body);
        failed += u32::from(answer.status != 200);
        if begun.elapsed() > PATIENCE {
            break;
        }
    }
    waits.sort_by(f64::total_cmp);
    let Some(longest) = waits.last() else { return };
    let late = waits[waits.len() * 95 / 100];
    figure.add(party.kind, waits[waits.len() / 2]);
    if party.kind == Kind::Console {
        figure.note("late", format!("95 % below {late:.1}, longest {longest:.1}"));
    }
    if what != "trace by id" {
        let told = format!("{} {:.0}", party.kind.name(), traces as f64 / waits.len() as f64);
        let before =
            figure.noted("traces").map_or_else(|| "traces an answer: ".to_owned(), |before| format!("{before}, "));
        figure.note("traces", before + &told);
    }
    if failed > 0 {
        figure.note(party.kind.name(), format!("{} failed {failed} of {}", party.kind.name(), waits.len()));
    }
}

/// How many traces are in the answer to a search.
fn traces_in(body: &[u8]) -> usize {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let traces = answer.get("data").or_else(|| answer.get("traces"));
    traces.and_then(serde_json::Value::as_array).map_or(0, Vec::len)
}

/// What a person looks at: name and path of each.
pub fn pages(party: &Party, trace: u128) -> Vec<(&'static str, String)> {
    match party.kind {
        Kind::Console => vec![
            ("overview", "/api/overview".to_owned()),
            ("search", "/api/traces?limit=50".to_owned()),
            ("search by service", format!("/api/traces?limit=50&service={}", service(0))),
            ("trace", party.trace_path(trace)),
        ],
        Kind::JaegerMemory | Kind::JaegerBadger => vec![
            ("services", "/api/services".to_owned()),
            ("search by service", format!("/api/traces?limit=50&lookback=1h&service={}", service(0))),
            ("trace", party.trace_path(trace)),
        ],
        _ => {
            vec![("search", "/api/traces?limit=50".to_owned()), ("trace", party.trace_path(trace))]
        }
    }
}

/// How long pages were waited for, milliseconds, by name.
pub struct Waits(Vec<(&'static str, Vec<f64>)>);

impl Waits {
    pub fn longest_ms(&self) -> f64 {
        self.0.iter().flat_map(|(_, waits)| waits).copied().fold(0.0, f64::max)
    }

    pub fn told(&self) -> String {
        let of = |(name, waits): &(&str, Vec<f64>)| {
            let (longest, middle) = (waits.iter().copied().fold(0.0, f64::max), crate::cost::median(waits.clone()));
            format!("{name} {middle:.0}, longest {longest:.0}")
        };
        self.0.iter().filter(|(_, waits)| !waits.is_empty()).map(of).collect::<Vec<_>>().join("; ")
    }
}

/// Asks for pages in turn, on a thread that the senders do not delay. What is not answered within the time
/// counts as waited for until then.
pub fn watch(party: &Party, pages: Vec<(&'static str, String)>, time: Duration) -> std::thread::JoinHandle<Waits> {
    let address = party.query;
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let begun = Instant::now();
            let mut waits = Waits(pages.iter().map(|(name, _)| (*name, Vec::new())).collect());
            let mut connection = Connection::open(address).await.unwrap();
            for turn in 0.. {
                let index = turn % pages.len();
                let request = get(&pages[index].1);
                let asked = Instant::now();
                let answer =
                    tokio::time::timeout(time.saturating_sub(begun.elapsed()), connection.send(&request)).await;
                waits.0[index].1.push(asked.elapsed().as_secs_f64() * 1_000.0);
                if answer.is_err() || begun.elapsed() >= time {
                    break;
                }
                tokio::time::sleep(REST).await;
            }
            waits
        })
    })
}
