//! Crashes: a process that is killed while it takes in all three signals as fast as it can. What it said was
//! taken longer ago than a second is there when the store is next opened, once and to the letter, and what a
//! reader was given once it is given again after every further crash.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::made::{self, trace_id};
use super::quiet;
use crate::{Direction, FactKind, LogQuery, Options, Store};

const FOLDER: &str = "CONSOLE_STORE_CRASH_FOLDER";
const FIRST: &str = "CONSOLE_STORE_CRASH_FIRST";
const KILLS: u64 = 7;
/// Batches that one life may take at most; each has numbers of its own.
const LIFE: u64 = 100_000;
/// Spans and lines of a batch, and series with one sample each.
const ROWS: u64 = 100;
const SERIES: u32 = 20;
const SECOND: Duration = Duration::from_secs(1);
const SIGNALS: [&str; 3] = ["spans", "lines", "samples"];

fn options() -> Options {
    // Small segments and logs, so that kills hit their ends too.
    // Half of the usual interval: three stores and other tests share the machine's cores here, and a writer that
    // gets no turn for a second is not what is looked for.
    Options { flush_interval: Duration::from_millis(250), limit_bytes: 512 << 20, ..quiet() }
}

/// Not a test of its own: what the killed process does. It says each batch once it is taken.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let store = Store::open(folder, options(), super::clock()).unwrap();
    let run = |signal: &str| {
        for batch in first.. {
            let rows = batch * ROWS..(batch + 1) * ROWS;
            match signal {
                "spans" => drop(store.ingest_spans(&made::spans("api", rows)).unwrap()),
                "lines" => drop(store.ingest_logs(&made::lines("api", rows)).unwrap()),
                _ => drop(store.ingest_samples(&both_kinds(batch)).unwrap()),
            }
            let mut out = std::io::stdout().lock();
            writeln!(out, "took {signal} {batch}").unwrap();
            out.flush().unwrap();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(metronome);
        SIGNALS.iter().for_each(|signal| drop(scope.spawn(|| run(signal))));
    });
}

/// Writes and waits for the disk as often as the store promises to, and knows nothing of the store: it says each
/// time it is done, so that a machine that is late itself is told from a store that is.
fn metronome() {
    let mut file = tempfile::tempfile().unwrap();
    loop {
        std::thread::sleep(options().flush_interval);
        file.write_all(&[1; 4_096]).unwrap();
        file.sync_data().unwrap();
        println!("beat");
    }
}

/// Floats, and native histograms of a tenth as many series.
fn both_kinds(batch: u64) -> console_model::SampleBatch {
    let mut both = made::samples("api", SERIES, step(batch));
    both.series.extend(made::histograms("api", SERIES / 10, step(batch)).series);
    both
}

fn step(batch: u64) -> Range<i64> {
    batch as i64..batch as i64 + 1
}

/// A second is what is promised. A build that is not optimised reads its log back at a fraction of the speed, beside
/// whatever other tests run.
const OPENING_MAX: Duration = Duration::from_secs(if cfg!(debug_assertions) { 4 } else { 1 });

/// Lanes write side by side, but a store is opened alone: the bound is on opening, not on a machine that three
/// writers share with it.
static MACHINE: RwLock<()> = RwLock::new(());

/// What a process said before it was killed.
struct Life {
    /// Batches by signal, and when.
    taken: HashMap<String, Vec<(u64, Instant)>>,
    killed: Instant,
    /// How long before the kill a batch has to have been taken to be there for certain.
    promise: Duration,
}

/// Runs the child from a batch on, and kills it.
fn run_and_kill(folder: &Path, first: u64, lifetime: Duration) -> Life {
    let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::crash::child", "--nocapture", "--test-threads=1"])
        .envs([(FOLDER, folder.as_os_str()), (FIRST, first.to_string().as_ref())])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut taken: HashMap<String, Vec<(u64, Instant)>> = HashMap::new();
    let (mut began, mut last_beat, mut beat, mut promise) = (None, None, Duration::ZERO, SECOND);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let (line, now) = (line.unwrap(), Instant::now());
        beat = beat.max(now.duration_since(*last_beat.get_or_insert(now)));
        if line == "beat" {
            last_beat = Some(now);
        }
        let Some((signal, batch)) = line.strip_prefix("took ").and_then(|rest| rest.split_once(' ')) else { continue };
        taken.entry(signal.to_owned()).or_default().push((batch.parse().unwrap(), now));
        // A second, unless the machine itself was as slow as that with a single beat.
        promise = promise.max(beat * 2);
        if now.duration_since(*began.get_or_insert(now)) + SECOND > lifetime + promise {
            child.kill().unwrap();
            break;
        }
    }
    child.wait().unwrap();
    let killed = taken.values().flatten().map(|(_, at)| *at).max().unwrap();
    Life { taken, killed, promise }
}

/// What a store gives of the batches of one life: by span, by line's time, by sample's series and time.
#[derive(Debug, Default, PartialEq)]
struct Answers {
    spans: BTreeMap<u64, String>,
    lines: BTreeMap<u64, String>,
    samples: BTreeMap<(u32, i64), u64>,
    histograms: BTreeMap<(u32, i64), String>,
}

