//! Queries as text, on one line, as Loki writes them. What was read comes back the same when it is read again.

use std::fmt::{self, Display, Formatter};

use console_template::go::quote;

use super::{
    Binary, BinaryOp, Cardinality, CompareOp, Conversion, Expr, Extraction, Grouping, LabelFilter, LabelFormat,
    LineFilter, LineOp, LineTest, LogExpr, MatchOp, Matcher, MetricExpr, NameOrMatcher, RangeAggregation, Stage,
    Unwrap, VectorAggregation,
};
use crate::value::{format_bytes, format_duration, format_number};

fn list<T: Display>(f: &mut Formatter<'_>, items: &[T], separator: &str) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(log) => log.fmt(f),
            Self::Metric(metric) => metric.fmt(f),
        }
    }
}

impl Display for MatchOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::MatchesNot => "!~",
        })
    }
}

impl Display for Matcher {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.name, self.op, quote(&self.value))
    }
}

impl Display for LogExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.selector().fmt(f)?;
        for stage in &self.stages {
            write!(f, " {stage}")?;
        }
        Ok(())
    }
}

/// The selector alone.
pub(crate) struct Selector<'a>(&'a [Matcher]);

impl LogExpr {
    pub(crate) fn selector(&self) -> Selector<'_> {
        Selector(&self.matchers)
    }
}

impl Display for Selector<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        list(f, self.0, ", ")?;
        f.write_str("}")
    }
}

impl Display for Extraction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.label, quote(&self.expression))
    }
}

impl Display for NameOrMatcher {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Matcher(matcher) => matcher.fmt(f),
        }
    }
}

impl LineOp {
    /// How it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Contains => "|=",
            Self::ContainsNot => "!=",
            Self::Matches => "|~",
            Self::MatchesNot => "!~",
            Self::Pattern => "|>",
            Self::PatternNot => "!>",
        }
    }
}

impl Display for LineTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quote(text)),
            Self::Ip(pattern) => write!(f, "ip({})", quote(pattern)),
        }
    }
}

impl Display for LineFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.op.symbol())?;
        list(f, &self.alternatives, " or ")
    }
}

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let space = |extractions: &[Extraction]| if extractions.is_empty() { "" } else { " " };
        match self {
            Self::LineFilter(filter) => filter.fmt(f),
            Self::Json(extractions) => {
                write!(f, "| json{}", space(extractions))?;
                list(f, extractions, ", ")
            }
            Self::Logfmt { strict, keep_empty, extractions } => {
                f.write_str("| logfmt")?;
                f.write_str(if *strict { " --strict" } else { "" })?;
                f.write_str(if *keep_empty { " --keep-empty" } else { "" })?;
                f.write_str(space(extractions))?;
                list(f, extractions, ", ")
            }
            Self::Pattern(pattern) => write!(f, "| pattern {}", quote(pattern)),
            Self::Regexp(pattern) => write!(f, "| regexp {}", quote(pattern)),
            Self::Unpack => f.write_str("| unpack"),
            Self::Decolorize => f.write_str("| decolorize"),
            Self::LineFormat(template) => write!(f, "| line_format {}", quote(template)),
            Self::LabelFormat(formats) => {
                f.write_str("| label_format ")?;
                for (at, (label, format)) in formats.iter().enumerate() {
                    f.write_str(if at > 0 { ", " } else { "" })?;
                    match format {
                        LabelFormat::Rename(source) => write!(f, "{label}={source}")?,
                        LabelFormat::Template(template) => write!(f, "{label}={}", quote(template))?,
                    }
                }
                Ok(())
            }
            Self::Drop(labels) => {
                f.write_str("| drop ")?;
                list(f, labels, ", ")
            }
            Self::Keep(labels) => {
                f.write_str("| keep ")?;
                list(f, labels, ", ")
            }
            Self::LabelFilter(filter) => write!(f, "| {filter}"),
            Self::Unwrap(unwrap) => unwrap.fmt(f),
        }
    }
}

