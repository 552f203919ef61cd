//! Trees back to text, on one line or laid out over several as Prometheus' `format_query` does.

use std::fmt::{self, Display, Write as _};

use crate::ast::{Aggregate, At, Binary, Cardinality, DurationExpr, DurationOp, Expr, Node, Selector, Subquery};
use crate::{MatchOp, Matcher};

/// What is longer than this is laid out over several lines.
const LINE_CHARS_MAX: usize = 100;

/// A query laid out for reading: on one line if it is short, else each part on its own, indented.
pub fn format(expr: &Expr) -> String {
    pretty(expr, 0)
}

fn indent(level: usize) -> String {
    "  ".repeat(level)
}

fn pretty(expr: &Expr, level: usize) -> String {
    let line = expr.to_string();
    let (margin, inner) = (indent(level), level + 1);
    if line.chars().count() <= LINE_CHARS_MAX {
        return margin + &line;
    }
    match &expr.node {
        Node::Aggregate(aggregate) => {
            let parameter = aggregate.parameter.iter().map(|expr| pretty(expr, inner) + ",\n").collect::<String>();
            let head = aggregate_head(aggregate);
            format!("{margin}{head}(\n{parameter}{}\n{margin})", pretty(&aggregate.expr, inner))
        }
        Node::Binary(binary) => {
            let (left, right) = (pretty(&binary.left, inner), pretty(&binary.right, inner));
            format!("{left}\n{margin}{}\n{right}", operator(binary))
        }
        Node::Call(call) => {
            let arguments: Vec<String> = call.arguments.iter().map(|expr| pretty(expr, inner)).collect();
            format!("{margin}{}(\n{}\n{margin})", call.function.name, arguments.join(",\n"))
        }
        Node::Paren(within) => format!("{margin}(\n{}\n{margin})", pretty(within, inner)),
        Node::Subquery(subquery) => pretty(&subquery.expr, level) + &subquery_tail(subquery),
        Node::Unary(negative, within) => {
            let sign = if *negative { '-' } else { '+' };
            format!("{margin}{sign}{}", pretty(within, level).trim())
        }
        Node::Number(_) | Node::Duration(_) | Node::String(_) | Node::Selector(_) => margin + &line,
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Node::Number(number) => f.write_str(&plain_number(*number)),
            Node::Duration(seconds) => f.write_str(&duration_text((seconds * 1000.0).round() as i64)),
            Node::String(text) => f.write_str(&quoted(text)),
            Node::Selector(selector) => write_selector(f, selector),
            Node::Subquery(subquery) => write!(f, "{}{}", subquery.expr, subquery_tail(subquery)),
            Node::Unary(negative, inner) => write!(f, "{}{inner}", if *negative { '-' } else { '+' }),
            Node::Binary(binary) => write!(f, "{} {} {}", binary.left, operator(binary), binary.right),
            Node::Paren(inner) => write!(f, "({inner})"),
            Node::Aggregate(aggregate) => {
                f.write_str(&aggregate_head(aggregate))?;
                match &aggregate.parameter {
                    Some(parameter) => write!(f, "({parameter}, {})", aggregate.expr),
                    None => write!(f, "({})", aggregate.expr),
                }
            }
            Node::Call(call) => {
                write!(f, "{}(", call.function.name)?;
                for (position, argument) in call.arguments.iter().enumerate() {
                    write!(f, "{}{argument}", if position > 0 { ", " } else { "" })?;
                }
                f.write_char(')')
            }
        }
    }
}

/// A number without an exponent, as Prometheus writes those of a query.
pub(crate) fn plain_number(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    format!("{number}")
}

