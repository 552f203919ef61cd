//! A query that was read, as a tree. How it is written back is in `display`, how it is evaluated is not known
//! here.

mod display;
mod metric;
mod pretty;

use console_model::Text;

pub use metric::{
    Binary, BinaryOp, Cardinality, Grouping, LabelReplace, Matching, MetricExpr, RangeAggregation, RangeOp,
    VectorAggregation, VectorOp,
};
pub use pretty::pretty;

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// Lines.
    Log(LogExpr),
    /// Numbers made of lines.
    Metric(MetricExpr),
}

/// Streams, and what is done with each of their lines.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogExpr {
    /// Which streams.
    pub matchers: Vec<Matcher>,
    /// What is done with their lines, in order.
    pub stages: Vec<Stage>,
}

/// How a label or a line is compared with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Matches,
    /// `!~`
    MatchesNot,
}

/// A test of one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    /// The label.
    pub name: Text,
    /// How.
    pub op: MatchOp,
    /// The text or the regular expression.
    pub value: Text,
}

/// What is done with a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// `|= "a" or "b"`
    LineFilter(LineFilter),
    /// `| json` with what is taken out; nothing for all.
    Json(Vec<Extraction>),
    /// `| logfmt`
    Logfmt {
        /// `--strict`
        strict: bool,
        /// `--keep-empty`
        keep_empty: bool,
        /// What is taken out; nothing for all.
        extractions: Vec<Extraction>,
    },
    /// `| pattern "<ip> <_>"`
    Pattern(Text),
    /// `| regexp "(?P<ip>\\S+)"`
    Regexp(Text),
    /// `| unpack`
    Unpack,
    /// `| decolorize`
    Decolorize,
    /// `| line_format "{{ .a }}"`
    LineFormat(Text),
    /// `| label_format a=b, c="{{ .d }}"`
    LabelFormat(Vec<(Text, LabelFormat)>),
    /// `| drop a, b="c"`
    Drop(Vec<NameOrMatcher>),
    /// `| keep a, b="c"`
    Keep(Vec<NameOrMatcher>),
    /// `| a > 5 and b = "c"`
    LabelFilter(LabelFilter),
    /// `| unwrap bytes(a)`, in metric queries.
    Unwrap(Unwrap),
}

/// Which operator a line filter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineOp {
    /// `|=`
    Contains,
    /// `!=`
    ContainsNot,
    /// `|~`
    Matches,
    /// `!~`
    MatchesNot,
    /// `|>`
    Pattern,
    /// `!>`
    PatternNot,
}

/// A line filter: one of the alternatives has to fit, or with a negative operator none may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFilter {
    /// How.
    pub op: LineOp,
    /// With what.
    pub alternatives: Vec<LineTest>,
}

/// What a line is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineTest {
    /// A text, a regular expression, or a pattern.
    Text(Text),
    /// `ip("10.0.0.0/8")`
    Ip(Text),
}

/// What a parser takes out of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extraction {
    /// The label that gets it.
    pub label: Text,
    /// Where it stands.
    pub expression: Text,
}

/// Where a label gets its new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelFormat {
    /// From another label, which is gone then.
    Rename(Text),
    /// From a template.
    Template(Text),
}

/// A label, or a label with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameOrMatcher {
    /// Whatever its value.
    Name(Text),
    /// Only with such a value.
    Matcher(Matcher),
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `==`, or `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

/// A test of labels.
#[derive(Debug, Clone, PartialEq)]
pub enum LabelFilter {
    /// Of text.
    Matcher(Matcher),
    /// Of a number.
    Number(Text, CompareOp, f64),
    /// Of a duration, nanoseconds.
    Duration(Text, CompareOp, i64),
    /// Of an amount of bytes.
    Bytes(Text, CompareOp, u64),
    /// Of an address; whether it is to fit.
    Ip(Text, bool, Text),
    /// Both.
    And(Box<LabelFilter>, Box<LabelFilter>),
    /// One of both.
    Or(Box<LabelFilter>, Box<LabelFilter>),
}

/// How a label becomes a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// It is one.
    None,
    /// A duration, in seconds.
    Duration,
    /// The same by its longer name.
    DurationSeconds,
    /// An amount of bytes.
    Bytes,
}

/// Which label is the number of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwrap {
    /// The label.
    pub label: Text,
    /// How it is read.
    pub conversion: Conversion,
}
