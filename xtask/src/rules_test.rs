//! `cargo xtask rules-test FILES`: runs test files of rules as `promtool test rules` does, with its verdict, on a
//! memory in place of a store. `rules-check` and `slo` look at rules without running them.

mod compare;
mod file;
mod memory;
/// How series are written, which the scripts of the query language's own tests share.
#[expect(dead_code, reason = "scripts write lengths of time as well")]
#[path = "../../crates/console/promql/tests/conformance/notation.rs"]
mod notation;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use console_alerting::query::Querier;
use console_alerting::rules::check::Checker;
use console_alerting::rules::file::Defaults;
use console_alerting::rules::{Counts, Group, GroupSpec, Means, State, groups};
use console_alerting::slo;
use console_alerting::template::Templates;
use console_alerting::{Context, Duration};

use crate::Findings;
use file::{AlertTest, Test, TestFile};
use memory::Memory;

/// Evaluations of one test at most: a year in minutes.
const EVALUATIONS_MAX: i64 = 600_000;

/// Runs test files, and tells how each of them ended.
pub fn run(paths: &[&str]) -> Findings {
    let mut findings = Findings::new();
    for path in paths {
        let found = run_file(Path::new(path));
        let verdict = if found.is_empty() { "SUCCESS" } else { "FAILED" };
        println!("{path}: {verdict}");
        findings.extend(found.into_iter().map(|fault| format!("{path}: {fault}")));
    }
    findings
}

/// Says what is wrong with rule files, and with files of objectives.
pub fn check(paths: &[&str]) -> Findings {
    let mut findings = Findings::new();
    for path in paths {
        match read(Path::new(path), Duration::from_seconds(60)) {
            Ok(groups) => {
                println!("{path}: {} rules found", groups.iter().map(|group| group.rules.len()).sum::<usize>())
            }
            Err(faults) => findings.extend(faults),
        }
    }
    findings
}

/// Prints the rules that files of objectives become.
pub fn print(paths: &[&str]) -> Findings {
    let mut findings = Findings::new();
    for path in paths {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
        match text.and_then(|text| slo::rules(&text).map_err(|fault| fault.to_string())) {
            Ok(rules) => print!("{rules}"),
            Err(error) => findings.push(format!("{path}: {error}")),
        }
    }
    findings
}

