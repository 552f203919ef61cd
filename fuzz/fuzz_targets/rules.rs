//! A rule file, a file of objectives, and what Alertmanager's API is sent.
//!
//! An input is a text. It proves:
//!
//! - Any text is read as a rule file, or refused with lines that it has.
//! - Groups that were read can be evaluated, whatever their templates say.
//! - The rules that objectives become are rules.
//! - Any text is a matcher or none; one that is reads again as it is written.
//! - An alert that is sent has labels, and does not end before it begins.
#![no_main]

use std::sync::Arc;

use console_alerting::notify::{Matcher, Posted};
use console_alerting::query::{Appender, Evaluated, Left, Ports, Querier, QueryError};
use console_alerting::rules::check::Checker;
use console_alerting::rules::file::Defaults;
use console_alerting::rules::{Counts, Group, Means, groups};
use console_alerting::template::Templates;
use console_alerting::{Context, Duration, slo};
use console_model::{Labels, Sample, SampleBatch};
use libfuzzer_sys::fuzz_target;

/// Every query gives the same element; what is recorded is gone.
struct Anything;

impl Querier for Anything {
    fn check(&self, query: &str) -> Result<String, QueryError> {
        Ok(query.to_owned())
    }

    fn instant(&self, _: &str, _: i64) -> Result<Vec<Evaluated>, QueryError> {
        let labels = Labels::from_pairs([("__name__", "up"), ("job", "api"), ("instance", "[::1]:80")]);
        Ok(vec![Evaluated { labels, value: f64::NAN }])
    }

    fn last(&self, _: &[(&str, &str)], _: i64, _: i64) -> Result<Vec<(Labels, Sample)>, QueryError> {
        Ok(Vec::new())
    }
}

impl Appender for Anything {
    fn append(&self, _: SampleBatch) -> Result<Left, QueryError> {
        Ok(Left::default())
    }
}

fuzz_target!(|input: &str| {
    let anything = Arc::new(Anything);
    let ports = Ports { querier: Arc::clone(&anything) as _, appender: Arc::clone(&anything) as _ };
    let templates = Templates::new(Arc::clone(&ports.querier));
    let checker = Checker::new(anything.as_ref(), &templates);
    let defaults = Defaults { interval: Duration::from_seconds(60), query_offset: Duration::ZERO };
    match groups("file", input, defaults, &checker) {
        Ok(specs) => {
            let (context, counts) = (Context::default(), Counts::default());
            let means = Means { ports: &ports, context: &context, counts: &counts, templates: &templates };
            for group in specs.into_iter().take(8).map(|spec| Group::new(spec, true)) {
                for now_ms in [0, 60_000, 120_000] {
                    group.evaluate(now_ms, means, &|_| {});
                }
                group.next_ms(i64::MAX);
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            // A fault of rules that were made stands in the text that was made. A carriage return alone ends a line of
            // YAML too.
            let ends =
                input.chars().filter(|one| matches!(one, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')).count();
            let lines = if slo::is_openslo(input) { usize::MAX } else { ends + 1 };
            assert!(
                faults.iter().all(|fault| usize::try_from(fault.line).is_ok_and(|line| line <= lines)),
                "{faults:?}"
            );
        }
    }
    if let Ok(matcher) = Matcher::parse(input) {
        let again = Matcher::new(matcher.form().clone()).expect("a matcher is one again");
        assert_eq!(matcher, again);
    }
    if let Ok(posted) = serde_json::from_str::<Vec<Posted>>(input) {
        for alert in posted.into_iter().filter_map(|posted| posted.read(1_000_000, 300_000).ok()) {
            assert!(!alert.labels.is_empty() && alert.starts_at_ms <= alert.ends_at_ms);
        }
    }
});
