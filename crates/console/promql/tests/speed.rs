//! How long usual queries take over series in memory. Run by hand: `cargo test --release -- --ignored`.

use std::time::Instant;

use console_model::Labels;
use console_promql::{Engine, Limits, Points};

#[path = "support/memory.rs"]
mod memory;

use memory::Memory;

fn memory(series: usize, samples: i64) -> Memory {
    let labelled = |at: usize| {
        let (job, instance, le) =
            (format!("job{}", at % 10), format!("host{at}"), ["0.1", "0.5", "1", "5", "+Inf"][at % 5]);
        let route = format!("/route/{}", at / 5 % 20);
        let pairs = [
            ("__name__", "http_requests_total"),
            ("job", &job),
            ("instance", &instance),
            ("route", &route),
            ("le", le),
        ];
        let mut points = Points::default();
        for sample in 0..samples {
            points.push_float(sample * 15_000, (sample * (1 + at as i64 % 7)) as f64);
        }
        (Labels::from_pairs(pairs), points)
    };
    Memory((0..series).map(labelled).collect())
}

#[test]
#[ignore = "measures, asserts nothing"]
fn usual_queries() {
    let engine = Engine::new(Limits::default());
    let hour = memory(1_000, 260);
    let many = memory(100_000, 25);
    let cases: [(&str, &Memory, i64, i64, i64); 9] = [
        ("sum by (job) (rate(http_requests_total[5m]))", &hour, 300_000, 3_900_000, 15_000),
        ("http_requests_total", &hour, 300_000, 3_900_000, 15_000),
        ("rate(http_requests_total[5m])", &hour, 300_000, 3_900_000, 15_000),
        (
            "histogram_quantile(0.9, sum by (route, le) (rate(http_requests_total[5m])))",
            &hour,
            300_000,
            3_900_000,
            15_000,
        ),
        ("http_requests_total / on (instance) group_left http_requests_total", &hour, 300_000, 3_900_000, 15_000),
        ("max_over_time(rate(http_requests_total[5m])[30m:1m])", &hour, 1_800_000, 3_900_000, 60_000),
        ("topk(10, http_requests_total)", &many, 300_000, 300_000, 0),
        ("sum by (job) (rate(http_requests_total[5m]))", &many, 300_000, 300_000, 0),
        ("count by (instance) (http_requests_total{job=~\"job[1-5]\"})", &many, 300_000, 300_000, 0),
    ];
    for (query, storage, start, end, step) in cases {
        let mut best = f64::INFINITY;
        let mut peak = 0;
        for _ in 0..5 {
            let begun = Instant::now();
            let answer = match step {
                0 => engine.instant(storage, query, start, &()),
                _ => engine.range(storage, query, start, end, step, &()),
            };
            best = best.min(begun.elapsed().as_secs_f64() * 1000.0);
            peak = answer.unwrap().samples_peak;
        }
        println!("{best:9.2} ms  {peak:>9} samples  {query}");
    }
}