fn read(path: &Path, interval: Duration) -> Result<Vec<GroupSpec>, Findings> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| vec![format!("{name}: {error}")])?;
    let memory = Arc::new(Memory::default());
    let templates = Templates::new(Arc::clone(&memory) as _);
    let checker = Checker::new(memory.as_ref(), &templates);
    let defaults = Defaults { interval, query_offset: Duration::ZERO };
    let read = groups(&name, &text, defaults, &checker);
    read.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn run_file(path: &Path) -> Findings {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return vec![error.to_string()],
    };
    let tests: TestFile = match serde_saphyr::from_str(&text) {
        Ok(tests) => tests,
        Err(error) => return vec![error.to_string()],
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut findings = Findings::new();
    let mut groups = Vec::new();
    for pattern in &tests.rule_files {
        let files = file::expand(folder, pattern);
        if files.is_empty() {
            println!("  WARNING: no file match pattern {pattern}");
        }
        for file in files {
            match read(&file, tests.evaluation_interval) {
                Ok(found) => groups.extend(found),
                Err(faults) => findings.extend(faults),
            }
        }
    }
    if !findings.is_empty() {
        return findings;
    }
    order(&mut groups, &tests.group_eval_order, &mut findings);
    for (position, test) in tests.tests.iter().enumerate() {
        let name = if test.name.is_empty() { format!("test {}", position + 1) } else { test.name.clone() };
        let found = Run::new(&tests, test, &groups).and_then(|run| run.all());
        let found = found.unwrap_or_else(|error| vec![error]);
        findings.extend(found.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    findings
}

/// Groups that are named come first, in the order in which they are.
fn order(groups: &mut [GroupSpec], names: &[String], findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    let repeated = names.iter().filter(|name| !seen.insert(name.as_str()));
    findings.extend(repeated.map(|name| format!("group name repeated in evaluation order: {name}")));
    groups.sort_by_key(|group| names.iter().position(|name| **name == *group.name).unwrap_or(usize::MAX));
}

/// One test while it runs.
struct Run<'t> {
    file: &'t TestFile,
    test: &'t Test,
    memory: Arc<Memory>,
    groups: Vec<Group>,
    context: Context,
}

impl<'t> Run<'t> {
    fn new(file: &'t TestFile, test: &'t Test, groups: &[GroupSpec]) -> Result<Self, String> {
        let memory = Arc::new(Memory::default());
        let step = test.interval.unwrap_or(file.evaluation_interval);
        for input in &test.input_series {
            memory
                .load(&input.series, &input.values, step.ms())
                .map_err(|error| format!("{}: {error}", input.series))?;
        }
        let context = Context {
            external_url: test.external_url.clone(),
            external_labels: test.external_labels.clone(),
            ..Context::default()
        };
        let groups = groups.iter().map(|spec| Group::new(spec.clone(), false)).collect();
        Ok(Self { file, test, memory, groups, context })
    }

    /// Evaluates to the last time that is asked for, and looks at alerts where the test says.
    fn all(&self) -> Result<Findings, String> {
        let alerts = self.test.alert_rule_test.iter().map(|test| test.eval_time);
        let last = alerts.chain(self.test.promql_expr_test.iter().map(|test| test.eval_time)).max().unwrap_or_default();
        let interval = self.file.evaluation_interval.ms().max(1);
        if last.ms() / interval > EVALUATIONS_MAX {
            return Err(format!("{EVALUATIONS_MAX} evaluations are the most; choose a longer evaluation_interval"));
        }
        let mut findings = Findings::new();
        let mut now = 0;
        while now <= last.ms() {
            findings.extend(self.evaluate(now));
            let due = |test: &&AlertTest| (now..now + interval).contains(&test.eval_time.ms());
            for test in self.test.alert_rule_test.iter().filter(due) {
                findings.extend(compare::alerts(test, &self.firing(&test.alertname)));
            }
            now += interval;
        }
        for test in &self.test.promql_expr_test {
            let found = self.memory.query(&test.expr, test.eval_time.ms());
            findings.extend(compare::samples(test, found, self.file.fuzzy_compare));
        }
        Ok(findings)
    }

    fn evaluate(&self, now_ms: i64) -> Findings {
        let ports = self.memory.ports();
        let (counts, templates) = (Counts::default(), Templates::new(Arc::clone(&self.memory) as Arc<dyn Querier>));
        let means = Means { ports: &ports, context: &self.context, counts: &counts, templates: &templates };
        let mut findings = Findings::new();
        for group in &self.groups {
            group.evaluate(now_ms, means, &|_| {});
            let failed = group.status().rules.into_iter().filter(|rule| !rule.last_error.is_empty());
            findings.extend(failed.map(|rule| {
                let (name, error) = (&rule.spec.name, &rule.last_error);
                format!("rule: {name}, time: {}, err: {error}", Duration::from_ms(now_ms))
            }));
        }
        findings
    }

    /// The alerts of a name that fire.
    fn firing(&self, name: &str) -> Vec<compare::Alert> {
        let mut firing = Vec::new();
        for rule in self.groups.iter().flat_map(|group| group.status().rules).filter(|rule| rule.spec.name == name) {
            if let console_alerting::rules::RuleKind::Alerting(status) = &rule.kind {
                let alerts = status.active().filter(|alert| alert.state == State::Firing);
                firing.extend(alerts.map(|alert| (alert.labels.clone(), alert.annotations.clone())));
            }
        }
        firing
    }
}

#[cfg(test)]
mod tests;
