//! Files that are cut, changed or missing: what is whole is still there, what is not is told, and nothing
//! panics.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::made::{self, trace_id};
use super::{copy_folder, open, quiet};
use crate::frame::Frames;
use crate::{Direction, FactKind, LogQuery, Store, TraceQuery};

/// A store with several blocks, an index, and something in each log.
fn filled(path: &Path) {
    let store = Store::open(path, crate::Options { limit_bytes: 8 << 20, ..quiet() }, super::clock()).unwrap();
    for start in (0..12_000).step_by(1_000) {
        store.ingest_spans(&made::spans("api", start..start + 1_000)).unwrap();
        store.ingest_logs(&made::lines("api", start * 4..(start + 1_000) * 4)).unwrap();
    }
    for step in 0..500 {
        store.ingest_samples(&made::samples("api", 40, step..step + 1)).unwrap();
        store.ingest_samples(&made::histograms("api", 4, step..step + 1)).unwrap();
    }
    // One segment has an index, another has none yet, and some rows are in the logs only.
    store.flush().unwrap();
    store.inner().traces.shelf.oldest("api").unwrap();
    store.inner().logs.shelf.oldest("api").unwrap();
    // As a crash leaves it: without the flush of an orderly end, which would change nothing here.
}

fn files(path: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if !path.ends_with("LOCK") && !path.ends_with("FORMAT") {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// How many spans there are.
fn read_spans(store: &Store) -> usize {
    let mut spans = 0;
    store
        .span_heads(0, u64::MAX, |_| {
            spans += 1;
            true
        })
        .unwrap();
    spans
}

/// Reads everything in every way there is: spans, lines, samples, and what is found by filters and indexes.
fn read_all(store: &Store) -> [usize; 4] {
    let query = TraceQuery { tags: vec![("order.number".into(), "77".into())], ..TraceQuery::default() };
    let mut found = store.search_traces(&query).unwrap().len() + store.trace(trace_id(19)).unwrap().batch.len();
    let count = |query| store.log_lines(query, Direction::Backward).unwrap().filter(Result::is_ok).count();
    found += count(LogQuery { trace_id: Some(trace_id(2_019)), ..LogQuery::default() });
    found += count(LogQuery { contains: vec!["order 31077 accepted".into()], ..LogQuery::default() });
    let samples = |series: Vec<crate::SelectedSeries>| series.iter().map(|it| it.points().count()).sum::<usize>();
    let few = [crate::Matcher::equal("instance", "7")];
    found += samples(store.select_series(&few, i64::MIN, i64::MAX, 1_000).unwrap());
    let series = store.select_series(&[], i64::MIN, i64::MAX, 1_000).unwrap();
    [read_spans(store), count(LogQuery::default()), samples(series), found]
}

/// All that [`filled`] put in: of what is looked for there are a trace, its four spans, four lines, a line,
/// and five hundred samples.
const WHOLE: [usize; 4] = [12_000, 48_000, 22_000, 510];

/// Places in a file where something begins, ends or lies: the first bytes, the last, and a spread between.
fn places(length: usize) -> Vec<usize> {
    let spread = (1..5).map(|part| length * part / 5 + part);
    let mut all: Vec<usize> =
        (0..10).chain(spread).chain(length.saturating_sub(10)..length).filter(|at| *at < length).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether the bytes end where a frame does. What was behind cannot be missed then: the file is as it was before.
fn is_between_frames(bytes: &[u8]) -> bool {
    let mut frames = Frames::new(bytes);
    frames.by_ref().for_each(drop);
    frames.whole() == bytes.len()
}

/// Calls `look` for each file of a store with its name and bytes, on all cores, and with a folder for copies.
fn each_file(original: &Path, look: impl Fn(&Path, &[u8], &Path) + Sync) {
    let files = Mutex::new(files(original).into_iter());
    let next = || files.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let copy = tempfile::tempdir().unwrap();
                while let Some(file) = next() {
                    let name = file.strip_prefix(original).unwrap();
                    look(name, &fs::read(&file).unwrap(), copy.path());
                }
            });
        }
    });
}

/// Makes the copy one of the original, but for the bytes of one file.
fn spoil(original: &Path, copy: &Path, name: &Path, bytes: &[u8]) {
    let _ = fs::remove_dir_all(copy);
    copy_folder(original, copy);
    fs::write(copy.join(name), bytes).unwrap();
}

