//! Files: logs that are followed, exports that are taken in again.

use eventsourcing::Clock as _;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use prost::Message;
use serde_json::{Value, json};

use super::canonical;
use super::made::{JSON, PROTOBUF, gauge, point, record, records, span, spans};
use crate::support::{Service, wait_for};

fn append(path: &Path, lines: impl IntoIterator<Item = u32>) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    for line in lines {
        writeln!(file, r#"{{"level":"info","msg":"line {line}"}}"#).unwrap();
    }
}

/// How often each line is there.
fn lines(console: &Service) -> BTreeMap<u32, usize> {
    let mut lines = BTreeMap::new();
    for record in canonical::records(&console.export("signal=logs")) {
        let text = record["item"]["body"]["stringValue"].as_str().unwrap_or_default();
        if let Some(number) = text.split("line ").nth(1) {
            let number: String = number.chars().take_while(char::is_ascii_digit).collect();
            *lines.entry(number.parse().unwrap()).or_default() += 1;
        }
    }
    lines
}

#[test]
fn a_file_is_followed_over_rotation_and_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let followed = ["--tail", path.to_str().unwrap()];
    File::create(&path).unwrap();
    let mut console = Service::console(folder.path(), &followed);
    let wait = |console: &Service, count: usize| wait_for(|| (lines(console).len() == count).then_some(()));
    append(&path, 0..100);
    wait(&console, 100);
    // Rotated by renaming, while it is being written: what is written to the old file is read to its end.
    let rotated = folder.path().join("app.log.1");
    std::fs::rename(&path, &rotated).unwrap();
    append(&rotated, 100..150);
    append(&path, 150..200);
    wait(&console, 200);
    assert!(console.stop().success());
    append(&path, 200..250);
    std::fs::rename(&path, folder.path().join("app.log.2")).unwrap();
    append(&path, 250..300);
    console = Service::console(folder.path(), &followed);
    append(&path, 300..350);
    wait_for(|| lines(&console).contains_key(&349).then_some(()));
    let found = lines(&console);
    let missing: Vec<_> = (0..350).filter(|line| !found.contains_key(line)).collect();
    assert!(missing.is_empty(), "lost: {missing:?}");
    let doubled: Vec<_> = found.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "more than once: {doubled:?}");
}

/// Three signals, with what is hard to keep.
fn fill(console: &Service) {
    let now = u64::try_from(eventsourcing::clock::System.now().as_nanosecond()).unwrap();
    let traces = spans("exported", (0..50).map(|number| span(number / 5, number, now + number)).collect());
    let logs =
        records("exported", (0..50).map(|number| record(&format!("line {number} ☕\n"), now + number)).collect());
    let values = [0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324];
    let points = values.iter().zip(0..).map(|(value, number)| point(*value, now + number * 1_000_000, &[("a", "ü")]));
    let metrics = gauge("exported", "level", points.collect());
    console.post_bytes("/v1/traces", &[PROTOBUF], &traces.encode_to_vec()).expect(200);
    console.post_bytes("/v1/logs", &[PROTOBUF], &logs.encode_to_vec()).expect(200);
    console.post_bytes("/v1/metrics", &[PROTOBUF], &metrics.encode_to_vec()).expect(200);
}

/// What is exported, in an order of its own.
fn everything(console: &Service) -> [Vec<Value>; 3] {
    let samples = canonical::samples(&console.export("signal=metrics&service=exported"));
    let mut samples: Vec<_> = samples
        .iter()
        .map(|sample| json!([sample.labels, sample.time_ms, sample.value.to_bits().to_string()]))
        .collect();
    samples.sort_by_key(ToString::to_string);
    [
        canonical::spans(&console.export("signal=traces&service=exported")),
        canonical::records(&console.export("signal=logs&service=exported")),
        samples,
    ]
}

#[test]
fn an_export_is_imported_as_the_same() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let console = Service::console(folders[0].path(), &[]);
    fill(&console);
    let expected = everything(&console);
    assert_eq!(expected.each_ref().map(Vec::len), [50, 50, 6]);
    let exports = ["traces", "logs", "metrics"].map(|signal| {
        let path = folders[0].path().join(format!("{signal}.json"));
        let selection = format!("/api/export?signal={signal}&service=exported");
        std::fs::write(&path, console.fetch(&selection).expect(200).body).unwrap();
        path
    });
    assert!(console.stop().success());

    // By the command line: one file with all three, one after the other, and a file of its own.
    let whole = folders[1].path().join("whole.json");
    let texts: Vec<_> = exports[..2].iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    std::fs::write(&whole, texts.join("\n")).unwrap();
    let arguments = ["--import", whole.to_str().unwrap(), "--import", exports[2].to_str().unwrap()];
    let console = Service::console(folders[1].path(), &arguments);
    assert_eq!(everything(&console), expected);

    // By the API.
    let console = Service::console(folders[2].path(), &[]);
    for path in &exports {
        let told = console.post_bytes("/api/import", &[JSON], &std::fs::read(path).unwrap()).expect(200).json();
        assert_eq!(told, json!({ "rejected": 0, "message": "" }));
    }
    assert_eq!(everything(&console), expected);
}

#[test]
fn an_import_says_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    for (body, told) in [
        ("", "nothing is in it"),
        ("{}", "none of resourceSpans, resourceLogs, resourceMetrics"),
        ("{", "document 1"),
        (r#"{"resourceSpans":[{"scopeSpans":7}]}"#, "scopeSpans"),
    ] {
        let reply = console.post_bytes("/api/import", &[JSON], body.as_bytes()).expect(400).json();
        let message = reply["error"]["message"].as_str().unwrap();
        assert!(message.contains(told), "{told} is not in: {message}");
    }
    console.post_bytes("/api/import", &[("content-type", "text/plain")], b"{}").expect(415);
    for (selection, told) in [
        ("", "for example"),
        ("signal=profiles", "traces, logs or metrics"),
        ("signal=traces&traceId=xyz", "traceId"),
        ("signal=traces&start=yesterday", "start"),
        ("signal=traces&unknown=1", "unknown"),
    ] {
        let reply = console.fetch(&format!("/api/export?{selection}")).expect(400).json();
        let message = reply["error"]["message"].as_str().unwrap();
        assert!(message.contains(told), "{told} is not in: {message}");
    }
}
