//! What holds for every query: it ends, it keeps to its limits, an instant is one step of a range, and its
//! text is read as it was written.

use std::collections::BTreeMap;
use std::sync::Arc;

use console_model::{Buckets, FloatHistogram, Labels, stale_marker};
use console_promql::{Engine, Error, Features, Limits, Point, Points, Value};
use proptest::prelude::*;

#[path = "support/memory.rs"]
mod memory;

use memory::Memory;

/// Counters with resets, gauges with gaps, NaN and marks of ends, histograms, and a series of both.
fn memory() -> Memory {
    let series = |pairs: &[(&str, &str)], fill: &dyn Fn(&mut Points, i64)| {
        let mut points = Points::default();
        (0..40).for_each(|step| fill(&mut points, step));
        (Labels::from_pairs(pairs.iter().copied()), points)
    };
    let native = |step: i64| {
        Arc::new(FloatHistogram {
            schema: (step % 3) as i8,
            count: step as f64,
            sum: step as f64 * 2.0,
            positive: Buckets::from_offset(0, [step as f64 / 2.0, step as f64 / 2.0]),
            ..FloatHistogram::default()
        })
    };
    let mut all = Vec::new();
    for (at, job) in ["a", "b", "c"].into_iter().enumerate() {
        for name in ["x_total", "y", "z_bucket"] {
            let le = ["0.1", "1", "+Inf"][at];
            let pairs = [("__name__", name), ("job", job), ("le", le)];
            all.push(series(&pairs, &|points, step| match (name, step % 11) {
                ("x_total", _) => points.push_float(step * 10_000, ((step * 3 + at as i64) % 50) as f64),
                ("y", 3) => {}
                ("y", 5) => points.push_float(step * 10_000, f64::NAN),
                ("y", 7) => points.push_float(step * 10_000, stale_marker()),
                ("y", 9) => points.push_float(step * 10_000, f64::INFINITY),
                _ => points.push_float(step * 10_000, step as f64 - 7.0),
            }));
        }
    }
    all.push(series(&[("__name__", "h"), ("job", "a")], &|points, step| {
        points.push_histogram(step * 10_000, native(step))
    }));
    all.push(series(&[("__name__", "m"), ("job", "a")], &|points, step| match step % 2 {
        0 => points.push_histogram(step * 10_000, native(step)),
        _ => points.push_float(step * 10_000, step as f64),
    }));
    Memory(all)
}

fn limits() -> Limits {
    Limits { samples_max: 20_000, series_max: 100, ..Limits::default() }
}

fn selector() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["x_total", "y", "z_bucket", "h", "m", "nothing", ""]);
    let matchers =
        prop::sample::select(vec!["{job=\"a\"}", "{job=~\"a|b\"}", "{job!=\"b\"}", "{__name__=~\".+\"}", ""]);
    (name, matchers).prop_map(|(name, matchers)| match (name, matchers) {
        ("", "") => "y".to_owned(),
        ("", "{job!=\"b\"}") => "{job!=\"\"}".to_owned(),
        ("", matchers) => matchers.to_owned(),
        // A metric's name is not to be set twice.
        (name, "{__name__=~\".+\"}") => format!("{{__name__=~\"{name}\"}}"),
        (name, matchers) => format!("{name}{matchers}"),
    })
}

fn time_modifier() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "", "", " offset 30s", " offset -20s", " @ 100", " @ start()", " @ end() offset 1m"])
}

fn scalar() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["1", "0", "-2.5", "NaN", "Inf", "0.5", "time()", "scalar(y{job=\"a\"})", "pi()", "1e300"])
        .prop_map(str::to_owned)
}