const BASE_NS: u64 = 1_795_600_000_000_000_000;

impl Answers {
    fn read(store: &Store, life: &Range<u64>) -> Self {
        let mut answers = Self::default();
        let (from_ns, to_ns) = (BASE_NS + life.start * ROWS * 1_000_000, BASE_NS + life.end * ROWS * 1_000_000 - 1);
        let see = |head: &crate::SpanHead<'_>| {
            let said = format!("{} {} {}", head.name, head.trace_id, head.duration_ns);
            assert!(answers.spans.insert(head.span_id.get() - 1, said).is_none(), "no span is there twice");
            true
        };
        store.span_heads(from_ns, to_ns, see).unwrap();
        let query = LogQuery { from_ns, to_ns, ..LogQuery::default() };
        for line in store.log_lines(query, Direction::Forward).unwrap() {
            let line = line.unwrap();
            let number = (line.time_ns() - BASE_NS) / 1_000_000;
            assert!(answers.lines.insert(number, line.line().to_owned()).is_none(), "no line is there twice");
        }
        let time_ms = |batch: u64| made::sample(batch as i64, 0.0).time_ms;
        for series in store.select_series(&[], time_ms(life.start), time_ms(life.end) - 1, 100).unwrap() {
            let instance = series.labels.get("instance").unwrap().parse().unwrap();
            answers.samples.extend(series.samples().map(|sample| ((instance, sample.time_ms), sample.value.to_bits())));
            let histograms = series.histograms();
            answers.histograms.extend(histograms.map(|it| ((instance, it.time_ms), format!("{:?}", it.histogram))));
        }
        answers
    }

    /// That a batch of a signal is there as it was sent.
    fn hold(&self, signal: &str, batch: u64) {
        let rows = batch * ROWS..(batch + 1) * ROWS;
        match signal {
            "spans" => {
                for span in &made::spans("api", rows).groups[0].spans {
                    let said = format!("{} {} {}", span.name, span.trace_id, span.end_ns - span.start_ns);
                    assert_eq!(self.spans.get(&(span.span_id.get() - 1)), Some(&said), "a span of batch {batch}");
                }
            }
            "lines" => {
                for (number, record) in rows.clone().zip(&made::lines("api", rows).groups[0].records) {
                    let line = record.body.to_string();
                    assert_eq!(self.lines.get(&number), Some(&line), "a line of batch {batch}");
                }
            }
            _ => {
                for (number, series) in (0..).zip(&made::histograms("api", SERIES / 10, step(batch)).series) {
                    let sent = &series.histograms[0];
                    let kept = self.histograms.get(&(number, sent.time_ms));
                    assert_eq!(kept, Some(&format!("{:?}", sent.histogram)), "a histogram of batch {batch}");
                }
                for (number, series) in (0..).zip(&made::samples("api", SERIES, step(batch)).series) {
                    let sample = series.samples[0];
                    let kept = self.samples.get(&(number, sample.time_ms));
                    assert_eq!(kept, Some(&sample.value.to_bits()), "a sample of batch {batch}");
                }
            }
        }
    }
}

/// Kills a store's process again and again. Gives the number of batches that had to be there, and were.
fn kill_again_and_again(odd: u64) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let mut given: Vec<(Range<u64>, Answers)> = Vec::new();
    let mut held = 0;
    for kill in 0..KILLS {
        let life = kill * LIFE..(kill + 1) * LIFE;
        let run = run_and_kill(folder.path(), life.start, Duration::from_millis(1_050 + kill * 43 + odd * 21));
        let alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
        let began = Instant::now();
        let store = Store::open(folder.path(), options(), super::clock()).unwrap();
        let took = began.elapsed();
        drop(alone);
        assert!(took < OPENING_MAX, "opened after {took:?}");
        let answers = Answers::read(&store, &life);
        for signal in SIGNALS {
            let safe = run.taken[signal].iter().filter(|(_, at)| run.killed.duration_since(*at) > run.promise);
            for (batch, _) in safe {
                answers.hold(signal, *batch);
                held += 1;
            }
        }
        if let Some(number) = answers.spans.keys().next() {
            let trace = store.trace(trace_id(number / 4)).unwrap();
            assert_eq!(trace.batch.groups[0].spans[0], made::spans("api", *number..number + 1).groups[0].spans[0]);
        }
        // One earlier life each time, all of them in the end.
        let again = if kill + 1 < KILLS { kill / 2..(kill / 2 + 1).min(kill) } else { 0..kill };
        for (life, before) in again.filter_map(|number| given.get(number as usize)) {
            assert!(Answers::read(&store, life) == *before, "what was given of {life:?} is given again");
        }
        assert!(store.facts().iter().all(|fact| fact.kind != FactKind::Damaged), "{:?}", store.facts());
        given.push((life, answers));
    }
    held
}

#[test]
fn twenty_one_kills_lose_at_most_the_last_second_and_nothing_that_was_given() {
    let lanes: Vec<_> = (0..3).map(|odd| std::thread::spawn(move || kill_again_and_again(odd))).collect();
    for lane in lanes {
        let held = lane.join().unwrap();
        assert!(held as u64 > KILLS * 3, "{held} batches were old enough to be looked for");
    }
}
