//! The part of a tree that makes numbers of lines.

use console_model::Text;

use super::LogExpr;

/// Numbers by series.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricExpr {
    /// `rate({a="b"}[5m])`
    Range(Box<RangeAggregation>),
    /// `sum by (a) (…)`
    Vector(Box<VectorAggregation>),
    /// `… / …`
    Binary(Box<Binary>),
    /// `5`
    Literal(f64),
    /// `vector(5)`
    VectorOf(f64),
    /// `label_replace(…)`
    LabelReplace(Box<LabelReplace>),
}

/// What becomes of the lines of a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is LogQL's function of that name")]
pub enum RangeOp {
    Rate,
    RateCounter,
    CountOverTime,
    BytesRate,
    BytesOverTime,
    AbsentOverTime,
    SumOverTime,
    AvgOverTime,
    MaxOverTime,
    MinOverTime,
    FirstOverTime,
    LastOverTime,
    StdvarOverTime,
    StddevOverTime,
    QuantileOverTime,
}

impl RangeOp {
    /// Every one.
    pub const ALL: [Self; 15] = [
        Self::Rate,
        Self::RateCounter,
        Self::CountOverTime,
        Self::BytesRate,
        Self::BytesOverTime,
        Self::AbsentOverTime,
        Self::SumOverTime,
        Self::AvgOverTime,
        Self::MaxOverTime,
        Self::MinOverTime,
        Self::FirstOverTime,
        Self::LastOverTime,
        Self::StdvarOverTime,
        Self::StddevOverTime,
        Self::QuantileOverTime,
    ];

    /// How it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::RateCounter => "rate_counter",
            Self::CountOverTime => "count_over_time",
            Self::BytesRate => "bytes_rate",
            Self::BytesOverTime => "bytes_over_time",
            Self::AbsentOverTime => "absent_over_time",
            Self::SumOverTime => "sum_over_time",
            Self::AvgOverTime => "avg_over_time",
            Self::MaxOverTime => "max_over_time",
            Self::MinOverTime => "min_over_time",
            Self::FirstOverTime => "first_over_time",
            Self::LastOverTime => "last_over_time",
            Self::StdvarOverTime => "stdvar_over_time",
            Self::StddevOverTime => "stddev_over_time",
            Self::QuantileOverTime => "quantile_over_time",
        }
    }

    /// Whether it works on lines without a number.
    pub const fn takes_lines(self) -> bool {
        matches!(self, Self::Rate | Self::CountOverTime | Self::BytesRate | Self::BytesOverTime | Self::AbsentOverTime)
    }

    /// Whether it works on numbers of lines.
    pub const fn takes_unwrap(self) -> bool {
        !matches!(self, Self::CountOverTime | Self::BytesRate | Self::BytesOverTime)
    }

    /// Whether it may be grouped.
    pub const fn takes_grouping(self) -> bool {
        matches!(
            self,
            Self::AvgOverTime
                | Self::MaxOverTime
                | Self::MinOverTime
                | Self::FirstOverTime
                | Self::LastOverTime
                | Self::StdvarOverTime
                | Self::StddevOverTime
                | Self::QuantileOverTime
        )
    }
}

/// Which labels a group has in common.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grouping {
    /// Whether the labels named are those that are left out.
    pub without: bool,
    /// The labels.
    pub labels: Vec<Text>,
}

/// Lines of a while, aggregated by series.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeAggregation {
    /// How.
    pub op: RangeOp,
    /// Which quantile.
    pub parameter: Option<f64>,
    /// Which lines; an unwrap is among the stages.
    pub log: LogExpr,
    /// How long a while, nanoseconds.
    pub range_ns: i64,
    /// How long before, nanoseconds.
    pub offset_ns: i64,
    /// By what series are told apart.
    pub grouping: Option<Grouping>,
}

/// How series are made one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is LogQL's operator of that name")]
pub enum VectorOp {
    Sum,
    Avg,
    Min,
    Max,
    Stddev,
    Stdvar,
    Count,
    Bottomk,
    Topk,
    ApproxTopk,
    Sort,
    SortDesc,
}

impl VectorOp {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::Sum,
        Self::Avg,
        Self::Min,
        Self::Max,
        Self::Stddev,
        Self::Stdvar,
        Self::Count,
        Self::Bottomk,
        Self::Topk,
        Self::ApproxTopk,
        Self::Sort,
        Self::SortDesc,
    ];

    /// How it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Stddev => "stddev",
            Self::Stdvar => "stdvar",
            Self::Count => "count",
            Self::Bottomk => "bottomk",
            Self::Topk => "topk",
            Self::ApproxTopk => "approx_topk",
            Self::Sort => "sort",
            Self::SortDesc => "sort_desc",
        }
    }

    /// Whether it asks how many.
    pub const fn takes_parameter(self) -> bool {
        matches!(self, Self::Bottomk | Self::Topk | Self::ApproxTopk)
    }
}

/// Series, aggregated by group.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorAggregation {
    /// How.
    pub op: VectorOp,
    /// How many, for those that ask.
    pub parameter: Option<u64>,
    /// By what.
    pub grouping: Option<Grouping>,
    /// What.
    pub inner: MetricExpr,
}

/// An operator between two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the operator of that name")]
pub enum BinaryOp {
    Or,
    And,
    Unless,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
}

impl BinaryOp {
    /// How it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Unless => "unless",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Power => "^",
        }
    }

    /// How strongly it binds.
    pub const fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And | Self::Unless => 2,
            Self::Equal | Self::NotEqual | Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual => 3,
            Self::Add | Self::Subtract => 4,
            Self::Multiply | Self::Divide | Self::Modulo => 5,
            Self::Power => 6,
        }
    }

    /// Whether it works on sets of series.
    pub const fn is_set(self) -> bool {
        matches!(self, Self::Or | Self::And | Self::Unless)
    }

    /// Whether it compares.
    pub const fn is_comparison(self) -> bool {
        self.precedence() == 3
    }
}

/// Which side may have several series for one of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cardinality {
    /// None.
    #[default]
    OneToOne,
    /// The left: `group_left`.
    ManyToOne,
    /// The right: `group_right`.
    OneToMany,
}

/// Which series of both sides belong together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matching {
    /// Whether the labels are those that have to be the same, or those that need not.
    pub on: bool,
    /// The labels.
    pub labels: Vec<Text>,
    /// Whether the keyword was there at all.
    pub is_told: bool,
    /// How many belong together.
    pub cardinality: Cardinality,
    /// Labels taken over from the side that has one.
    pub include: Vec<Text>,
}

/// Two sides with an operator.
#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// Whether a comparison gives 0 or 1 instead of leaving out.
    pub returns_bool: bool,
    /// What belongs together.
    pub matching: Matching,
    /// The left side.
    pub left: MetricExpr,
    /// The right side.
    pub right: MetricExpr,
}

/// `label_replace(inner, "destination", "replacement", "source", "pattern")`
#[derive(Debug, Clone, PartialEq)]
pub struct LabelReplace {
    /// What.
    pub inner: MetricExpr,
    /// The label that is set.
    pub destination: Text,
    /// To what.
    pub replacement: Text,
    /// The label that is looked at.
    pub source: Text,
    /// With what regular expression.
    pub pattern: Text,
}
