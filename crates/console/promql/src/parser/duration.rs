//! Spans of time as arithmetic: `5m`, `300`, `5m * 2`, `max(step(), 1m)`.

use super::Parser;
use super::lexer::{Fault, Kind, fault};
use crate::ast::{DurationExpr, DurationOp, Span};

impl Parser<'_> {
    /// One that ends at a bracket, a colon or a comma.
    pub(super) fn duration(&mut self, binding: u8, context: &str) -> Result<DurationExpr, Fault> {
        self.deeper(|parser| {
            let mut left = parser.duration_power(context)?;
            loop {
                let Kind::Mark(mark) = parser.peek().kind else {
                    return Ok(left);
                };
                let (op, strength) = match mark {
                    "+" => (DurationOp::Add, 1),
                    "-" => (DurationOp::Sub, 1),
                    "*" => (DurationOp::Mul, 2),
                    "/" => (DurationOp::Div, 2),
                    "%" => (DurationOp::Mod, 2),
                    "^" => (DurationOp::Pow, 3),
                    _ => return Ok(left),
                };
                if strength < binding {
                    return Ok(left);
                }
                let span = parser.next().span;
                parser.need_duration_expressions(span)?;
                let right = parser.duration(strength + u8::from(op != DurationOp::Pow), context)?;
                left = DurationExpr::Operation(op, Box::new((left, right)));
                if depth(&left) > parser.depth_max {
                    return parser.too_deep(span);
                }
            }
        })
    }

    /// One with its sign, which a power binds more strongly than.
    fn duration_power(&mut self, context: &str) -> Result<DurationExpr, Fault> {
        let powers = |parser: &Self| {
            let mut ahead = 0;
            while matches!(parser.peek_at(ahead).kind, Kind::Mark("+" | "-")) {
                ahead += 1;
            }
            ahead > 0 && matches!(parser.peek_at(ahead + 1).kind, Kind::Mark("^"))
        };
        if !powers(self) {
            return self.duration_factor(context);
        }
        let negative = self.next().kind == Kind::Mark("-");
        let inner = self.duration(3, context)?;
        Ok(if negative { DurationExpr::Negative(Box::new(inner)) } else { inner })
    }

    /// One without operators but for its sign, as `offset` takes it.
    pub(super) fn duration_factor(&mut self, context: &str) -> Result<DurationExpr, Fault> {
        self.deeper(|parser| parser.duration_factor_inner(context))
    }

    fn duration_factor_inner(&mut self, context: &str) -> Result<DurationExpr, Fault> {
        let token = self.peek().clone();
        let span = token.span;
        match &token.kind {
            Kind::Mark(sign @ ("+" | "-")) => {
                self.at += 1;
                let inner = self.duration_factor(context)?;
                Ok(match inner {
                    inner if *sign == "+" => inner,
                    DurationExpr::Literal(ms) => DurationExpr::Literal(-ms),
                    DurationExpr::Number(number) => DurationExpr::Number(-number),
                    inner => DurationExpr::Negative(Box::new(inner)),
                })
            }
            Kind::Number(number) => {
                self.at += 1;
                if !number.is_finite() || number.abs() > i64::MAX as f64 / 1e9 {
                    return fault(span, "duration out of range");
                }
                Ok(DurationExpr::Number(*number))
            }
            Kind::Duration(ms) => {
                self.at += 1;
                Ok(DurationExpr::Literal(*ms))
            }
            Kind::Mark("(") => {
                self.need_duration_expressions(span)?;
                self.at += 1;
                let inner = self.duration(0, context)?;
                self.expect_mark(")", context)?;
                Ok(DurationExpr::Paren(Box::new(inner)))
            }
            Kind::Word => self.duration_word(context),
            _ => self.unexpected(context, "number or duration"),
        }
    }

    fn duration_word(&mut self, context: &str) -> Result<DurationExpr, Fault> {
        let token = self.peek().clone();
        let word = self.raw(&token).to_ascii_lowercase();
        if !matches!(word.as_str(), "step" | "range" | "min" | "max" | "min_of" | "max_of") {
            return self.unexpected(context, "number or duration");
        }
        self.need_duration_expressions(token.span)?;
        self.at += 1;
        self.expect_mark("(", context)?;
        let expr = match word.as_str() {
            "step" => DurationExpr::Step,
            "range" => DurationExpr::Range,
            _ => {
                let left = self.duration(0, context)?;
                self.expect_mark(",", context)?;
                let right = self.duration(0, context)?;
                let op = if word.starts_with("min") { DurationOp::Min } else { DurationOp::Max };
                DurationExpr::Operation(op, Box::new((left, right)))
            }
        };
        self.expect_mark(")", context)?;
        Ok(expr)
    }

    fn need_duration_expressions(&self, span: Span) -> Result<(), Fault> {
        if self.features.duration_expressions {
            return Ok(());
        }
        fault(span, "experimental duration expression is not enabled")
    }
}

fn depth(expr: &DurationExpr) -> usize {
    match expr {
        DurationExpr::Negative(inner) | DurationExpr::Paren(inner) => 1 + depth(inner),
        DurationExpr::Operation(_, sides) => 1 + depth(&sides.0).max(depth(&sides.1)),
        _ => 1,
    }
}
