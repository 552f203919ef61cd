//! `/tail`: lines as they come, over a WebSocket. The intake hands each batch to those who watch; it never waits
//! for them: what one cannot take is dropped and told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use console_logql::ast::LogExpr;
use console_logql::{Filter, FoundLine, LinesRequest, QueryError};
use console_model::{Labels, LogBatch, Value};
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::{Instant, interval, timeout};

use super::Shared;
use super::answer::{LabelMap, Refusal, Stream, streams};
use super::parameters::Parameters;
use super::query::LINES_MAX;
use super::source::{RecordLine, StoreSource};

/// Who may watch at the same time.
const WATCHERS_MAX: usize = 32;
/// Lines, and their bytes, that wait for one who watches.
const WAITING_MAX: usize = 10_000;
const WAITING_BYTES_MAX: usize = 16 << 20;
/// Lines of one message.
const MESSAGE_LINES_MAX: usize = 100;
/// Dropped lines that a message names; the others are counted.
const DROPPED_NAMED_MAX: usize = 100;
/// Lines from before that are sent first, where no number is named.
const LINES_DEFAULT: usize = 100;
/// The longest that lines may be held back, seconds.
const DELAY_MAX_S: u64 = 5;
/// How long one who watches may take for a message.
const SEND_LIMIT: Duration = Duration::from_secs(10);
/// How often it is seen to that somebody is still there.
const PING_EVERY: Duration = Duration::from_secs(15);
/// How often lines that were held back are looked at.
const TICK: Duration = Duration::from_millis(200);

/// A line that one who watches has missed.
#[derive(Debug, Clone)]
struct Dropped {
    stream: Labels,
    time_ns: u64,
}

/// What waits for one who watches.
#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<FoundLine>,
    bytes: usize,
    dropped: Vec<Dropped>,
}

/// One who watches.
struct Watcher {
    filter: Filter,
    waiting: Mutex<Waiting>,
    news: Notify,
}

/// All who watch.
#[derive(Default)]
pub struct Tails {
    watchers: Mutex<Vec<Arc<Watcher>>>,
    count: AtomicUsize,
    /// Lines that somebody missed, since the start.
    dropped: AtomicU64,
}

impl Tails {
    /// Shows a batch to all who watch. Without anybody it costs nothing.
    pub fn show(&self, batch: &LogBatch) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for watcher in watchers {
            self.dropped.fetch_add(watcher.take(batch), Ordering::Relaxed);
        }
    }

    /// How many watch.
    pub fn watching(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many lines somebody missed.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn enter(self: &Arc<Self>, filter: Filter) -> Option<Entered> {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        if watchers.len() >= WATCHERS_MAX {
            return None;
        }
        let watcher = Arc::new(Watcher { filter, waiting: Mutex::default(), news: Notify::new() });
        watchers.push(Arc::clone(&watcher));
        self.count.store(watchers.len(), Ordering::Relaxed);
        Some(Entered { tails: Arc::clone(self), watcher })
    }
}

/// A place among those who watch, given up when it is dropped.
struct Entered {
    tails: Arc<Tails>,
    watcher: Arc<Watcher>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut watchers = self.tails.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.retain(|watcher| !Arc::ptr_eq(watcher, &self.watcher));
        self.tails.count.store(watchers.len(), Ordering::Relaxed);
    }
}

impl Watcher {
    /// Takes what it watches of a batch, and gives how many lines there was no room for.
    fn take(&self, batch: &LogBatch) -> u64 {
        let mut missed = 0;
        let mut any = false;
        for group in batch.groups.iter().filter(|group| self.filter.selects(&group.stream)) {
            for record in &group.records {
                let written;
                let text = match &record.body {
                    Value::String(text) => text.as_str(),
                    other => {
                        written = other.to_string();
                        &written
                    }
                };
                let line =
                    RecordLine { record, resource: &group.resource, scope: &group.scope, stream: &group.stream, text };
                let Some(line) = self.filter.run(&line) else { continue };
                any = true;
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                if waiting.lines.len() >= WAITING_MAX || waiting.bytes + line.line.len() > WAITING_BYTES_MAX {
                    missed += 1;
                    if waiting.dropped.len() < DROPPED_NAMED_MAX {
                        waiting.dropped.push(Dropped { stream: group.stream.clone(), time_ns: line.time_ns });
                    }
                } else {
                    waiting.bytes += line.line.len();
                    waiting.lines.push_back(line);
                }
            }
        }
        if any {
            self.news.notify_one();
        }
        missed
    }

    /// The lines of the next message, those up to a time, and what was missed.
    fn next(&self, until_ns: u64) -> (Vec<FoundLine>, Vec<Dropped>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = Vec::new();
        while lines.len() < MESSAGE_LINES_MAX && waiting.lines.front().is_some_and(|line| line.time_ns <= until_ns) {
            if let Some(line) = waiting.lines.pop_front() {
                waiting.bytes -= line.line.len();
                lines.push(line);
            }
        }
        (lines, std::mem::take(&mut waiting.dropped))
    }
}