fn vector() -> impl Strategy<Value = String> {
    let leaf = (selector(), time_modifier()).prop_map(|(selector, time)| format!("{selector}{time}"));
    leaf.prop_recursive(4, 24, 3, |inner| {
        let range = prop_oneof![
            (selector(), prop::sample::select(vec!["1m", "25s", "5m"]), time_modifier())
                .prop_map(|(selector, range, time)| format!("{selector}[{range}]{time}")),
            (inner.clone(), prop::sample::select(vec!["1m:10s", "90s:25s", "3m:", "1m:1h"]), time_modifier())
                .prop_map(|(inner, range, time)| format!("({inner})[{range}]{time}")),
        ];
        let functions: Vec<&'static str> =
            console_promql::functions().iter().filter(|f| f.arguments.len() == 1).map(|f| f.name).collect();
        let of = |kind| {
            let all = console_promql::functions().iter();
            let fitting = all.filter(|f| f.arguments == [kind]).map(|f| f.name).collect::<Vec<_>>();
            prop::sample::select(fitting)
        };
        assert!(!functions.is_empty());
        prop_oneof![
            (of(console_promql::ValueType::Matrix), range.clone()).prop_map(|(name, range)| format!("{name}({range})")),
            (of(console_promql::ValueType::Vector), inner.clone()).prop_map(|(name, inner)| match name {
                "scalar" => format!("vector(scalar({inner}))"),
                name => format!("{name}({inner})"),
            }),
            (scalar(), range.clone()).prop_map(|(q, range)| format!("quantile_over_time({q}, {range})")),
            (scalar(), range).prop_map(|(by, range)| format!("predict_linear({range}, {by})")),
            (scalar(), inner.clone()).prop_map(|(q, inner)| format!("histogram_quantile({q}, {inner})")),
            (scalar(), scalar(), inner.clone())
                .prop_map(|(lower, upper, inner)| format!("histogram_fraction({lower}, {upper}, {inner})")),
            (scalar(), scalar(), inner.clone()).prop_map(|(a, b, inner)| format!("clamp({inner}, {a}, {b})")),
            inner.clone().prop_map(|inner| format!("label_replace({inner}, \"job\", \"$1-\", \"le\", \"(.*)\")")),
            inner.clone().prop_map(|inner| format!("label_join({inner}, \"new\", \"/\", \"job\", \"le\")")),
            inner.clone().prop_map(|inner| format!("-{inner}")),
            (
                prop::sample::select(vec!["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]),
                prop::sample::select(vec!["", " by (job)", " without (le)", " by (le, __name__)"]),
                inner.clone()
            )
                .prop_map(|(op, by, inner)| format!("{op}{by} ({inner})")),
            (
                prop::sample::select(vec![
                    "topk(2, ",
                    "bottomk(1, ",
                    "quantile(0.3, ",
                    "limitk(2, ",
                    "count_values(\"v\", "
                ]),
                inner.clone()
            )
                .prop_map(|(op, inner)| format!("{op}{inner})")),
            (
                inner.clone(),
                prop::sample::select(vec![
                    "+", "-", "*", "/", "%", "^", "==", "!= bool", "<", ">= bool", "and", "or", "unless", "atan2"
                ]),
                prop::sample::select(vec!["", " on (job)", " ignoring (le)", " on (job, le)"]),
                inner.clone()
            )
                .prop_map(|(a, op, matching, b)| format!("({a}) {op}{matching} ({b})")),
            (inner.clone(), prop::sample::select(vec!["+", "*", "/", ">", "== bool", "^"]), scalar())
                .prop_map(|(a, op, b)| format!("({a}) {op} {b}")),
            (scalar(), prop::sample::select(vec!["-", "<", "%"]), inner)
                .prop_map(|(a, op, b)| format!("{a} {op} ({b})")),
        ]
    })
}

fn same(a: &Point, b: &Point) -> bool {
    match (a, b) {
        (Point::Float(a), Point::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
        (Point::Histogram(a), Point::Histogram(b)) => a == b || a.to_string() == b.to_string(),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn an_instant_is_one_step_of_a_range(query in vector(), at in 0_i64..45) {
        let (storage, at) = (memory(), at * 10_000);
        let engine = Engine::new(limits()).with_features(Features { experimental_functions: true, ..Features::default() });
        let expr = engine.parse(&query).map_err(|error| TestCaseError::fail(format!("{query}: {error}")))?;
        prop_assert_eq!(engine.parse(&expr.to_string()).unwrap().to_string(), expr.to_string());
        let instant = engine.instant(&storage, &query, at, &());
        if let Ok(answer) = &instant {
            prop_assert!(answer.samples_peak <= limits().samples_max);
        }
        if query.contains("start()") || query.contains("end()") {
            return Ok(());
        }
        // Sorting orders an instant and no range, and who is among the first of equal ones goes by the order.
        if ["topk(", "bottomk(", "limitk(", "limit_ratio("].iter().any(|choice| {
            query.split_once(choice).is_some_and(|(_, chosen_from)| chosen_from.contains("sort"))
        }) {
            return Ok(());
        }
        let range = engine.range(&storage, &query, at - 20_000, at + 20_000, 10_000, &());
        let (Ok(instant), Ok(range)) = (instant, range) else { return Ok(()) };
        let (Value::Vector(samples), Value::Matrix(series)) = (instant.value, range.value) else { return Ok(()) };
        let mut found: BTreeMap<Labels, Point> = BTreeMap::new();
        for series in series {
            let float = series.floats.iter().find(|(time, _)| *time == at).map(|(_, value)| Point::Float(*value));
            let native = series.histograms.iter().find(|(time, _)| *time == at);
            let point = float.or(native.map(|(_, histogram)| Point::Histogram(histogram.clone())));
            found.extend(point.map(|point| (series.labels, point)));
        }
        prop_assert_eq!(found.len(), samples.len(), "{}", query);
        for sample in samples {
            let other = found.get(&sample.labels);
            let fits = other.is_some_and(|other| same(&sample.value, other));
            prop_assert!(fits, "{}: {} is {:?} and {:?}", query, sample.labels, sample.value, other);
        }
    }

    #[test]
    fn delayed_names_change_no_value_where_names_do_not_matter(query in vector()) {
        let storage = memory();
        let all = Features { experimental_functions: true, ..Features::default() };
        let delayed = Features { delayed_name_removal: true, ..all };
        let ask = |features| Engine::new(limits()).with_features(features).instant(&storage, &query, 200_000, &());
        let (Ok(now), Ok(later)) = (ask(all), ask(delayed)) else { return Ok(()) };
        if query.contains("__name__") || query.contains("label_") || query.contains("k(") || query.contains("limit") {
            return Ok(());
        }
        let count = |value: &Value| match value { Value::Vector(samples) => samples.len(), _ => 0 };
        // Rows that are the same without a name can be joined earlier, which makes other rows of them.
        if !query.contains("histogram_quantile") && !query.contains("histogram_fraction") {
            prop_assert!(count(&later.value) <= count(&now.value) + 12, "{}", query);
        }
    }

    #[test]
    fn no_text_ends_in_anything_but_an_answer_or_an_error(text in "[a-z_ 0-9(){}\\[\\],:@\"'=!~<>+*/%^.\\-]{0,60}") {
        let engine = Engine::new(limits()).with_features(Features::ALL);
        let _ = engine.instant(&memory(), &text, 100_000, &());
        let _ = engine.range(&memory(), &text, 0, 300_000, 7_000, &());
    }
}

#[test]
fn what_would_take_too_much_is_refused() {
    let storage = memory();
    let engine =
        Engine::new(Limits { samples_max: 5_000, series_max: 5, ..Limits::default() }).with_features(Features::ALL);
    let range = |query: &str, step| engine.range(&storage, query, 0, 400_000, step, &());
    assert!(matches!(range("{__name__=~\".+\"}", 10_000), Err(Error::TooManySeries(5))));
    assert!(matches!(range("x_total", 50), Err(Error::TooManySamples)));
    assert!(matches!(range("y[1y:1ms]", 10_000), Err(Error::Invalid(_))));
    assert!(matches!(range("max_over_time(y[1y:1ms])", 10_000), Err(Error::TooManySamples)));
    assert!(matches!(range("max_over_time(vector(1)[10y:1ms])", 10_000), Err(Error::TooManySamples)));
    assert!(matches!(range("time()", 50), Err(Error::TooManySamples)));
    assert!(matches!(range("y", 10), Err(Error::Invalid(_))), "more steps than there may be");
    assert!(matches!(engine.range(&storage, "y", 1, 0, 1, &()), Err(Error::Invalid(_))));
    assert!(matches!(engine.range(&storage, "y", 0, 1, 0, &()), Err(Error::Invalid(_))));
    assert!(
        matches!(engine.instant(&storage, "y", i64::MIN, &()), Err(Error::Invalid(_)))
            || engine.instant(&storage, "y", i64::MIN + 1, &()).is_err()
    );
}

#[test]
fn a_label_that_grows_from_call_to_call_ends_the_query() {
    let (storage, engine) = (memory(), Engine::new(limits()).with_features(Features::ALL));
    for grow in [r#"label_replace({}, "job", "$1$1", "job", "(.*)")"#, r#"label_join({}, "job", "", "job", "job")"#] {
        let nested = |count: usize| (0..count).fold("y".to_owned(), |query, _| grow.replace("{}", &query));
        assert!(engine.instant(&storage, &nested(8), 100_000, &()).is_ok());
        let error = engine.instant(&storage, &nested(50), 100_000, &()).map(drop).unwrap_err();
        assert!(error.to_string().contains("a label value may have more than 65536 bytes"), "{error}");
    }
}

#[test]
fn a_query_has_a_bounded_number_of_regular_expressions() {
    let with = |count: usize| console_promql::parse(&vec!["y{job=~\"a.*\"}"; count].join(" or "));
    assert!(with(100).is_ok());
    assert!(with(101).unwrap_err().to_string().contains("query has more than 100 regular expressions"));
}

#[test]
fn times_at_the_ends_of_the_range_overflow_nothing() {
    let (storage, engine) = (memory(), Engine::new(limits()).with_features(Features::ALL));
    for query in [
        "y offset 9000000y",
        "y @ 9223372036854775 offset -290y",
        "rate(y[290y] offset -290y)",
        "y @ -9223372036854775",
        "max_over_time(y[290y:290y] @ 9e15)",
        "hour(vector(1e308))",
        "y offset -290y @ -9e15",
        "predict_linear(y[1m] @ -9e15, 1e300)",
        "y[9e12]",
        "rate(y[5m] offset (1e300 * 1s))",
        "x_total[5m] offset (step() - range() * 1e15)",
    ] {
        for time in [0, 100_000, i64::MAX / 1000, -(i64::MAX / 1000)] {
            let _ = engine.instant(&storage, query, time, &());
            let _ = engine.range(&storage, query, time.min(0), time.max(0), i64::MAX / 1000, &());
        }
    }
}

#[test]
fn a_query_ends_when_the_one_who_asked_leaves() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let asked = AtomicUsize::new(0);
    let stop = || if asked.fetch_add(1, Ordering::Relaxed) < 3 { Ok(()) } else { Err(Error::Canceled) };
    let engine = Engine::new(Limits::default());
    let answer = engine.range(&memory(), "max_over_time(rate(x_total[1m])[5m:1s])", 0, 3_600_000, 1_000, &stop);
    assert!(matches!(answer, Err(Error::Canceled)), "{answer:?}");
    let left = || Err(Error::Timeout);
    assert!(matches!(engine.instant(&memory(), "y", 0, &left), Err(Error::Timeout)));
}

#[test]
fn two_ranges_never_become_one_series_even_without_a_step_in_common() {
    let series = |name, steps: std::ops::Range<i64>| {
        let mut points = Points::default();
        steps.for_each(|step| points.push_float(step * 10_000, 1.0));
        (Labels::from_pairs([("__name__", name), ("job", "a")]), points)
    };
    let storage = Memory(vec![series("old", 0..5), series("new", 10..15)]);
    let engine = Engine::new(limits());
    let error = engine.range(&storage, r#"count_over_time({job="a"}[10s])"#, 0, 200_000, 10_000, &()).map(drop);
    assert!(error.unwrap_err().to_string().contains("vector cannot contain metrics with the same labelset"));
    // A function of single values makes one series of them.
    let storage = Memory(vec![series("old", 0..5), series("new", 50..55)]);
    let answer = engine.range(&storage, r#"abs({job="a"})"#, 0, 600_000, 10_000, &()).unwrap();
    assert!(matches!(answer.value, Value::Matrix(series) if series.len() == 1));
}
