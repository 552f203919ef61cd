//! Files that are appended to, renamed, cut, removed and come again, and restarts in between.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use console_model::{LogBatch, SampleBatch};
use eventsourcing::Clock;

use crate::tail::{LINE_BYTES_MAX, Options, Tailer, run};
use crate::{Refused, Sink};

#[derive(Default)]
struct Collects {
    batches: Mutex<Vec<LogBatch>>,
    refuses: AtomicBool,
}

impl Sink for Collects {
    fn samples(&self, _: SampleBatch) -> Result<(), Refused> {
        Err(Refused::new("no samples are in log files"))
    }

    fn logs(&self, batch: LogBatch) -> Result<(), Refused> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err(Refused::new("the disk is full"));
        }
        self.batches.lock().unwrap().push(batch);
        Ok(())
    }
}

/// A second further each time it is asked.
struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(1_767_225_600 + self.0.fetch_add(1, Ordering::SeqCst)).unwrap()
    }
}

struct Test {
    folder: tempfile::TempDir,
    sink: Arc<Collects>,
    tailer: Tailer,
}

impl Test {
    fn new(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sink = Arc::<Collects>::default();
        let mut options = Options::new(vec![folder.path().join("app.log").display().to_string()]);
        options.positions = Some(folder.path().join("positions"));
        options.rounds_after_removal = 2;
        change(&mut options);
        let tailer = Tailer::new(options, Arc::clone(&sink) as _, Arc::new(Ticks(AtomicI64::new(0))));
        Self { folder, sink, tailer }
    }

