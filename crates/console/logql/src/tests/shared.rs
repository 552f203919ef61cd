//! Queries on several threads, and over lines that are told in bulk: the same answers as line by line.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::ast::MetricExpr;
use crate::{Bulk, Known, Sink, Taken};

/// Lines in memory that are dealt out to all sinks, those of a stream in bulk where somebody takes them so.
struct Shared<'a> {
    memory: &'a Memory,
    bulks_taken: std::sync::atomic::AtomicU64,
}

/// A line that knows some of its metadata without showing it all.
struct Knowing<'a>(&'a Kept);

impl Line for Knowing<'_> {
    fn time_ns(&self) -> u64 {
        self.0.time_ns
    }

    fn text(&self) -> &str {
        &self.0.text
    }

    fn stream(&self) -> &Labels {
        &self.0.stream
    }

    fn metadata(&self, see: &mut dyn FnMut(&str, &str)) {
        self.0.metadata(see);
    }

    fn known(&self, name: &str) -> Known<'_> {
        match self.0.metadata.iter().find(|(known, _)| known == name) {
            Some(_) if name == "z" => Known::Unknown,
            Some((_, value)) => Known::Value(value),
            None => Known::Nothing,
        }
    }
}

impl Source for Shared<'_> {
    fn lines(
        &self,
        selection: &Selection,
        order: Order,
        see: &mut dyn FnMut(&dyn Line) -> bool,
    ) -> Result<Scan, Box<dyn std::error::Error + Send + Sync>> {
        self.memory.lines(selection, order, see)
    }

    fn share(
        &self,
        selection: &Selection,
        sinks: &mut [&mut dyn Sink],
    ) -> Result<Scan, Box<dyn std::error::Error + Send + Sync>> {
        let mut times = Vec::new();
        self.memory.lines(selection, Order::Forward, &mut |line| {
            times.push((line.stream().clone(), line.time_ns()));
            true
        })?;
        let selected =
            |kept: &&Kept| times.iter().any(|(stream, time_ns)| *time_ns == kept.time_ns && *stream == kept.stream);
        let mut lines: Vec<&Kept> = self.memory.0.iter().filter(selected).collect();
        lines.sort_by(|a, b| a.stream.cmp(&b.stream));
        {
            for chunk in lines.chunk_by(|a, b| a.stream == b.stream).map(<[&Kept]>::to_vec).collect::<Vec<_>>() {
                for part in chunk.chunks(3) {
                    let times = || part.iter().map(|kept| kept.time_ns);
                    let bulk = Bulk {
                        streams: &[part[0].stream.clone()],
                        count: part.len() as u64,
                        first_ns: times().min().unwrap(),
                        last_ns: times().max().unwrap(),
                    };
                    if sinks[0].bulk(&bulk) == Taken::Yes {
                        self.bulks_taken.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        lines.retain(|line| !part.iter().any(|gone| std::ptr::eq(*line, *gone)));
                    }
                }
            }
        }
        let count = sinks.len();
        std::thread::scope(|scope| {
            for (at, sink) in sinks.iter_mut().enumerate() {
                let part: Vec<&Kept> = lines.iter().skip(at).step_by(count).copied().collect();
                scope.spawn(move || part.into_iter().all(|line| sink.line(&Knowing(line))));
            }
        });
        Ok(Scan::default())
    }
}

fn metric(query: &str) -> MetricExpr {
    match crate::parse(query).unwrap() {
        Expr::Metric(expr) => expr,
        Expr::Log(_) => panic!("{query} is about lines"),
    }
}

fn answer(expr: &MetricExpr, source: &dyn Source, threads: usize, step_ns: Option<i64>) -> Result<Answer, String> {
    let (start_ns, end_ns) = (START_NS as i64, START_NS as i64 + 40 * SECOND);
    let request = MetricRequest { start_ns, end_ns, step_ns, now_ns: START_NS };
    let limits = Limits { threads, ..Limits::default() };
    match crate::metric(expr, &request, source, limits, &|| false) {
        Ok((answer, _)) => Ok(answer),
        Err(error) => Err(error.to_string()),
    }
}

