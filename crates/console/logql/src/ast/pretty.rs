//! Queries as text over several lines, for eyes: a stage a line, what is inside of parentheses moved in.

use std::fmt::Write;

use super::{Expr, LogExpr, MetricExpr, RangeAggregation, VectorAggregation};

/// Characters up to which something stays on one line.
const LINE_MAX: usize = 100;
const INDENT: &str = "  ";

/// The query over as many lines as it takes to read it.
pub fn pretty(expr: &Expr) -> String {
    match expr {
        Expr::Log(log) => pretty_log(log, 0),
        Expr::Metric(metric) => pretty_metric(metric, 0),
    }
}

fn indent(level: usize) -> String {
    INDENT.repeat(level)
}

/// The text on one line, where that is short enough.
fn short(text: String, level: usize) -> Result<String, String> {
    if level * INDENT.len() + text.chars().count() <= LINE_MAX { Ok(indent(level) + &text) } else { Err(text) }
}

fn pretty_log(log: &LogExpr, level: usize) -> String {
    short(log.to_string(), level).unwrap_or_else(|_| {
        let mut out = format!("{}{}", indent(level), log.selector());
        for stage in &log.stages {
            let _ = write!(out, "\n{}{stage}", indent(level + 1));
        }
        out
    })
}

fn pretty_metric(metric: &MetricExpr, level: usize) -> String {
    short(metric.to_string(), level).unwrap_or_else(|long| match metric {
        MetricExpr::Range(range) => pretty_range(range, level),
        MetricExpr::Vector(vector) => pretty_vector(vector, level),
        MetricExpr::Binary(binary) => {
            let side = |side: &MetricExpr| match side {
                MetricExpr::Binary(_) => {
                    format!("{0}(\n{1}\n{0})", indent(level + 1), pretty_metric(side, level + 2))
                }
                _ => pretty_metric(side, level + 1),
            };
            format!("{}\n{}{}\n{}", side(&binary.left), indent(level), binary.operator(), side(&binary.right))
        }
        MetricExpr::Literal(_) | MetricExpr::VectorOf(_) => indent(level) + &long,
        MetricExpr::LabelReplace(replace) => {
            let rest = [&replace.destination, &replace.replacement, &replace.source, &replace.pattern];
            let inner = pretty_metric(&replace.inner, level + 1);
            let mut out = format!("{}label_replace(\n{inner}", indent(level));
            for text in rest {
                let _ = write!(out, ",\n{}{}", indent(level + 1), console_template::go::quote(text));
            }
            let _ = write!(out, "\n{})", indent(level));
            out
        }
    })
}

fn pretty_range(range: &RangeAggregation, level: usize) -> String {
    let mut out = format!("{}{}(\n", indent(level), range.op.name());
    if let Some(parameter) = range.parameter {
        let _ = writeln!(out, "{}{},", indent(level + 1), crate::value::format_number(parameter));
    }
    let _ = write!(out, "{} {}\n{})", pretty_log(&range.log, level + 1), range.window(), indent(level));
    if let Some(grouping) = &range.grouping {
        let _ = write!(out, " {grouping}");
    }
    out
}

fn pretty_vector(vector: &VectorAggregation, level: usize) -> String {
    let mut out = indent(level) + vector.op.name();
    if let Some(grouping) = &vector.grouping {
        let _ = write!(out, " {grouping} ");
    }
    out.push_str("(\n");
    if let Some(parameter) = vector.parameter {
        let _ = writeln!(out, "{}{parameter},", indent(level + 1));
    }
    let _ = write!(out, "{}\n{})", pretty_metric(&vector.inner, level + 1), indent(level));
    out
}