impl Display for Unwrap {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let function = match self.conversion {
            Conversion::None => return write!(f, "| unwrap {}", self.label),
            Conversion::Duration => "duration",
            Conversion::DurationSeconds => "duration_seconds",
            Conversion::Bytes => "bytes",
        };
        write!(f, "| unwrap {function}({})", self.label)
    }
}

impl Display for CompareOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        })
    }
}

impl Display for LabelFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Matcher(matcher) => matcher.fmt(f),
            Self::Number(name, op, number) => write!(f, "{name} {op} {}", format_number(*number)),
            Self::Duration(name, op, duration) => write!(f, "{name} {op} {}", format_duration(*duration)),
            Self::Bytes(name, op, bytes) => write!(f, "{name} {op} {}", format_bytes(*bytes)),
            Self::Ip(name, fits, pattern) => {
                write!(f, "{name} {} ip({})", if *fits { "=" } else { "!=" }, quote(pattern))
            }
            Self::And(left, right) => write!(f, "( {left} and {right} )"),
            Self::Or(left, right) => write!(f, "( {left} or {right} )"),
        }
    }
}

impl Display for Grouping {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.without { "without (" } else { "by (" })?;
        list(f, &self.labels, ", ")?;
        f.write_str(")")
    }
}

impl Display for MetricExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(range) => range.fmt(f),
            Self::Vector(vector) => vector.fmt(f),
            Self::Binary(binary) => binary.fmt(f),
            Self::Literal(number) => f.write_str(&format_number(*number)),
            Self::VectorOf(number) => write!(f, "vector({})", format_number(*number)),
            Self::LabelReplace(replace) => {
                let [destination, replacement, source, pattern] =
                    [&replace.destination, &replace.replacement, &replace.source, &replace.pattern]
                        .map(|text| quote(text));
                write!(f, "label_replace({},{destination},{replacement},{source},{pattern})", replace.inner)
            }
        }
    }
}

impl RangeAggregation {
    /// `[5m] offset 1h`
    pub(crate) fn window(&self) -> String {
        let mut window = format!("[{}]", format_duration(self.range_ns));
        if self.offset_ns != 0 {
            window.push_str(" offset ");
            window.push_str(&format_duration(self.offset_ns));
        }
        window
    }
}

impl Display for RangeAggregation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.op.name())?;
        if let Some(parameter) = self.parameter {
            write!(f, "{},", format_number(parameter))?;
        }
        write!(f, "{}{})", self.log, self.window())?;
        match &self.grouping {
            Some(grouping) => write!(f, " {grouping}"),
            None => Ok(()),
        }
    }
}

impl Display for VectorAggregation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.op.name())?;
        if let Some(grouping) = &self.grouping {
            write!(f, " {grouping} ")?;
        }
        match self.parameter {
            Some(parameter) => write!(f, "({parameter},{})", self.inner),
            None => write!(f, "({})", self.inner),
        }
    }
}

impl Binary {
    /// The operator with all that belongs to it.
    pub(crate) fn operator(&self) -> String {
        let mut out = self.op.symbol().to_owned();
        if self.returns_bool {
            out.push_str(" bool");
        }
        let labels = |labels: &[console_model::Text]| labels.join(",");
        if self.matching.is_told {
            out.push_str(if self.matching.on { " on (" } else { " ignoring (" });
            out.push_str(&labels(&self.matching.labels));
            out.push(')');
        }
        let group = match self.matching.cardinality {
            Cardinality::OneToOne => return out,
            Cardinality::ManyToOne => " group_left (",
            Cardinality::OneToMany => " group_right (",
        };
        out.push_str(group);
        out.push_str(&labels(&self.matching.include));
        out.push(')');
        out
    }
}

impl Display for Binary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let side = |side: &MetricExpr, f: &mut Formatter<'_>| match side {
            MetricExpr::Binary(_) => write!(f, "({side})"),
            MetricExpr::Literal(number) if *number < 0.0 && self.op == BinaryOp::Power => write!(f, "({side})"),
            _ => write!(f, "{side}"),
        };
        side(&self.left, f)?;
        write!(f, " {} ", self.operator())?;
        side(&self.right, f)
    }
}
