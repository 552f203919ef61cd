//! Scraping: a target of this test's own, seen while it is there and missed when it is gone.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::canonical::{self, Sample};
use crate::support::{Service, wait_for};

/// Serves an exposition until it is told to end.
struct Target {
    address: SocketAddr,
    scrapes: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Target {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (scrapes, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, over) = (Arc::clone(&scrapes), Arc::clone(&is_over));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 8_192]);
                let number = count.fetch_add(1, Ordering::Relaxed);
                let body = format!(
                    "# TYPE boxes counter\n# HELP boxes Boxes sent.\n\
                     boxes_total{{to=\"Köln\"}} {number} # {{trace_id=\"0af7651916cd43dd8448eb211c80319c\"}} 1\n# EOF\n"
                );
                let length = body.len();
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\
                     content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
                let _ = stream.write_all(format!("{head}content-length: {length}\r\n\r\n{body}").as_bytes());
            }
        });
        Self { address, scrapes, is_over }
    }

    fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes it.
        let _ = std::net::TcpStream::connect(self.address);
    }
}

#[test]
fn a_target_is_scraped_and_its_series_end_when_it_goes_away() {
    let target = Target::start();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}/metrics", target.address);
    let console = Service::console(folder.path(), &["--scrape-targets", &url, "--scrape-interval", "1s"]);
    let of = |name: &str| -> Vec<Sample> {
        let mut samples = canonical::samples(&console.export("signal=metrics"));
        samples.retain(|sample| sample.name() == name && sample.label("instance") == target.address.to_string());
        samples
    };
    let boxes = wait_for(|| Some(of("boxes_total")).filter(|samples| samples.len() >= 2));
    assert_eq!(boxes[0].label("to"), "Köln");
    assert!(boxes.windows(2).all(|two| two[0].value < two[1].value), "{boxes:#?}");
    assert!(of("up").iter().all(|sample| (sample.value - 1.0).abs() < f64::EPSILON));
    for own in ["scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling"] {
        assert!(!of(own).is_empty(), "{own}");
    }
    assert!(target.scrapes.load(Ordering::Relaxed) >= 2);
    let exported = console.export("signal=metrics").to_string();
    assert!(exported.contains("0af7651916cd43dd8448eb211c80319c"), "the exemplar");
    assert!(exported.contains("Boxes sent."), "the description");

    target.end();
    wait_for(|| of("up").last().is_some_and(|sample| sample.value == 0.0).then_some(()));
    let boxes = of("boxes_total");
    assert!(boxes.last().unwrap().is_stale, "{boxes:#?}");
    assert_eq!(boxes.iter().filter(|sample| sample.is_stale).count(), 1, "{boxes:#?}");
}

#[test]
fn the_console_scrapes_itself() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &["--scrape-interval", "1s"]);
    let metrics = console.get("/metrics").expect(200);
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(metrics.body.ends_with("# EOF\n"), "{}", metrics.body);
    wait_for(|| {
        let samples = canonical::samples(&console.export("signal=metrics&service=highbeam-console"));
        let has = |name: &str| samples.iter().any(|sample| sample.name() == name);
        (has("up") && has("process_resident_memory_bytes")).then_some(())
    });
}

#[test]
fn targets_are_read_from_a_file_with_what_it_says_of_them() {
    let target = Target::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("targets.json");
    let listed = serde_json::json!([{ "targets": [target.address.to_string()], "labels": { "rack": "b7" } }]);
    std::fs::write(&file, listed.to_string()).unwrap();
    let targets = format!("file:{}", file.display());
    let console = Service::console(folder.path(), &["--scrape-targets", &targets, "--scrape-interval", "1s"]);
    wait_for(|| {
        let samples = canonical::samples(&console.export("signal=metrics"));
        samples.iter().any(|sample| sample.name() == "boxes_total" && sample.label("rack") == "b7").then_some(())
    });
    target.end();
}
