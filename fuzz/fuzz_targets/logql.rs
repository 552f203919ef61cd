//! Queries in LogQL, and lines that their pipelines run over.
//!
//! An input is a query, and behind each zero byte a line, one a second. It proves:
//!
//! - Any text is a query or is refused, with a text that is bounded.
//! - A query that is written is the same query when it is read again, on one line and over several.
//! - Any line runs through any pipeline, and any metric query has an answer or says why not.
#![no_main]

use std::error::Error;
use std::sync::LazyLock;

use console_logql::ast::{Expr, pretty};
use console_logql::{Line, Limits, LinesRequest, MetricRequest, Order, Scan, Selection, Source, lines, metric, parse};
use console_model::Labels;
use libfuzzer_sys::fuzz_target;

const TIME_NS: u64 = 1_700_000_000_000_000_000;
const LINES_MAX: u64 = 20;
static STREAM: LazyLock<Labels> = LazyLock::new(|| Labels::from_pairs([("app", "x"), ("level", "info")]));

struct One<'a>(u64, &'a str);

impl Line for One<'_> {
    fn time_ns(&self) -> u64 {
        self.0
    }

    fn text(&self) -> &str {
        self.1
    }

    fn stream(&self) -> &Labels {
        &STREAM
    }

    fn metadata(&self, see: &mut dyn FnMut(&str, &str)) {
        see("trace_id", "0242ac120002");
    }
}

struct Lines<'a>(Vec<One<'a>>);

impl Source for Lines<'_> {
    fn lines(
        &self,
        selection: &Selection,
        _: Order,
        see: &mut dyn FnMut(&dyn Line) -> bool,
    ) -> Result<Scan, Box<dyn Error + Send + Sync>> {
        let found = self.0.iter().filter(|line| (selection.from_ns..=selection.to_ns).contains(&line.0));
        let _ = found.map(|line| see(line)).all(|goes_on| goes_on);
        Ok(Scan::default())
    }
}

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (query, texts) = text.split_once('\0').unwrap_or((text, "a=1 b=\"2\""));
    let expr = match parse(query) {
        Ok(expr) => expr,
        Err(error) => {
            assert!(error.to_string().len() < 10_000 + query.len());
            return;
        }
    };
    let written = expr.to_string();
    let again = parse(&written).map(|expr| expr.to_string());
    assert_eq!(again.as_deref(), Ok(written.as_str()));
    assert_eq!(parse(&pretty(&expr)).map(|expr| expr.to_string()), Ok(written));
    let times = (0..LINES_MAX).map(|second| TIME_NS + second * 1_000_000_000);
    let source = Lines(times.zip(texts.split('\0')).map(|(time_ns, text)| One(time_ns, text)).collect());
    match expr {
        Expr::Log(log) => {
            let request = LinesRequest {
                from_ns: 0,
                to_ns: u64::MAX,
                limit: 10,
                is_backward: true,
                interval_ns: 0,
                now_ns: TIME_NS,
            };
            let _ = lines(&log, &request, &source, &|| false);
        }
        Expr::Metric(expr) => {
            let time = TIME_NS as i64;
            let limits = Limits { steps: 100, samples: 10_000, ..Limits::default() };
            for step_ns in [None, Some(1_000_000_000)] {
                let request = MetricRequest { start_ns: time, end_ns: time + 60_000_000_000, step_ns, now_ns: TIME_NS };
                let _ = metric(&expr, &request, &source, limits, &|| false);
            }
        }
    }
});
