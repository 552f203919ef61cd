//! The tree of a query. How a text becomes one is the parser's business, what it means the evaluator's.

use crate::{Function, Matcher};

/// Where in the text something stands: bytes from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// Line and column as Prometheus counts them: from 1, in bytes.
    pub fn line_and_column(self, text: &str) -> (usize, usize) {
        let before = text.as_bytes().get(..self.start).unwrap_or(text.as_bytes());
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        (line, column)
    }
}

/// What kind of value an expression has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// A number.
    Scalar,
    /// Series at a time.
    Vector,
    /// Series over a range of time.
    Matrix,
    /// A text.
    String,
}

impl ValueType {
    /// As Prometheus' messages call it.
    pub const fn described(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
            Self::String => "string",
        }
    }

    /// As Prometheus' API calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "vector",
            Self::Matrix => "matrix",
            Self::String => "string",
        }
    }
}

/// An expression and where it stands.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub node: Node,
    /// Where it stands.
    pub span: Span,
    /// How many expressions are on the longest way down, this one included.
    pub(crate) height: usize,
}

/// What an expression is.
#[derive(Debug, Clone)]
pub enum Node {
    /// `1.5`
    Number(f64),
    /// `5m`: a number too, of seconds.
    Duration(f64),
    /// `"text"`
    String(String),
    /// `name{label="value"}`, with a range: `name[5m]`.
    Selector(Box<Selector>),
    /// `expr[1h:5m]`
    Subquery(Box<Subquery>),
    /// `-expr`; a `+` leaves no trace but a node with `false`.
    Unary(bool, Box<Expr>),
    /// `a + b`
    Binary(Box<Binary>),
    /// `sum by (job) (expr)`
    Aggregate(Box<Aggregate>),
    /// `rate(expr)`
    Call(Call),
    /// `(expr)`
    Paren(Box<Expr>),
}

/// `name{label="value"}[5m] @ 100 offset 5m`
#[derive(Debug, Clone)]
pub struct Selector {
    /// The name before the braces; empty if none is there.
    pub name: String,
    /// All conditions, that on `__name__` included.
    pub matchers: Vec<Matcher>,
    /// The width, if it is a range.
    pub range: Option<DurationExpr>,
    /// `offset`
    pub offset: Option<DurationExpr>,
    /// `@`
    pub at: Option<At>,
    /// `anchored`
    pub anchored: bool,
    /// `smoothed`
    pub smoothed: bool,
}

/// `expr[1h:5m] @ 100 offset 5m`
#[derive(Debug, Clone)]
pub struct Subquery {
    /// What is evaluated at each step.
    pub expr: Expr,
    /// The width.
    pub range: DurationExpr,
    /// The distance of its steps, if it is given.
    pub step: Option<DurationExpr>,
    /// `offset`
    pub offset: Option<DurationExpr>,
    /// `@`
    pub at: Option<At>,
}

/// The time that `@` fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Milliseconds since the Unix epoch.
    Time(i64),
    /// `start()`
    Start,
    /// `end()`
    End,
}

/// A span of time, in seconds once it is evaluated.
#[derive(Debug, Clone, PartialEq)]
pub enum DurationExpr {
    /// Milliseconds.
    Literal(i64),
    /// A number among others: `2` of `5m * 2`.
    Number(f64),
    /// `step()`
    Step,
    /// `range()`
    Range,
    /// `-expr`
    Negative(Box<DurationExpr>),
    /// `(expr)`
    Paren(Box<DurationExpr>),
    /// `a + b`, `max(a, b)`
    Operation(DurationOp, Box<(DurationExpr, DurationExpr)>),
}

/// What is done with two spans of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DurationOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `min(a, b)`
    Min,
    /// `max(a, b)`
    Max,
}

/// The operators of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `atan2`
    Atan2,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `</`: cuts a histogram above a value.
    TrimUpper,
    /// `>/`: cuts a histogram below a value.
    TrimLower,
    /// `and`
    And,
    /// `or`
    Or,
    /// `unless`
    Unless,
}

impl BinaryOp {
    /// As it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::Atan2 => "atan2",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::TrimUpper => "</",
            Self::TrimLower => ">/",
            Self::And => "and",
            Self::Or => "or",
            Self::Unless => "unless",
        }
    }

    /// How strongly it binds.
    pub(crate) const fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And | Self::Unless => 2,
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::TrimUpper
            | Self::TrimLower => 3,
            Self::Add | Self::Sub => 4,
            Self::Mul | Self::Div | Self::Mod | Self::Atan2 => 5,
            Self::Pow => 6,
        }
    }

    /// Whether it compares.
    pub const fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal | Self::NotEqual | Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual
        )
    }

    /// Whether it works on sets of series.
    pub const fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }
}

/// `left + on (job) group_left (version) right`
#[derive(Debug, Clone)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// Where the operator stands.
    pub op_span: Span,
    /// `bool`: a comparison gives 0 and 1.
    pub returns_bool: bool,
    /// How series of two vectors find each other; `None` unless both sides are vectors.
    pub matching: Option<Matching>,
    /// The left operand.
    pub left: Expr,
    /// The right operand.
    pub right: Expr,
}

