//! Blocks of lines for those who count: divided among readers, told without being read, with levels that were
//! found when the lines came.

use std::collections::BTreeSet;

use console_model::{Attribute, Attributes, Labels, Level};
use proptest::prelude::*;

use super::made::{self, any_record};
use super::{open, open_copy};
use crate::{Direction, LogQuery, Matcher, Store};

/// The first line's time in `made::lines`; each is a millisecond behind the one before.
const BEGIN_NS: u64 = 1_795_600_000_000_000_000;
/// Of two services, one line after the other: some blocks each, and some lines that are in none yet.
const LINES: u64 = 160_000;

fn filled(store: &Store) {
    for start in (0..LINES).step_by(500) {
        let service = if start % 1_000 == 0 { "even" } else { "odd" };
        store.ingest_logs(&made::lines(service, start..start + 500)).unwrap();
    }
}

#[test]
fn readers_share_all_lines_and_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    filled(&store);
    for readers in [1, 3] {
        let parts = store.log_blocks(LogQuery::default(), Direction::Forward).unwrap().split(readers);
        assert_eq!(parts.len(), readers);
        let mut times = BTreeSet::new();
        for part in parts {
            let mut lines = 0;
            for block in part {
                let block = block.unwrap();
                lines += block.rows().len();
                assert!(block.rows().iter().all(|row| times.insert(block.time_ns(*row))), "a line came twice");
            }
            assert!(lines > LINES as usize / readers / 4, "each has its part: {lines} of {readers}");
        }
        assert_eq!(times.len() as u64, LINES);
    }
}

#[test]
fn blocks_of_which_all_lines_are_selected_need_not_be_read_to_be_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    filled(&store);
    let count = |query: LogQuery| {
        let mut blocks = store.log_blocks(query, Direction::Forward).unwrap();
        let mut whole = 0;
        blocks.take_whole(|block| {
            assert!(block.first_ns <= block.last_ns && block.first_ns >= BEGIN_NS && block.streams.len() == 1);
            whole += block.lines;
            true
        });
        let read: usize = blocks.map(|block| block.unwrap().rows().len()).sum();
        (whole, read as u64)
    };
    let (whole, read) = count(LogQuery::default());
    assert_eq!(whole + read, LINES);
    assert!(whole > LINES / 2, "{whole}");
    let of_one = LogQuery { matchers: vec![Matcher::equal("service_name", "odd")], ..LogQuery::default() };
    let (whole, read) = count(of_one);
    assert_eq!(whole + read, LINES / 2);
    assert!(whole > LINES / 4, "{whole}");
    let timed =
        LogQuery { from_ns: BEGIN_NS + 10_000_000_000, to_ns: BEGIN_NS + 109_999_999_999, ..LogQuery::default() };
    let (whole, read) = count(timed);
    assert_eq!(whole + read, 100_000);
    assert!(read > 0, "a block that only begins or ends within the time is read");
    let texts = LogQuery { contains: vec!["order".into()], ..LogQuery::default() };
    assert_eq!(count(texts).0, 0, "what lines say is not known without reading");
    let mut refused = store.log_blocks(LogQuery::default(), Direction::Forward).unwrap();
    refused.take_whole(|_| false);
    assert_eq!(refused.map(|block| block.unwrap().rows().len()).sum::<usize>() as u64, LINES);
}

#[test]
fn keys_of_attributes_are_told_while_they_are_few() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let keys = |store: &Store| {
        let mut blocks = store.log_blocks(LogQuery::default(), Direction::Forward).unwrap();
        let block = blocks.next().unwrap().unwrap();
        block.attribute_keys().map(|keys| keys.iter().map(ToString::to_string).collect::<BTreeSet<_>>())
    };
    let mut batch = made::lines("api", 0..3);
    for (record, key) in batch.groups[0].records.iter_mut().zip(["a", "b", "a"]) {
        record.attributes = Attributes(vec![Attribute::new(key, "x")]);
    }
    store.ingest_logs(&batch).unwrap();
    assert_eq!(keys(&store), Some(["a", "b"].map(str::to_owned).into()));
    let mut batch = made::lines("api", 3..300);
    for (at, record) in batch.groups[0].records.iter_mut().enumerate() {
        record.attributes = Attributes(vec![Attribute::new(format!("key.{at}"), "x")]);
    }
    store.ingest_logs(&batch).unwrap();
    assert_eq!(keys(&store), None, "there are too many");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_level_that_is_kept_is_that_of_the_record(
        records in proptest::collection::vec((any_record(), 0_i32..26, "(level=|)(warn|info|x| ){0,3}"), 1..12),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let mut batch = made::lines("api", 0..1);
        batch.groups[0].records = records
            .into_iter()
            .map(|(mut record, severity, line)| {
                record.severity_number = severity;
                record.body = console_model::Value::String(line.into());
                record
            })
            .collect();
        store.ingest_logs(&batch).unwrap();
        let stream: Labels = batch.groups[0].stream.clone();
        let check = |store: &Store| {
            let mut seen = 0;
            for block in store.log_blocks(LogQuery::default(), Direction::Forward).unwrap() {
                let block = block.unwrap();
                for row in block.rows() {
                    let record = block.record(*row).unwrap();
                    assert_eq!(block.level(*row), Some(Level::of(&record, &stream, block.line(*row))));
                    seen += 1;
                }
            }
            assert_eq!(seen, batch.groups[0].records.len());
        };
        check(&store);
        store.flush().unwrap();
        let (_copy, crashed) = open_copy(folder.path());
        check(&crashed);
    }
}
