//! Targets over time: the clock is the tests' own, and the runtime's time passes when all wait for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use console_model::{LogBatch, SampleBatch, is_stale};
use eventsourcing::Clock;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use crate::scrape::{Configuration, Endpoint, Health, InProcess, Job, Limits, Scraper, Source};
use crate::{Refused, Sink};

struct Channel {
    batches: UnboundedSender<SampleBatch>,
    refuses: AtomicBool,
}

impl Sink for Channel {
    fn samples(&self, batch: SampleBatch) -> Result<(), Refused> {
        if self.refuses.swap(false, Ordering::SeqCst) {
            return Err(Refused::new("the disk is full"));
        }
        // After a test has seen enough, nobody listens.
        let _ = self.batches.send(batch);
        Ok(())
    }

    fn logs(&self, _: LogBatch) -> Result<(), Refused> {
        Err(Refused::new("no logs are scraped"))
    }
}

fn sink() -> (Arc<Channel>, UnboundedReceiver<SampleBatch>) {
    let (batches, received) = unbounded_channel();
    (Arc::new(Channel { batches, refuses: AtomicBool::new(false) }), received)
}

/// Follows the runtime's time, which the tests have stopped.
struct Follows(Instant);

impl Clock for Follows {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(1_000_000 + self.0.elapsed().as_millis() as i64).unwrap()
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(Follows(Instant::now()))
}

fn in_process(expose: impl Fn() -> String + Send + Sync + 'static) -> Source {
    Source::InProcess(InProcess {
        instance: "here".to_owned(),
        labels: BTreeMap::from([("env".to_owned(), "test".to_owned())]),
        content_type: "text/plain".to_owned(),
        expose: Arc::new(expose),
    })
}

fn value(batch: &SampleBatch, name: &str) -> Option<f64> {
    let named = batch.series.iter().find(|series| series.labels.get("__name__") == Some(name));
    named.map(|series| series.samples[0].value)
}

fn time_ms(batch: &SampleBatch) -> i64 {
    batch.series[0].samples[0].time_ms
}