/// How many series of each side may share a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// Each one finds one.
    OneToOne,
    /// `group_left`
    ManyToOne,
    /// `group_right`
    OneToMany,
    /// Set operators.
    ManyToMany,
}

/// How series of two vectors find each other.
#[derive(Debug, Clone)]
pub struct Matching {
    /// How many may share a signature.
    pub cardinality: Cardinality,
    /// Whether `labels` are those that count (`on`) or those that do not (`ignoring`).
    pub on: bool,
    /// The labels of `on` or `ignoring`.
    pub labels: Vec<String>,
    /// The labels that `group_left` or `group_right` copies from the one side.
    pub include: Vec<String>,
    /// What stands for a sample that is missing on the left, and on the right.
    pub fill: (Option<f64>, Option<f64>),
}

/// The aggregations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AggregateOp {
    /// `sum`
    Sum,
    /// `avg`
    Avg,
    /// `count`
    Count,
    /// `min`
    Min,
    /// `max`
    Max,
    /// `group`
    Group,
    /// `stddev`
    Stddev,
    /// `stdvar`
    Stdvar,
    /// `topk`
    TopK,
    /// `bottomk`
    BottomK,
    /// `count_values`
    CountValues,
    /// `quantile`
    Quantile,
    /// `limitk`
    LimitK,
    /// `limit_ratio`
    LimitRatio,
}

impl AggregateOp {
    /// All of them.
    pub(crate) const ALL: [Self; 14] = [
        Self::Sum,
        Self::Avg,
        Self::Count,
        Self::Min,
        Self::Max,
        Self::Group,
        Self::Stddev,
        Self::Stdvar,
        Self::TopK,
        Self::BottomK,
        Self::CountValues,
        Self::Quantile,
        Self::LimitK,
        Self::LimitRatio,
    ];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Count => "count",
            Self::Min => "min",
            Self::Max => "max",
            Self::Group => "group",
            Self::Stddev => "stddev",
            Self::Stdvar => "stdvar",
            Self::TopK => "topk",
            Self::BottomK => "bottomk",
            Self::CountValues => "count_values",
            Self::Quantile => "quantile",
            Self::LimitK => "limitk",
            Self::LimitRatio => "limit_ratio",
        }
    }

    /// Whether it takes a parameter before its vector.
    pub const fn has_parameter(self) -> bool {
        matches!(
            self,
            Self::TopK | Self::BottomK | Self::CountValues | Self::Quantile | Self::LimitK | Self::LimitRatio
        )
    }

    /// Whether Prometheus has it behind a flag.
    pub const fn is_experimental(self) -> bool {
        matches!(self, Self::LimitK | Self::LimitRatio)
    }
}

/// `topk by (job) (5, expr)`
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// Which.
    pub op: AggregateOp,
    /// The parameter, if it takes one.
    pub parameter: Option<Expr>,
    /// The vector.
    pub expr: Expr,
    /// Whether `labels` are those to drop.
    pub without: bool,
    /// The labels of `by` or `without`.
    pub labels: Vec<String>,
}

/// `rate(expr)`
#[derive(Debug, Clone)]
pub struct Call {
    /// Which.
    pub function: &'static Function,
    /// Its arguments.
    pub arguments: Vec<Expr>,
}

impl Expr {
    /// What kind of value it has.
    pub fn value_type(&self) -> ValueType {
        match &self.node {
            Node::Number(_) | Node::Duration(_) => ValueType::Scalar,
            Node::String(_) => ValueType::String,
            Node::Selector(selector) if selector.range.is_some() => ValueType::Matrix,
            Node::Subquery(_) => ValueType::Matrix,
            Node::Selector(_) | Node::Aggregate(_) => ValueType::Vector,
            Node::Unary(_, inner) | Node::Paren(inner) => inner.value_type(),
            Node::Binary(binary) => match (binary.left.value_type(), binary.right.value_type()) {
                (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
                _ => ValueType::Vector,
            },
            Node::Call(call) => call.function.returns,
        }
    }

    /// The conditions of every selector in it, in order of the text.
    pub fn selectors(&self) -> Vec<&[Matcher]> {
        let mut found = Vec::new();
        self.visit(&mut |expr| {
            if let Node::Selector(selector) = &expr.node {
                found.push(selector.matchers.as_slice());
            }
        });
        found
    }

    /// Calls with each expression, from the outside in, from left to right.
    pub fn visit<'e>(&'e self, seen: &mut impl FnMut(&'e Expr)) {
        seen(self);
        self.children().into_iter().for_each(|child| child.visit(seen));
    }

    /// What it is made of, from left to right.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.node {
            Node::Number(_) | Node::Duration(_) | Node::String(_) | Node::Selector(_) => Vec::new(),
            Node::Subquery(subquery) => vec![&subquery.expr],
            Node::Unary(_, inner) | Node::Paren(inner) => vec![inner],
            Node::Binary(binary) => vec![&binary.left, &binary.right],
            Node::Aggregate(aggregate) => aggregate.parameter.iter().chain([&aggregate.expr]).collect(),
            Node::Call(call) => call.arguments.iter().collect(),
        }
    }

    /// Without the parentheses around it.
    pub fn unwrapped(&self) -> &Expr {
        let mut inner = self;
        while let Node::Paren(next) = &inner.node {
            inner = next;
        }
        inner
    }
}
