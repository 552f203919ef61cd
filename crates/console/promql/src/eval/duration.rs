//! Spans of time as arithmetic, evaluated: what `step()` and `range()` are is known only now.

use super::Evaluation;
use crate::Error;
use crate::ast::{DurationExpr, DurationOp};

/// Longer spans are refused, so that none can overflow.
const SECONDS_MAX: f64 = 9e12;

impl Evaluation<'_> {
    /// A width or a step, milliseconds, more than 0.
    pub(super) fn positive_duration(&self, expr: &DurationExpr) -> Result<i64, Error> {
        let ms = self.duration(expr)?;
        if ms > 0 { Ok(ms) } else { Err(Error::Execution("duration must be greater than 0".to_owned())) }
    }

    /// An offset, milliseconds, 0 if there is none.
    pub(super) fn offset(&self, expr: Option<&DurationExpr>) -> Result<i64, Error> {
        expr.map_or(Ok(0), |expr| self.duration(expr))
    }

    fn duration(&self, expr: &DurationExpr) -> Result<i64, Error> {
        if let DurationExpr::Literal(ms) = expr {
            return Ok(*ms);
        }
        let seconds = self.seconds(expr)?;
        if !seconds.is_finite() || seconds.abs() > SECONDS_MAX {
            return Err(Error::Execution("duration is out of range".to_owned()));
        }
        Ok((seconds * 1000.0).round() as i64)
    }

    fn seconds(&self, expr: &DurationExpr) -> Result<f64, Error> {
        let of_ms = |ms: i64| ms as f64 / 1000.0;
        Ok(match expr {
            DurationExpr::Literal(ms) => of_ms(*ms),
            DurationExpr::Number(seconds) => *seconds,
            DurationExpr::Step => of_ms(self.step_ms),
            DurationExpr::Range => of_ms(self.end_ms - self.start_ms),
            DurationExpr::Negative(inner) => -self.seconds(inner)?,
            DurationExpr::Paren(inner) => self.seconds(inner)?,
            DurationExpr::Operation(op, sides) => {
                let (left, right) = (self.seconds(&sides.0)?, self.seconds(&sides.1)?);
                match op {
                    DurationOp::Add => left + right,
                    DurationOp::Sub => left - right,
                    DurationOp::Mul => left * right,
                    DurationOp::Div if right == 0.0 => {
                        return Err(Error::Execution("division by zero".to_owned()));
                    }
                    DurationOp::Div => left / right,
                    DurationOp::Mod if right == 0.0 => {
                        return Err(Error::Execution("modulo by zero".to_owned()));
                    }
                    DurationOp::Mod => left % right,
                    DurationOp::Pow => left.powf(right),
                    DurationOp::Min => left.min(right),
                    DurationOp::Max => left.max(right),
                }
            }
        })
    }
}
