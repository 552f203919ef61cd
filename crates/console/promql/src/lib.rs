//! PromQL: text to tree, tree to answer, over any storage that can give series.
//!
//! Semantics and texts of errors, warnings and infos are those of Prometheus 3.5, whose test scripts are the
//! judge. No HTTP, no JSON, no store and no clock belong here: the caller gives times, a [`Storage`] and a
//! [`Stop`], and gets an [`Answer`] or an [`Error`].

mod ast;
mod engine;
mod error;
mod eval;
mod features;
mod function;
mod matcher;
mod parser;
mod pattern;
mod print;
mod storage;
mod value;

pub use ast::{
    Aggregate, AggregateOp, At, Binary, BinaryOp, Call, Cardinality, DurationExpr, DurationOp, Expr, Matching, Node,
    Selector, Span, Subquery, ValueType,
};
pub use engine::{Engine, Limits};
pub use error::Error;
pub use features::Features;
pub use function::{Function, functions};
pub use matcher::{MatchOp, Matcher};
pub use parser::{parse, parse_with};
pub use print::format;
pub use storage::{Hints, Points, Selection, Series, Stop, Storage, StorageError};
pub use value::{Answer, MatrixSeries, Point, Value, VectorSample};
