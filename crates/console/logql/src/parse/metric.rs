//! Metric queries: aggregations, operators, functions.

use console_model::Text;

use super::Parser;
use crate::ast::{
    Binary, BinaryOp, Cardinality, Grouping, LabelReplace, LogExpr, Matching, MetricExpr, RangeAggregation, RangeOp,
    Stage, VectorAggregation, VectorOp,
};
use crate::error::ParseError;
use crate::lex::{Kind, error_at};
use crate::metric::literal;
use crate::regexp;

/// A while and how long before.
type Window = Option<(i64, i64)>;

impl Parser<'_> {
    /// Operators that bind at least as strongly as `least`.
    pub(super) fn metric(&mut self, least: u8) -> Result<MetricExpr, ParseError> {
        self.deeper()?;
        let mut left = self.metric_operand()?;
        while let Some(op) = self.operator().filter(|op| op.precedence() >= least) {
            self.at += 1;
            self.chained()?;
            let returns_bool = self.take_word("bool");
            if returns_bool && !op.is_comparison() {
                return Err(self.error("bool modifier can only be used on comparison operators"));
            }
            let matching = self.matching(op)?;
            // Powers are taken from the right: 2^3^2 is 2^9.
            let next = if op == BinaryOp::Power { op.precedence() } else { op.precedence() + 1 };
            let right = self.metric(next)?;
            left = self.binary(Binary { op, returns_bool, matching, left, right })?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operator(&self) -> Option<BinaryOp> {
        let token = self.peek();
        Some(match (&token.kind, token.text) {
            (Kind::Identifier, "or") => BinaryOp::Or,
            (Kind::Identifier, "and") => BinaryOp::And,
            (Kind::Identifier, "unless") => BinaryOp::Unless,
            (Kind::Symbol, symbol) => match symbol {
                "==" => BinaryOp::Equal,
                "!=" => BinaryOp::NotEqual,
                ">" => BinaryOp::Greater,
                ">=" => BinaryOp::GreaterOrEqual,
                "<" => BinaryOp::Less,
                "<=" => BinaryOp::LessOrEqual,
                "+" => BinaryOp::Add,
                "-" => BinaryOp::Subtract,
                "*" => BinaryOp::Multiply,
                "/" => BinaryOp::Divide,
                "%" => BinaryOp::Modulo,
                "^" => BinaryOp::Power,
                _ => return None,
            },
            _ => return None,
        })
    }

    fn matching(&mut self, op: BinaryOp) -> Result<Matching, ParseError> {
        let mut matching = Matching { on: self.is_word("on"), ..Matching::default() };
        if matching.on || self.is_word("ignoring") {
            self.at += 1;
            matching.is_told = true;
            matching.labels = self.labels()?;
        }
        matching.cardinality = match self.peek().text {
            "group_left" => Cardinality::ManyToOne,
            "group_right" => Cardinality::OneToMany,
            _ => return Ok(matching),
        };
        if op.is_set() {
            return Err(self.error(format!("no grouping allowed for {:?} operation", op.symbol())));
        }
        self.at += 1;
        if self.is_symbol("(") {
            // What follows may be the labels or the right side.
            let is_list = matches!(self.peek_at(1).kind, Kind::Identifier) && matches!(self.peek_at(2).text, "," | ")");
            if is_list || self.peek_at(1).text == ")" {
                matching.include = self.labels()?;
            }
        }
        if let Some(twice) = matching.include.iter().find(|label| matching.on && matching.labels.contains(label)) {
            return Err(self.error(format!("label {twice:?} must not occur in ON and GROUP clause at once")));
        }
        Ok(matching)
    }

    fn binary(&self, binary: Binary) -> Result<MetricExpr, ParseError> {
        if binary.op.is_set() {
            for (side, leg) in [(&binary.left, "left"), (&binary.right, "right")] {
                if let MetricExpr::Literal(number) = side {
                    let symbol = binary.op.symbol();
                    let told = format!(
                        "unexpected literal for {leg} leg of logical/set binary operation ({symbol}): {number}"
                    );
                    return Err(self.error(told));
                }
            }
        }
        if let (MetricExpr::Literal(left), MetricExpr::Literal(right)) = (&binary.left, &binary.right) {
            return Ok(MetricExpr::Literal(literal(binary.op, *left, *right)));
        }
        Ok(MetricExpr::Binary(Box::new(binary)))
    }

    fn metric_operand(&mut self) -> Result<MetricExpr, ParseError> {
        let token = self.peek().clone();
        match token.kind {
            Kind::Number(_) => self.number().map(MetricExpr::Literal),
            Kind::Symbol if matches!(token.text, "-" | "+") => self.number().map(MetricExpr::Literal),
            Kind::Symbol if token.text == "(" => {
                self.at += 1;
                let inner = self.metric(0)?;
                self.expect(")")?;
                Ok(inner)
            }
            Kind::Identifier => {
                if let Some(op) = RangeOp::ALL.into_iter().find(|op| op.name() == token.text) {
                    return self.range_aggregation(op);
                }
                if let Some(op) = VectorOp::ALL.into_iter().find(|op| op.name() == token.text) {
                    return self.vector_aggregation(op);
                }
                match token.text {
                    "vector" => {
                        self.at += 1;
                        self.expect("(")?;
                        let number = self.number()?;
                        self.expect(")")?;
                        Ok(MetricExpr::VectorOf(number))
                    }
                    "label_replace" => self.label_replace(),
                    _ => Err(self.unexpected(&[])),
                }
            }
            _ => Err(self.unexpected(&[])),
        }
    }

    fn label_replace(&mut self) -> Result<MetricExpr, ParseError> {
        self.at += 1;
        self.expect("(")?;
        let inner = self.metric(0)?;
        let mut texts: [Text; 4] = Default::default();
        let mut last = 0;
        for text in &mut texts {
            self.expect(",")?;
            last = self.peek().at;
            *text = self.string()?;
        }
        self.expect(")")?;
        let [destination, replacement, source, pattern] = texts;
        self.pattern(last, || regexp::whole(&pattern))?;
        Ok(MetricExpr::LabelReplace(Box::new(LabelReplace { inner, destination, replacement, source, pattern })))
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, ParseError> {
        let without = self.is_word("without");
        if !without && !self.is_word("by") {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(Grouping { without, labels: self.labels()? }))
    }

    fn vector_aggregation(&mut self, op: VectorOp) -> Result<MetricExpr, ParseError> {
        self.at += 1;
        let mut grouping = self.grouping()?;
        self.expect("(")?;
        let is_parameter = matches!(self.peek().kind, Kind::Number(_)) && self.peek_at(1).text == ","
            || self.is_symbol("-") && self.peek_at(2).text == ",";
        let parameter = if is_parameter {
            let number = self.number()?;
            self.expect(",")?;
            Some(number)
        } else {
            None
        };
        let inner = self.metric(0)?;
        self.expect(")")?;
        if grouping.is_none() {
            grouping = self.grouping()?;
        }
        let name = op.name();
        let parameter = match (parameter, op.takes_parameter()) {
            (None, false) => None,
            (None, true) => return Err(ParseError::whole(format!("parameter required for operation {name}"))),
            (Some(number), false) => {
                return Err(ParseError::whole(format!("unsupported parameter for operation {name}({number},")));
            }
            (Some(number), true) if number >= 1.0 && number.fract() == 0.0 => Some(number as u64),
            (Some(number), true) => {
                let told = format!("invalid parameter (must be greater than 0) {name}({number},");
                return Err(ParseError::whole(told));
            }
        };
        if grouping.is_some() && matches!(op, VectorOp::Sort | VectorOp::SortDesc | VectorOp::ApproxTopk) {
            return Err(ParseError::whole(format!("grouping not allowed for {name} aggregation")));
        }
        Ok(MetricExpr::Vector(Box::new(VectorAggregation { op, parameter, grouping, inner })))
    }

    fn range_aggregation(&mut self, op: RangeOp) -> Result<MetricExpr, ParseError> {
        self.at += 1;
        self.expect("(")?;
        let is_parameter = matches!(self.peek().kind, Kind::Number(_)) || self.is_symbol("-");
        let parameter = if is_parameter {
            let number = self.number()?;
            self.expect(",")?;
            Some(number)
        } else {
            None
        };
        let (log, window) = self.log_range()?;
        let Some((range_ns, offset_ns)) = window else {
            return Err(self.unexpected(&[]));
        };
        self.expect(")")?;
        let grouping = self.grouping()?;
        let name = op.name();
        match (parameter, op == RangeOp::QuantileOverTime) {
            (None, true) => return Err(ParseError::whole(format!("parameter required for operation {name}"))),
            (Some(number), false) => {
                return Err(ParseError::whole(format!("parameter {number} not supported for operation {name}")));
            }
            _ => {}
        }
        let is_unwrapped = log.stages.iter().any(|stage| matches!(stage, Stage::Unwrap(_)));
        if is_unwrapped && !op.takes_unwrap() {
            return Err(ParseError::whole(format!("invalid aggregation {name} with unwrap")));
        }
        if !is_unwrapped && !op.takes_lines() {
            return Err(ParseError::whole(format!("invalid aggregation {name} without unwrap")));
        }
        if grouping.is_some() && !op.takes_grouping() {
            return Err(ParseError::whole(format!("grouping not allowed for {name} aggregation")));
        }
        let range = RangeAggregation { op, parameter, log, range_ns, offset_ns, grouping };
        Ok(MetricExpr::Range(Box::new(range)))
    }

    /// Lines with the while they are of, which stands behind the selector or behind the pipeline.
    fn log_range(&mut self) -> Result<(LogExpr, Window), ParseError> {
        let (mut log, mut window) = if self.is_symbol("(") {
            self.deeper()?;
            self.at += 1;
            let inner = self.log_range()?;
            self.expect(")")?;
            self.depth -= 1;
            inner
        } else {
            (LogExpr { matchers: self.selector()?, stages: Vec::new() }, None)
        };
        self.window(&mut window)?;
        log.stages.extend(self.pipeline(true)?);
        self.window(&mut window)?;
        Ok((log, window))
    }

    fn window(&mut self, window: &mut Window) -> Result<(), ParseError> {
        if window.is_some() || !self.is_symbol("[") {
            return Ok(());
        }
        self.at += 1;
        let before = self.peek().at;
        let range_ns = self.duration()?;
        if range_ns <= 0 {
            return Err(error_at(self.text, before, "a range is longer than nothing, as in [5m]"));
        }
        self.expect("]")?;
        let offset_ns = if self.take_word("offset") { self.duration()? } else { 0 };
        *window = Some((range_ns, offset_ns));
        Ok(())
    }
}