    /// A process that ends without a farewell, and another one.
    fn restart(&mut self) {
        let options = self.tailer.options().clone();
        self.tailer = Tailer::new(options, Arc::clone(&self.sink) as _, Arc::new(Ticks(AtomicI64::new(0))));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// What one round gives.
    fn poll(&mut self) -> Vec<String> {
        while self.tailer.poll() {}
        let batches = std::mem::take(&mut *self.sink.batches.lock().unwrap());
        let records = batches.iter().flat_map(|batch| &batch.groups).flat_map(|group| &group.records);
        records.map(|record| record.body.to_string()).collect()
    }
}

#[test]
fn what_is_appended_comes_line_by_line() {
    let mut test = Test::new(|_| {});
    test.append("app.log", "before\nhalf of");
    assert_eq!(test.poll(), [""; 0]);
    test.append("app.log", " a line\none\r\n\ntwo\nthr");
    assert_eq!(test.poll(), ["one", "two"]);
    assert_eq!(test.poll(), [""; 0]);
    test.append("app.log", "ee\n");
    assert_eq!(test.poll(), ["three"]);
    assert_eq!(test.tailer.counts().lines, 3);
}

#[test]
fn from_the_start_if_asked_and_always_if_it_appears_later() {
    let mut test = Test::new(|options| options.from_start = true);
    test.append("app.log", "one\n");
    assert_eq!(test.poll(), ["one"]);
    let mut test = Test::new(|_| {});
    assert_eq!(test.poll(), [""; 0]);
    test.append("app.log", "one\n");
    assert_eq!(test.poll(), ["one"]);
}

#[test]
fn a_stream_is_named_by_file_job_and_service() {
    let mut test = Test::new(|options| options.from_start = true);
    test.append("app.log", "plain\n{\"msg\":\"json\",\"service\":\"orders\"}\n");
    test.tailer.poll();
    let batches = test.sink.batches.lock().unwrap();
    let streams: Vec<_> = batches[0].groups.iter().map(|group| group.stream.clone()).collect();
    assert_eq!((streams[0].get("service_name"), streams[1].get("service_name")), (Some("app"), Some("orders")));
    assert_eq!(streams[0].get("filename"), test.path("app.log").to_str());
    assert_eq!((streams[0].get("job"), streams[0].len()), (Some("tail"), 3));
    assert_eq!(batches[0].groups[1].resource.service(), "orders");
}

#[test]
fn renamed_and_created_anew() {
    let mut test = Test::new(|_| {});
    test.append("app.log", "one\n");
    test.poll();
    test.append("app.log", "two\nlast");
    test.rename("app.log", "app.log.1");
    test.append("app.log", "three\n");
    test.append("app.log.1", " words\n");
    assert_eq!(test.poll(), ["two", "last words", "three"]);
    // Its writer has not noticed yet, and ends without an end of line.
    test.append("app.log.1", "late\nend");
    assert_eq!(test.poll(), ["late"]);
    let rounds: Vec<_> = (0..4).map(|_| test.poll()).collect();
    assert_eq!(rounds.concat(), ["end"]);
    assert_eq!(test.tailer.counts().files, 1);
}

#[test]
fn a_pattern_that_matches_the_new_name_too_reads_nothing_twice() {
    let mut test = Test::new(|options| options.paths[0].push('*'));
    test.append("app.log", "one\n");
    test.poll();
    test.append("app.log", "two\n");
    test.rename("app.log", "app.log.1");
    test.append("app.log", "three\n");
    assert_eq!(test.poll(), ["two", "three"]);
    for _ in 0..5 {
        assert_eq!(test.poll(), [""; 0]);
    }
    assert_eq!(test.tailer.counts().files, 2);
}

#[test]
fn cut_to_nothing_and_written_again() {
    let mut test = Test::new(|_| {});
    test.append("app.log", "one\n");
    test.poll();
    fs::copy(test.path("app.log"), test.path("app.log.1")).unwrap();
    fs::write(test.path("app.log"), "").unwrap();
    test.append("app.log", "2\n");
    assert_eq!(test.poll(), ["2"]);
    // As long as before, and longer: only what is in it tells.
    fs::write(test.path("app.log"), "3\n").unwrap();
    assert_eq!(test.poll(), ["3"]);
    fs::write(test.path("app.log"), "four\nfive\n").unwrap();
    assert_eq!(test.poll(), ["four", "five"]);
}

#[test]
fn a_hole_at_the_beginning_is_no_part_of_a_line() {
    let mut test = Test::new(|options| options.from_start = true);
    test.append("app.log", "\0\0\0\0one\n\0\n");
    assert_eq!(test.poll(), ["one"]);
}

#[test]
fn removed_and_created_again() {
    let mut test = Test::new(|_| {});
    test.append("app.log", "one\n");
    test.poll();
    test.append("app.log", "two\n");
    fs::remove_file(test.path("app.log")).unwrap();
    assert_eq!(test.poll(), ["two"]);
    test.append("app.log", "three\n");
    assert_eq!(test.poll(), ["three"]);
    for _ in 0..5 {
        test.poll();
    }
    fs::remove_file(test.path("app.log")).unwrap();
    for _ in 0..5 {
        test.poll();
    }
    assert_eq!(test.tailer.counts().files, 0);
    // Now its inode may be used again.
    test.append("app.log", "four\n");
    assert_eq!(test.poll(), ["four"]);
}

#[test]
fn a_restart_goes_on_where_it_ended() {
    let mut test = Test::new(|_| {});
    test.append("app.log", "");
    test.poll();
    test.append("app.log", "one\nha");
    assert_eq!(test.poll(), ["one"]);
    test.restart();
    test.append("app.log", "lf\ntwo\n");
    assert_eq!(test.poll(), ["half", "two"]);
}

#[test]
fn what_was_rotated_while_nobody_was_here_is_not_lost() {
    let mut test = Test::new(|_| {});
    test.append("app.log", "");
    test.poll();
    test.append("app.log", "one\n");
    test.poll();
    test.append("app.log", "two\n");
    test.rename("app.log", "app.log.1");
    test.append("app.log", "three\n");
    test.restart();
    let mut found = test.poll();
    found.sort();
    assert_eq!(found, ["three", "two"]);
    test.restart();
    assert_eq!(test.poll(), [""; 0]);
}

#[test]
fn a_file_that_only_looks_the_same_after_a_restart_is_read_from_its_start() {
    let mut test = Test::new(|_| {});
    test.append("app.log", "one\n");
    test.poll();
    test.append("app.log", "two\n");
    test.poll();
    // The same inode, longer than before, but another beginning.
    fs::write(test.path("app.log"), "other\nthings are here\n").unwrap();
    test.restart();
    assert_eq!(test.poll(), ["other", "things are here"]);
}

#[test]
fn positions_that_are_no_positions_do_not_stop_it() {
    let mut test = Test::new(|_| {});
    test.append("app.log", "one\n");
    fs::write(test.path("positions"), "{\"version\":1,\"files\":[{").unwrap();
    test.restart();
    assert_eq!(test.poll(), [""; 0]);
    test.append("app.log", "two\n");
    assert_eq!(test.poll(), ["two"]);
    assert!(fs::read_to_string(test.path("positions")).unwrap().contains("\"version\":1"));
}

#[test]
fn what_the_sink_refuses_is_read_again() {
    let mut test = Test::new(|options| options.attempts_max = 4);
    test.append("app.log", "zero\n");
    test.poll();
    test.append("app.log", "one\ntwo");
    test.sink.refuses.store(true, Ordering::SeqCst);
    assert_eq!(test.poll(), [""; 0]);
    // A restart in between loses nothing either.
    test.restart();
    assert_eq!(test.poll(), [""; 0]);
    test.append("app.log", "\nthree\n");
    test.sink.refuses.store(false, Ordering::SeqCst);
    assert_eq!(test.poll(), ["one", "two", "three"]);
    assert_eq!(test.tailer.counts().refusals, 1);

    test.sink.refuses.store(true, Ordering::SeqCst);
    test.append("app.log", "four\n");
    for _ in 0..4 {
        test.poll();
    }
    test.sink.refuses.store(false, Ordering::SeqCst);
    test.append("app.log", "five\n");
    assert_eq!(test.poll(), ["five"]);
    assert_eq!(test.tailer.counts().lines_dropped, 1);
}

#[test]
fn a_long_line_is_cut_and_what_is_no_text_is_replaced() {
    let mut test = Test::new(|options| options.from_start = true);
    test.append("app.log", &"x".repeat(LINE_BYTES_MAX + 5));
    let cut = test.poll();
    assert_eq!((cut.len(), cut[0].len()), (1, LINE_BYTES_MAX));
    test.append("app.log", "the rest\nnext\n");
    let mut file = OpenOptions::new().append(true).open(test.path("app.log")).unwrap();
    file.write_all(b"a\xffb\n").unwrap();
    assert_eq!(test.poll(), ["next", "a\u{fffd}b"]);
    assert_eq!(test.tailer.counts().lines_cut, 1);
}

#[test]
fn much_at_once_comes_in_batches_and_whole() {
    let mut test = Test::new(|options| {
        options.from_start = true;
        options.batch_bytes_max = 300_000;
    });
    let text: String = (0..100_000).map(|number| format!("line {number}\n")).collect();
    test.append("app.log", &text);
    assert!(test.tailer.poll());
    while test.tailer.poll() {}
    let batches = test.sink.batches.lock().unwrap().len();
    assert!(batches > 2, "{batches}");
    let lines = test.poll();
    assert_eq!((lines.len(), lines[99_999].as_str()), (100_000, "line 99999"));
}

#[test]
fn services_of_a_file_are_bounded() {
    let mut test = Test::new(|options| options.from_start = true);
    let text: String = (0..200).map(|number| format!("{{\"msg\":\"x\",\"service\":\"s{number}\"}}\n")).collect();
    test.append("app.log", &text);
    test.tailer.poll();
    let batches = test.sink.batches.lock().unwrap();
    assert_eq!(batches[0].groups.len(), 65);
    assert_eq!(batches[0].len(), 200);
}

#[tokio::test(start_paused = true)]
async fn it_runs_until_told_to_stop_and_keeps_its_positions() {
    let test = Test::new(|options| options.from_start = true);
    test.append("app.log", "one\n");
    let Test { folder, sink, tailer } = test;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(run(tailer, stopped));
    while sink.batches.lock().unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    stop.send(true).unwrap();
    running.await.unwrap();
    assert!(fs::read_to_string(folder.path().join("positions")).unwrap().contains("\"offset\":4"));
}
