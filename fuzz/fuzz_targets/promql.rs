//! A PromQL query over a few series.
//!
//! An input is a query. It proves:
//!
//! - Any text is answered: parsed and evaluated, or refused with a text.
//! - What is parsed is printed as a text that parses again and prints the same.
//! - An answer keeps to the limits, and so do the number of warnings and infos.
#![no_main]

use std::sync::Arc;

use console_model::{Buckets, FloatHistogram, Labels, stale_marker};
use console_promql::{Engine, Features, Limits, Points, format, parse};
use libfuzzer_sys::fuzz_target;
use support::Memory;

#[path = "../../crates/console/promql/tests/support/memory.rs"]
mod support;

const SAMPLES_MAX: usize = 20_000;

/// A counter, a gauge with gaps, buckets, a native histogram, each of two jobs.
fn memory() -> Memory {
    let mut all = Vec::new();
    for job in ["a", "b"] {
        for name in ["x_total", "y", "z_bucket", "h"] {
            let mut points = Points::default();
            for step in 0..30_i64 {
                let (time_ms, value) = (step * 10_000, (step * 3 % 40) as f64);
                match (name, step % 7) {
                    ("h", _) => {
                        let histogram = FloatHistogram {
                            schema: (step % 2) as i8,
                            count: value,
                            sum: value * 2.0,
                            positive: Buckets::from_offset(0, [value]),
                            ..FloatHistogram::default()
                        };
                        points.push_histogram(time_ms, Arc::new(histogram));
                    }
                    ("y", 2) => points.push_float(time_ms, stale_marker()),
                    ("y", 4) => points.push_float(time_ms, f64::NAN),
                    ("y", 5) => {}
                    _ => points.push_float(time_ms, value),
                }
            }
            let le = if job == "a" { "1" } else { "+Inf" };
            all.push((Labels::from_pairs([("__name__", name), ("job", job), ("le", le)]), points));
        }
    }
    Memory(all)
}

fuzz_target!(|input: &[u8]| {
    let query = String::from_utf8_lossy(input);
    let limits = Limits { samples_max: SAMPLES_MAX, series_max: 100, ..Limits::default() };
    if let Ok(expr) = parse(&query) {
        let (line, laid_out) = (expr.to_string(), format(&expr));
        let again = parse(&line).map(|expr| expr.to_string());
        assert_eq!(again.as_deref().ok(), Some(line.as_str()), "{query}");
        assert!(parse(&laid_out).is_ok(), "{laid_out}");
    }
    let storage = memory();
    for features in [Features::default(), Features::ALL] {
        let engine = Engine::new(limits.clone()).with_features(features);
        let instant = engine.instant(&storage, &query, 200_000, &());
        let range = engine.range(&storage, &query, 0, 300_000, 25_000, &());
        for answer in [instant, range] {
            match answer {
                Ok(answer) => {
                    assert!(answer.samples_peak <= SAMPLES_MAX);
                    assert!(answer.warnings.len() + answer.infos.len() <= 1_000);
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
});