#[derive(Serialize)]
struct DroppedEntry<'a> {
    labels: LabelMap<'a>,
    timestamp: String,
}

#[derive(Serialize)]
struct TailMessage<'a> {
    streams: Vec<Stream<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dropped_entries: Vec<DroppedEntry<'a>>,
}

fn message(lines: &[FoundLine], dropped: &[Dropped]) -> Option<Message> {
    let entry = |dropped: &'_ Dropped| dropped.time_ns.to_string();
    let dropped_entries =
        dropped.iter().map(|one| DroppedEntry { labels: LabelMap(&one.stream), timestamp: entry(one) }).collect();
    let message = TailMessage { streams: streams(lines, false), dropped_entries };
    serde_json::to_string(&message).ok().map(|text| Message::Text(text.into()))
}

pub(super) async fn tail(State(shared): State<Shared>, request: Request) -> Response {
    match watch(shared, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

/// What is asked of a tail.
struct Asked {
    log: LogExpr,
    lines: LinesRequest,
    delay_ns: u64,
}

fn asked(parameters: &Parameters, now_ns: u64) -> Result<Asked, Refusal> {
    let log = console_logql::parse_log(parameters.query()?).map_err(QueryError::from)?;
    let delay = match parameters.first("delay_for") {
        None => 0,
        Some(text) => text.parse::<u64>().ok().filter(|seconds| *seconds <= DELAY_MAX_S).ok_or_else(|| {
            Refusal::asked(format!("delay_for can't be greater than {DELAY_MAX_S}, as in delay_for=2"))
        })?,
    };
    let times = parameters.times_of_query(now_ns)?;
    let lines = LinesRequest {
        from_ns: times.from_ns,
        to_ns: now_ns.saturating_add(1),
        limit: parameters.limit("limit", LINES_DEFAULT, LINES_MAX)?,
        is_backward: true,
        interval_ns: 0,
        now_ns,
    };
    Ok(Asked { log, lines, delay_ns: delay * 1_000_000_000 })
}

async fn watch(shared: Shared, request: Request) -> Result<Response, Refusal> {
    let uri: Uri = request.uri().clone();
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let parameters = Parameters::of_uri(&uri);
    let asked = asked(&parameters, shared.now_ns())?;
    let upgrade =
        upgrade.map_err(|_| Refusal::asked("/tail is a WebSocket: send an upgrade, as wscat and Grafana do"))?;
    let filter = Filter::new(&asked.log, asked.lines.now_ns)?;
    let entered = shared.tails.enter(filter).ok_or_else(|| {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, format!("{WATCHERS_MAX} tail already; end one of them first"))
    })?;
    Ok(upgrade.max_message_size(64 * 1024).on_upgrade(move |socket| run(shared, asked, entered, socket)))
}

/// Sends what was before, then what comes, until nobody is there any more.
async fn run(shared: Shared, asked: Asked, entered: Entered, mut socket: WebSocket) {
    let Asked { log, lines, delay_ns } = asked;
    let before = shared.read(move |store, stop| {
        let mut found = console_logql::lines(&log, &lines, &StoreSource(store), &|| stop.is_set())?.lines;
        found.reverse();
        Ok(found)
    });
    if let Ok(before) = before.await {
        for part in before.chunks(MESSAGE_LINES_MAX) {
            if !send(&mut socket, message(part, &[])).await {
                return;
            }
        }
        entered.watcher.forget(&before);
    }
    let mut tick = interval(TICK);
    let mut pinged = Instant::now();
    loop {
        tokio::select! {
            received = socket.recv() => match received {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            () = entered.watcher.news.notified(), if delay_ns == 0 => {}
            _ = tick.tick() => {}
        }
        loop {
            let (lines, dropped) = entered.watcher.next(match delay_ns {
                0 => u64::MAX,
                delay_ns => shared.now_ns().saturating_sub(delay_ns),
            });
            if lines.is_empty() && dropped.is_empty() {
                break;
            }
            if !send(&mut socket, message(&lines, &dropped)).await {
                return;
            }
        }
        if pinged.elapsed() >= PING_EVERY {
            pinged = Instant::now();
            if !send(&mut socket, Some(Message::Ping(bytes::Bytes::new()))).await {
                return;
            }
        }
    }
}

impl Watcher {
    /// Leaves out lines that were sent already: they came while those before were read.
    fn forget(&self, sent: &[FoundLine]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let from_ns = sent.first().map_or(u64::MAX, |line| line.time_ns);
        let before = std::mem::take(&mut waiting.lines);
        waiting.lines = before.into_iter().filter(|line| line.time_ns < from_ns || !sent.contains(line)).collect();
        waiting.bytes = waiting.lines.iter().map(|line| line.line.len()).sum();
    }
}

/// Whether the message could be sent.
async fn send(socket: &mut WebSocket, message: Option<Message>) -> bool {
    match message {
        Some(message) => matches!(timeout(SEND_LIMIT, socket.send(message)).await, Ok(Ok(()))),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use console_model::{LogGroup, LogRecord};

    use super::*;

    fn batch(stream: &[(&str, &str)], lines: &[(u64, &str)]) -> LogBatch {
        let records = lines
            .iter()
            .map(|(time_ns, line)| LogRecord { time_ns: *time_ns, body: Value::from(*line), ..LogRecord::default() })
            .collect();
        let stream = Labels::from_pairs(stream.iter().copied());
        LogBatch { groups: vec![LogGroup { stream, resource: Arc::default(), scope: Arc::default(), records }] }
    }

    fn enter(tails: &Arc<Tails>, query: &str) -> Entered {
        tails.enter(Filter::new(&console_logql::parse_log(query).unwrap(), 0).unwrap()).unwrap()
    }

    #[test]
    fn one_who_watches_gets_what_the_query_selects() {
        let tails = Arc::new(Tails::default());
        tails.show(&batch(&[("app", "x")], &[(1, "too early")]));
        let entered = enter(&tails, "{app=\"x\"} |= \"a\" | logfmt | n > 1");
        tails.show(&batch(&[("app", "x")], &[(1, "a n=1"), (2, "a n=2"), (3, "b n=3")]));
        tails.show(&batch(&[("app", "y")], &[(4, "a n=4")]));
        let (lines, dropped) = entered.watcher.next(u64::MAX);
        assert_eq!(lines.iter().map(|line| line.line.as_str()).collect::<Vec<_>>(), ["a n=2"]);
        assert!(dropped.is_empty());
        assert_eq!(tails.watching(), 1);
        drop(entered);
        assert_eq!(tails.watching(), 0);
    }

    #[test]
    fn what_is_held_back_comes_later() {
        let tails = Arc::new(Tails::default());
        let entered = enter(&tails, "{app=\"x\"}");
        tails.show(&batch(&[("app", "x")], &[(10, "a"), (20, "b")]));
        assert_eq!(entered.watcher.next(15).0.len(), 1);
        assert_eq!(entered.watcher.next(15).0.len(), 0);
        assert_eq!(entered.watcher.next(20).0.len(), 1);
    }

    #[test]
    fn one_who_is_slow_misses_lines_and_learns_of_it() {
        let tails = Arc::new(Tails::default());
        let entered = enter(&tails, "{app=\"x\"}");
        let lines: Vec<(u64, &str)> = (1..=WAITING_MAX as u64 + 500).map(|at| (at, "line")).collect();
        tails.show(&batch(&[("app", "x")], &lines));
        assert_eq!(tails.dropped(), 500);
        let (sent, dropped) = entered.watcher.next(u64::MAX);
        assert_eq!((sent.len(), dropped.len()), (MESSAGE_LINES_MAX, DROPPED_NAMED_MAX));
        let Some(Message::Text(text)) = message(&sent, &dropped) else { panic!("no text") };
        let body: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body["streams"][0]["stream"]["app"], "x");
        assert_eq!(body["streams"][0]["values"][0], serde_json::json!(["1", "line"]));
        assert_eq!(body["dropped_entries"][0]["labels"]["app"], "x");
        assert_eq!(body["dropped_entries"][0]["timestamp"], (WAITING_MAX + 1).to_string());
        assert!(entered.watcher.next(u64::MAX).1.is_empty(), "told once");
    }

    #[test]
    fn what_was_sent_already_is_not_sent_again() {
        let tails = Arc::new(Tails::default());
        let entered = enter(&tails, "{app=\"x\"}");
        tails.show(&batch(&[("app", "x")], &[(10, "a"), (20, "b")]));
        let (sent, _) = entered.watcher.next(u64::MAX);
        tails.show(&batch(&[("app", "x")], &[(10, "a"), (20, "b"), (30, "c")]));
        entered.watcher.forget(&sent);
        assert_eq!(entered.watcher.next(u64::MAX).0.len(), 1);
    }

    #[test]
    fn only_so_many_may_watch() {
        let tails = Arc::new(Tails::default());
        let all: Vec<Entered> = (0..WATCHERS_MAX).map(|_| enter(&tails, "{a=\"b\"}")).collect();
        assert!(tails.enter(Filter::new(&console_logql::parse_log("{a=\"b\"}").unwrap(), 0).unwrap()).is_none());
        drop(all);
        assert_eq!(tails.watching(), 0);
    }

    #[test]
    fn what_may_be_asked_is_bounded() {
        let asked = |text: &str| asked(&Parameters::of(text), 1_700_000_000_000_000_000).map(|asked| asked.delay_ns);
        assert_eq!(asked("query={a=\"b\"}&delay_for=5"), Ok(5_000_000_000));
        assert!(asked("query={a=\"b\"}&delay_for=6").is_err());
        assert!(asked("query=rate({a=\"b\"}[5m])").is_err() && asked("").is_err());
    }
}