#[test]
fn a_file_cut_anywhere_costs_no_more_than_its_end() {
    let original = tempfile::tempdir().unwrap();
    filled(original.path());
    let whole = {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(original.path(), copy.path());
        read_all(&open(copy.path()))
    };
    assert_eq!(whole, WHOLE);
    each_file(original.path(), |name, bytes, copy| {
        let mut last = [0; 4];
        for cut in places(bytes.len()) {
            spoil(original.path(), copy, name, &bytes[..cut]);
            let store = open(copy);
            let read = read_all(&store);
            assert!(read.iter().zip(whole).all(|(read, whole)| *read <= whole), "{name:?} cut at {cut}: {read:?}");
            // A longer part of a file never gives less.
            let grows = read.iter().zip(last).all(|(read, last)| *read >= last);
            assert!(grows, "{name:?} cut at {cut}: {read:?} after {last:?}");
            let lost = read != whole;
            let told = store.facts().iter().any(|fact| matches!(fact.kind, FactKind::Repaired | FactKind::Damaged));
            assert!(
                !lost || told || is_between_frames(&bytes[..cut]),
                "{name:?} cut at {cut}: {read:?}, and no fact tells"
            );
            last = read;
            // What is repaired takes more.
            store.ingest_spans(&made::spans("api", 20_000..20_010)).unwrap();
            store.flush().unwrap();
            drop(store);
            assert_eq!(read_spans(&open(copy)), read[0] + 10, "{name:?} cut at {cut}");
        }
    });
}

#[test]
fn a_changed_byte_anywhere_is_left_out_and_told() {
    let original = tempfile::tempdir().unwrap();
    filled(original.path());
    each_file(original.path(), |name, bytes, copy| {
        for at in places(bytes.len()) {
            let mut changed = bytes.to_vec();
            changed[at] ^= 0x41;
            spoil(original.path(), copy, name, &changed);
            let store = open(copy);
            let read = read_all(&store);
            let lost = read != WHOLE;
            assert!(!lost || !store.facts().is_empty(), "{name:?} changed at {at}: {read:?}, and no fact tells");
        }
    });
}

/// While a store is open: a reader believes no page of an index that has changed, of no segment.
#[test]
fn an_index_that_changes_under_an_open_store_costs_time_and_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let store = open(folder.path());
    changed_indexes(&store.inner().traces.shelf);
    changed_indexes(&store.inner().logs.shelf);
    assert_eq!(read_all(&store), WHOLE);
    assert!(store.facts().iter().any(|fact| fact.kind == FactKind::Damaged && fact.detail.contains("index")));
}

/// Changes every index of a shelf, place after place, and leaves it changed.
fn changed_indexes<R: crate::shelf::Rows>(shelf: &crate::shelf::Shelf<R>) {
    let views = shelf.view(|_| true);
    let sealed: Vec<_> = views.iter().flat_map(|view| &view.segments).filter(|segment| segment.is_sealed()).collect();
    assert!(!sealed.is_empty());
    for segment in sealed {
        let keys = segment.keys().unwrap();
        let asked: Vec<(u64, Vec<usize>)> =
            keys.iter().step_by(97).map(|(key, _)| (*key, segment.find(&[*key]).unwrap())).collect();
        let path = segment.path().with_extension("idx");
        let whole = fs::read(&path).unwrap();
        let all: Vec<usize> = (0..segment.blocks().len()).collect();
        for at in (0..whole.len()).step_by(1_009) {
            let mut changed = whole.clone();
            changed[at] ^= 0x41;
            fs::write(&path, &changed).unwrap();
            for (key, numbers) in &asked {
                let found = shelf.find(segment, &[*key]).unwrap();
                assert!(found == *numbers || found == all, "{path:?} changed at {at}");
            }
            assert_eq!(shelf.keys(segment).unwrap().len(), keys.len());
        }
        fs::write(&path, vec![0x41; whole.len()]).unwrap();
    }
}

#[test]
fn zeros_after_a_power_cut_are_cut_off() {
    let original = tempfile::tempdir().unwrap();
    filled(original.path());
    for file in files(original.path()) {
        let mut bytes = fs::read(&file).unwrap();
        bytes.extend_from_slice(&[0; 4_096]);
        fs::write(&file, bytes).unwrap();
    }
    let store = open(original.path());
    assert_eq!(read_all(&store), WHOLE);
    assert!(store.facts().iter().any(|fact| fact.kind == FactKind::Repaired));
}

#[test]
fn a_missing_index_is_made_again() {
    let original = tempfile::tempdir().unwrap();
    filled(original.path());
    let indexes: Vec<PathBuf> =
        files(original.path()).into_iter().filter(|file| file.extension().is_some_and(|it| it == "idx")).collect();
    assert!(!indexes.is_empty());
    indexes.iter().for_each(|index| fs::remove_file(index).unwrap());
    assert_eq!(read_all(&open(original.path())), WHOLE);
}
