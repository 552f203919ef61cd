//! The rules of an objective, as the text of a rule file.

use std::fmt::Write;

use super::openslo::{Objective, WINDOW};
use crate::duration::Duration;
use crate::rules::Texts;

/// Windows whose ratio is asked of the indicator itself.
const SHORT: [&str; 5] = ["5m", "30m", "1h", "2h", "6h"];
/// Longer ones are put together from what is recorded of five minutes, weighted by how much there was.
const LONG: [&str; 2] = ["1d", "3d"];

/// When an alert is raised: so much of the budget spent within the long window, and still being spent in the
/// short one.
struct Burn {
    long: &'static str,
    long_hours: f64,
    short: &'static str,
    budget: f64,
    severity: &'static str,
    hold: &'static str,
}

const BURNS: [Burn; 4] = [
    Burn { long: "1h", long_hours: 1.0, short: "5m", budget: 0.02, severity: "page", hold: "2m" },
    Burn { long: "6h", long_hours: 6.0, short: "30m", budget: 0.05, severity: "page", hold: "15m" },
    Burn { long: "1d", long_hours: 24.0, short: "2h", budget: 0.1, severity: "ticket", hold: "1h" },
    Burn { long: "3d", long_hours: 72.0, short: "6h", budget: 0.1, severity: "ticket", hold: "3h" },
];

/// Appends the groups of an objective.
pub(super) fn write(objective: &Objective, out: &mut String) {
    // Writing to a string does not fail.
    let _ = ratios(objective, out).and_then(|()| budget(objective, out)).and_then(|()| alerts(objective, out));
}

/// As YAML, which any JSON is.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn labels(objective: &Objective) -> String {
    format!("{{slo: {}, service: {}}}", quoted(&objective.name), quoted(&objective.service))
}

fn selector(objective: &Objective) -> String {
    format!("{{service={}, slo={}}}", quoted(&objective.service), quoted(&objective.name))
}

fn record(out: &mut String, name: &str, query: &str) -> std::fmt::Result {
    writeln!(out, "      - record: {}\n        expr: {}", quoted(name), quoted(query))
}

fn ratios(objective: &Objective, out: &mut String) -> std::fmt::Result {
    let at = |query: &str, window: &str| query.replace(WINDOW, window);
    let (errors, total) = (&objective.errors, &objective.total);
    let of = selector(objective);
    writeln!(out, "  - name: {}", quoted(&format!("slo:{}:ratios", objective.name)))?;
    writeln!(out, "    labels: {}\n    rules:", labels(objective))?;
    record(out, "slo:errors:rate5m", &at(errors, "5m"))?;
    record(out, "slo:total:rate5m", &at(total, "5m"))?;
    for window in SHORT {
        let ratio = format!("({}) / ({})", at(errors, window), at(total, window));
        record(out, &format!("slo:error_ratio:rate{window}"), &ratio)?;
    }
    for window in LONG {
        record(out, &format!("slo:error_ratio:rate{window}"), &summed(&of, window))?;
    }
    Ok(())
}

fn summed(of: &str, window: &str) -> String {
    format!("sum_over_time(slo:errors:rate5m{of}[{window}]) / sum_over_time(slo:total:rate5m{of}[{window}])")
}

fn budget(objective: &Objective, out: &mut String) -> std::fmt::Result {
    let (of, target) = (selector(objective), objective.target);
    writeln!(out, "  - name: {}", quoted(&format!("slo:{}:budget", objective.name)))?;
    writeln!(out, "    labels: {}\n    rules:", labels(objective))?;
    record(out, "slo:objective:ratio", &format!("vector({target})"))?;
    record(out, "slo:period_error:ratio", &summed(&of, &objective.period.to_string()))?;
    record(out, "slo:error_budget_remaining:ratio", &format!("1 - slo:period_error:ratio{of} / (1 - {target})"))?;
    record(out, "slo:burn_rate:ratio", &format!("slo:error_ratio:rate5m{of} / (1 - {target})"))
}

fn alerts(objective: &Objective, out: &mut String) -> std::fmt::Result {
    writeln!(out, "  - name: {}\n    rules:", quoted(&format!("slo:{}:alerts", objective.name)))?;
    BURNS.iter().try_for_each(|burn| alert(objective, burn, out))
}

fn alert(objective: &Objective, burn: &Burn, out: &mut String) -> std::fmt::Result {
    let (of, target) = (selector(objective), objective.target);
    let Burn { long, short, severity, hold, .. } = burn;
    let factor = factor(burn, objective.period);
    let above = |window: &str| format!("slo:error_ratio:rate{window}{of} > ({factor} * (1 - {target}))");
    let title = &objective.title;
    let mut annotations = Texts::from([
        ("summary".to_owned(), format!("{title}: the error budget is spent {factor} times too fast")),
        (
            "description".to_owned(),
            format!(
                "{{{{ $value | humanizePercentage }}}} of the last {long} was bad, and so was the last {short}; the \
                 objective allows {} of {}. {}",
                percentage(1.0 - target),
                objective.period,
                objective.description.trim()
            ),
        ),
    ]);
    annotations.extend(objective.annotations.clone());
    writeln!(out, "      - alert: {}", quoted(&format!("{}BudgetBurn", pascal(&objective.name))))?;
    writeln!(out, "        expr: {}", quoted(&format!("{} and {}", above(long), above(short))))?;
    writeln!(out, "        for: {hold}")?;
    let (slo, service) = (quoted(&objective.name), quoted(&objective.service));
    writeln!(
        out,
        "        labels: {{slo: {slo}, service: {service}, severity: {severity}, long_window: {long}, short_window: {short}}}"
    )?;
    writeln!(out, "        annotations:")?;
    annotations.iter().try_for_each(|(name, text)| writeln!(out, "          {}: {}", quoted(name), quoted(text)))
}

/// How many times too fast the budget is spent when so much of it goes in the long window.
fn factor(burn: &Burn, period: Duration) -> String {
    let factor = burn.budget * period.seconds() / 3_600.0 / burn.long_hours;
    let rounded = (factor * 1_000.0).round() / 1_000.0;
    rounded.to_string()
}

fn percentage(ratio: f64) -> String {
    let rounded = (ratio * 1e6).round() / 1e4;
    format!("{rounded}%")
}

/// `orders-availability` as `OrdersAvailability`.
fn pascal(name: &str) -> String {
    let words = name.split(['-', '.']);
    words
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}