#[tokio::test(start_paused = true)]
async fn a_target_is_scraped_at_its_interval_and_ends_with_marks() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let source = in_process(move || format!("scrapes_total {}\n", counted.fetch_add(1, Ordering::SeqCst)));
    let (sink, mut received) = sink();
    let jobs = vec![Job::new("self", source)];
    let scraper = Scraper::start(Configuration { jobs, ..Configuration::default() }, sink, clock()).unwrap();
    let first = received.recv().await.unwrap();
    let second = received.recv().await.unwrap();
    assert_eq!(time_ms(&second) - time_ms(&first), 5_000);
    assert_eq!((value(&first, "up"), value(&first, "scrape_series_added")), (Some(1.0), Some(1.0)));
    assert_eq!((value(&second, "scrapes_total"), value(&second, "scrape_series_added")), (Some(1.0), Some(0.0)));
    let labels = second.series[0].labels.to_string();
    assert_eq!(labels, r#"{__name__="scrapes_total", env="test", instance="here", job="self"}"#);

    scraper.shutdown().await;
    let end = received.recv().await.unwrap();
    assert_eq!(end.series.len(), 6);
    assert!(end.series.iter().all(|series| is_stale(series.samples[0].value)));
    assert!(received.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_scrape_that_fails_is_told_of_and_the_next_one_is_well_again() {
    let count = Arc::new(AtomicUsize::new(0));
    let source = in_process(move || match count.fetch_add(1, Ordering::SeqCst) {
        1 => "a".to_owned(),
        2 => panic!("a target that panics"),
        _ => "a 1\n".to_owned(),
    });
    let (sink, mut received) = sink();
    let jobs = vec![Job::new("self", source)];
    let configuration = Configuration { jobs, ..Configuration::default() };
    let scraper = Scraper::start(configuration, Arc::clone(&sink) as _, clock()).unwrap();
    assert_eq!(value(&received.recv().await.unwrap(), "up"), Some(1.0));
    let failed = received.recv().await.unwrap();
    assert_eq!((value(&failed, "up"), value(&failed, "scrape_samples_scraped")), (Some(0.0), Some(0.0)));
    assert!(is_stale(value(&failed, "a").unwrap()));
    let panicked = received.recv().await.unwrap();
    assert_eq!((value(&panicked, "up"), value(&panicked, "a")), (Some(0.0), None));
    // The status is written after the batch is handed in; the next batch comes after both.
    sink.refuses.store(true, Ordering::SeqCst);
    let refused = received.recv().await.unwrap();
    assert_eq!((value(&refused, "up"), value(&refused, "a").map(is_stale)), (Some(0.0), Some(true)));
    assert_eq!(value(&received.recv().await.unwrap(), "a"), Some(1.0));
    scraper.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_status_tells_what_the_last_scrape_gave() {
    let source = in_process(|| "a 1\nb x\n".to_owned());
    let (sink, mut received) = sink();
    let endpoint = Endpoint { url: "127.0.0.1:1".to_owned(), labels: BTreeMap::new() };
    let late = Job { interval: Duration::from_secs(86_400), ..Job::new("late", Source::Static(vec![endpoint])) };
    let jobs = vec![late, Job::new("self", source)];
    let scraper = Scraper::start(Configuration { jobs, ..Configuration::default() }, sink, clock()).unwrap();
    // After the second of the target that is scraped every five seconds, its first is in the status.
    let mut own = 0;
    while own < 2 {
        let batch = received.recv().await.unwrap();
        own += usize::from(batch.series[0].labels.get("job") == Some("self"));
    }
    let status = scraper.status();
    assert_eq!((status[0].job.as_str(), status[0].url.as_str()), ("late", "http://127.0.0.1:1/metrics"));
    assert_eq!(status[0].timeout, Duration::from_secs(5));
    assert_eq!((status[1].health, status[1].last_samples), (Health::Down, 0));
    assert!(status[1].last_error.starts_with("line 2: \"x\" is no number"), "{}", status[1].last_error);
    assert!(status[1].last_scrape_ms.is_some());
    assert_eq!(status[1].labels.get("instance"), Some("here"));
    scraper.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_file_is_read_again_and_what_is_gone_from_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("targets");
    std::fs::write(&path, "127.0.0.1:1\n127.0.0.1:2\nhttps://no\n").unwrap();
    let (sink, mut received) = sink();
    let jobs = vec![Job::new("file", Source::File(path.clone()))];
    let limits = Limits { reload_interval: Duration::from_secs(1), ..Limits::default() };
    let scraper = Scraper::start(Configuration { jobs, limits }, sink, clock()).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 2 {
        let batch = received.recv().await.unwrap();
        assert_eq!(value(&batch, "up"), Some(0.0));
        seen.insert(batch.series[0].labels.get("instance").unwrap().to_owned());
    }
    std::fs::write(&path, "[half a fi").unwrap();
    received.recv().await.unwrap();
    assert_eq!(scraper.status().len(), 2);
    std::fs::write(&path, "127.0.0.1:2\n").unwrap();
    loop {
        let batch = received.recv().await.unwrap();
        if is_stale(value(&batch, "up").unwrap()) {
            assert_eq!(batch.series[0].labels.get("instance"), Some("127.0.0.1:1"));
            break;
        }
    }
    assert_eq!(scraper.status().len(), 1);
    assert_eq!(scraper.status()[0].labels.get("instance"), Some("127.0.0.1:2"));
    scraper.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn targets_beyond_the_limit_are_not_scraped() {
    let (sink, _received) = sink();
    let endpoint = |port: usize| Endpoint { url: format!("127.0.0.1:{port}"), labels: BTreeMap::new() };
    let again = endpoint(1);
    let endpoints = (1..10).map(endpoint).chain([again]).collect();
    let jobs = vec![Job::new("many", Source::Static(endpoints))];
    let limits = Limits { targets_max: 3, ..Limits::default() };
    let scraper = Scraper::start(Configuration { jobs, limits }, sink, clock()).unwrap();
    while scraper.status().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(scraper.status().len(), 3);
    scraper.shutdown().await;
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let (sink, _received) = sink();
    let endpoint = |url: &str| Endpoint { url: url.to_owned(), labels: BTreeMap::new() };
    let source = Source::Static(vec![endpoint("https://h"), endpoint("h:1"), endpoint("")]);
    let jobs = vec![Job { interval: Duration::ZERO, ..Job::new("", source) }];
    let error = Scraper::start(Configuration { jobs, ..Configuration::default() }, sink, clock()).unwrap_err();
    assert_eq!(error.0.len(), 4);
    assert!(error.to_string().contains("https, which is not spoken here"));
}

/// Kept so that a scraper is known to be usable from several threads.
#[test]
fn a_scraper_is_shared() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Scraper>();
    is_shared::<Mutex<Configuration>>();
}