/// A number as Go's `%v` writes it, as Prometheus has those in its messages: `1e+06`.
pub(crate) fn number_text(number: f64) -> String {
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    if !number.is_finite() || (-4..6).contains(&exponent.parse::<i32>().unwrap_or(0)) {
        return plain_number(number);
    }
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// A text in double quotes as Go's `%q` writes it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        if let Some(byte) = crate::parser::stray_byte(character) {
            out.push_str(&format!("\\x{byte:02x}"));
            continue;
        }
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            control if control.is_control() => {
                let code = u32::from(control);
                let escaped = if code < 0x80 { format!("\\x{code:02x}") } else { format!("\\u{code:04x}") };
                out.push_str(&escaped);
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

fn aggregate_head(aggregate: &Aggregate) -> String {
    let name = aggregate.op.name();
    match (aggregate.without, aggregate.labels.is_empty()) {
        (true, _) => format!("{name} without ({}) ", label_list(&aggregate.labels)),
        (false, false) => format!("{name} by ({}) ", label_list(&aggregate.labels)),
        (false, true) => name.to_owned(),
    }
}

fn label_list(labels: &[String]) -> String {
    labels.iter().map(|label| label_name(label)).collect::<Vec<_>>().join(", ")
}

/// A label as it may stand in a query: in quotes unless it is a plain word.
fn label_name(label: &str) -> String {
    if is_word(label, false) { label.to_owned() } else { quoted(label) }
}

fn is_word(text: &str, colons: bool) -> bool {
    let belongs = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
    !text.is_empty() && text.chars().all(belongs) && !text.starts_with(|c: char| c.is_ascii_digit())
}

fn operator(binary: &Binary) -> String {
    let mut out = binary.op.symbol().to_owned();
    if binary.returns_bool {
        out.push_str(" bool");
    }
    let Some(matching) = &binary.matching else {
        return out;
    };
    let grouped = match matching.cardinality {
        Cardinality::ManyToOne => Some("group_left"),
        Cardinality::OneToMany => Some("group_right"),
        Cardinality::OneToOne | Cardinality::ManyToMany => None,
    };
    if matching.on || !matching.labels.is_empty() || grouped.is_some() {
        let word = if matching.on { "on" } else { "ignoring" };
        out.push_str(&format!(" {word} ({})", label_list(&matching.labels)));
    }
    if let Some(word) = grouped {
        out.push_str(&format!(" {word} ({})", label_list(&matching.include)));
    }
    let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
    match matching.fill {
        (Some(left), Some(right)) if same(left, right) => out.push_str(&format!(" fill ({})", plain_number(left))),
        (left, right) => {
            left.iter().for_each(|value| out.push_str(&format!(" fill_left ({})", plain_number(*value))));
            right.iter().for_each(|value| out.push_str(&format!(" fill_right ({})", plain_number(*value))));
        }
    }
    out
}

fn write_selector(f: &mut fmt::Formatter<'_>, selector: &Selector) -> fmt::Result {
    let is_other = |matcher: &&Matcher| {
        !(matcher.name() == "__name__" && matcher.op() == MatchOp::Equal && matcher.value() == selector.name)
    };
    // Beside a name in front there may be none in the braces.
    let is_only = !selector.matchers.iter().filter(is_other).any(|matcher| matcher.name() == "__name__");
    let plain = is_only && is_word(&selector.name, true);
    let mut parts = Vec::new();
    if plain {
        f.write_str(&selector.name)?;
    } else if !selector.name.is_empty() {
        parts.push(quoted(&selector.name));
    }
    parts.extend(selector.matchers.iter().filter(is_other).map(Matcher::to_string));
    if !parts.is_empty() {
        write!(f, "{{{}}}", parts.join(","))?;
    }
    if let Some(range) = &selector.range {
        write!(f, "[{range}]")?;
    }
    if selector.anchored {
        f.write_str(" anchored")?;
    }
    if selector.smoothed {
        f.write_str(" smoothed")?;
    }
    f.write_str(&time_tail(selector.at, selector.offset.as_ref()))
}

fn subquery_tail(subquery: &Subquery) -> String {
    let step = subquery.step.as_ref().map(DurationExpr::to_string).unwrap_or_default();
    format!("[{}:{step}]{}", subquery.range, time_tail(subquery.at, subquery.offset.as_ref()))
}

fn time_tail(at: Option<At>, offset: Option<&DurationExpr>) -> String {
    let at = match at {
        Some(At::Time(ms)) => format!(" @ {:.3}", ms as f64 / 1000.0),
        Some(At::Start) => " @ start()".to_owned(),
        Some(At::End) => " @ end()".to_owned(),
        None => String::new(),
    };
    let offset = offset.map(|offset| format!(" offset {offset}")).unwrap_or_default();
    at + &offset
}

impl Display for Matcher {
    /// As it stands in a selector: `job="api"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", label_name(self.name()), self.op().symbol(), quoted(self.value()))
    }
}

impl Display for DurationExpr {
    /// As it stands in brackets: `1h30m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(ms) => f.write_str(&duration_text(*ms)),
            Self::Number(seconds) => f.write_str(&duration_text((seconds * 1000.0).round() as i64)),
            Self::Step => f.write_str("step()"),
            Self::Range => f.write_str("range()"),
            Self::Negative(inner) => write!(f, "-{inner}"),
            Self::Paren(inner) => write!(f, "({inner})"),
            Self::Operation(op, sides) => {
                let (left, right) = (operand(&sides.0), operand(&sides.1));
                let symbol = match op {
                    DurationOp::Add => "+",
                    DurationOp::Sub => "-",
                    DurationOp::Mul => "*",
                    DurationOp::Div => "/",
                    DurationOp::Mod => "%",
                    DurationOp::Pow => "^",
                    DurationOp::Min => return write!(f, "min_of({left}, {right})"),
                    DurationOp::Max => return write!(f, "max_of({left}, {right})"),
                };
                write!(f, "{left} {symbol} {right}")
            }
        }
    }
}

/// A factor stays a number: `5m * 2`.
fn operand(expr: &DurationExpr) -> String {
    match expr {
        DurationExpr::Number(number) => plain_number(*number),
        other => other.to_string(),
    }
}

/// A span of time as Prometheus writes it: years and weeks only where nothing is left over.
pub(crate) fn duration_text(ms: i64) -> String {
    const UNITS: [(&str, u64, bool); 7] = [
        ("y", 365 * 86_400_000, true),
        ("w", 7 * 86_400_000, true),
        ("d", 86_400_000, false),
        ("h", 3_600_000, false),
        ("m", 60_000, false),
        ("s", 1_000, false),
        ("ms", 1, false),
    ];
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut out = if ms < 0 { "-".to_owned() } else { String::new() };
    let mut rest = ms.unsigned_abs();
    for (unit, unit_ms, exact) in UNITS {
        if exact && !rest.is_multiple_of(unit_ms) {
            continue;
        }
        let count = rest / unit_ms;
        if count > 0 {
            out.push_str(&format!("{count}{unit}"));
            rest -= count * unit_ms;
        }
    }
    out
}