const QUERIES: [&str; 14] = [
    r#"sum(count_over_time({app=~".+"}[1h]))"#,
    r#"sum(count_over_time({app=~".+"}[7s]))"#,
    r#"sum by (app) (rate({app=~".+"}[1h]))"#,
    r#"sum by (app, z) (count_over_time({app=~".+"}[10s]))"#,
    r#"sum by (level) (count_over_time({app=~".+"}[10s]))"#,
    r#"sum by (app) (bytes_over_time({app=~".+"}[1h]))"#,
    r#"count_over_time({app=~".+"}[1h])"#,
    r#"sum by (app) (count_over_time({app=~".+"} |= "1" [1h]))"#,
    r#"sum by (app) (count_over_time({app=~".+"} | level = "warn" [9s]))"#,
    r#"sum by (n) (sum_over_time({app=~".+"} | logfmt | unwrap n [9s]))"#,
    r#"max_over_time({app=~".+"} | logfmt | unwrap n [9s]) by (app)"#,
    r#"stddev_over_time({app=~".+"} | logfmt | unwrap n [1h]) by (app)"#,
    r#"quantile_over_time(0.7, {app=~".+"} | logfmt | unwrap n [9s]) by (level)"#,
    r#"absent_over_time({app=~".+"}[2s])"#,
];

/// Read once, and not for each of the thousands of answers that are compared.
static READ: LazyLock<Vec<MetricExpr>> = LazyLock::new(|| QUERIES.map(metric).to_vec());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn threads_and_bulks_change_no_answer(
        lines in proptest::collection::vec((0_u32..40_000, "[xy]", prop_oneof![Just("warn"), Just("info"), Just("")], 0_u32..5), 0..30),
        threads in 1_usize..4,
    ) {
        let mut memory = Memory::default();
        let mut times = std::collections::BTreeSet::new();
        for (ms, app, level, n) in lines {
            // A line has a time of its own, so that first and last are the same for all.
            if !times.insert(ms) {
                continue;
            }
            let metadata: Vec<_> = [("level", level), ("z", level)].into_iter().filter(|(_, value)| !value.is_empty()).collect();
            memory.push_with(&[("app", &app)], f64::from(ms) / 1_000.0, &format!("n={n}"), &metadata);
        }
        for (query, expr) in QUERIES.iter().zip(READ.iter()) {
            for step_ns in [None, Some(4 * SECOND)] {
                let shared = Shared { memory: &memory, bulks_taken: 0.into() };
                let (one, many) = (answer(expr, &memory, 1, step_ns), answer(expr, &shared, threads, step_ns));
                match (&one, &many) {
                    (Ok(Answer::Series(one)), Ok(Answer::Series(many))) => {
                        prop_assert_eq!(one.len(), many.len(), "{}", query);
                        for (a, b) in one.iter().zip(many) {
                            prop_assert_eq!(&a.labels, &b.labels, "{}", query);
                            prop_assert_eq!(a.points.len(), b.points.len(), "{}", query);
                            for (a, b) in a.points.iter().zip(&b.points) {
                                prop_assert!(a.0 == b.0 && (a.1 - b.1).abs() < 1e-9, "{}: {:?} {:?}", query, a, b);
                            }
                        }
                    }
                    _ => prop_assert_eq!(one, many, "{}", query),
                }
            }
        }
    }
}

#[test]
fn lines_are_told_in_bulk_where_nothing_is_asked_of_one_alone() {
    let mut memory = Memory::default();
    for at in 0..30 {
        memory.push(&[("app", "x")], f64::from(at), "line");
    }
    let bulks = |query: &str| {
        let shared = Shared { memory: &memory, bulks_taken: 0.into() };
        answer(&metric(query), &shared, 2, None).unwrap();
        shared.bulks_taken.into_inner()
    };
    assert_eq!(bulks(r#"sum by (app) (count_over_time({app="x"}[1h]))"#), 10);
    assert_eq!(bulks(r#"sum(rate({app="x"}[1h]))"#), 10);
    // Who offers them has seen to what lines have to contain.
    assert_eq!(bulks(r#"sum(count_over_time({app="x"} |= "line" [1h]))"#), 10);
    // A label that the stream lacks may be metadata of a line.
    assert_eq!(bulks(r#"sum by (level) (count_over_time({app="x"}[1h]))"#), 0);
    assert_eq!(bulks(r#"count_over_time({app="x"}[1h])"#), 0);
    assert_eq!(bulks(r#"sum(bytes_over_time({app="x"}[1h]))"#), 0);
    assert_eq!(bulks(r#"sum(count_over_time({app="x"} != "y" [1h]))"#), 0);
}

#[test]
fn a_fault_on_any_thread_is_the_answer() {
    let mut memory = Memory::default();
    for at in 0..30 {
        memory.push(&[("app", "x")], f64::from(at), if at == 17 { "n=many" } else { "n=1" });
    }
    let query = metric(r#"sum by (app) (sum_over_time({app="x"} | logfmt | unwrap n [1h]))"#);
    for threads in 1..4 {
        let shared = Shared { memory: &memory, bulks_taken: 0.into() };
        let told = answer(&query, &shared, threads, None).unwrap_err();
        assert!(told.contains("SampleExtractionErr"), "{told}");
    }
}
