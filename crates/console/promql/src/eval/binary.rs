//! Operators of two operands, value by value. Which series of two vectors belong together is in `matching`.

use std::sync::Arc;

use console_model::FloatHistogram;

use super::block::{Block, absent, histogram_at, is_absent, is_histogram};
use super::{Evaluation, Frame, Grid};
use crate::Error;
use crate::ast::{Binary, BinaryOp, Span};
use crate::storage::HISTOGRAM;

/// One value of a vector.
#[derive(Debug, Clone)]
pub(super) enum Operand<'a> {
    Float(f64),
    Histogram(&'a Arc<FloatHistogram>),
}

/// What comes of two values: a new one, or one of the two that is kept or not.
pub(super) enum Combined {
    Float(f64),
    Histogram(FloatHistogram),
    /// A comparison, and whether it holds.
    Holds(bool),
}

impl<'a> Operand<'a> {
    /// What is in a cell, if anything is.
    pub(super) fn of(cell: f64, step: usize, histograms: &'a [(usize, Arc<FloatHistogram>)]) -> Option<Self> {
        if is_absent(cell) {
            None
        } else if is_histogram(cell) {
            histogram_at(histograms, step).map(Self::Histogram)
        } else {
            Some(Self::Float(cell))
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Float(_) => "float",
            Self::Histogram(_) => "histogram",
        }
    }
}

impl Evaluation<'_> {
    pub(super) fn binary(&self, binary: &Binary, span: Span, grid: Grid) -> Result<Frame<'_>, Error> {
        let op = binary.op;
        match (self.eval(&binary.left, grid)?, self.eval(&binary.right, grid)?) {
            (Frame::Scalar(mut left), Frame::Scalar(right)) => {
                for (left, right) in left.iter_mut().zip(right) {
                    *left = match compared(op, *left, right) {
                        Some(holds) => f64::from(u8::from(holds)),
                        None => computed(op, *left, right),
                    };
                }
                Ok(Frame::Scalar(left))
            }
            (Frame::Vector(block), Frame::Scalar(scalars)) => {
                self.with_scalar(binary, block, &scalars, false, span).map(Frame::Vector)
            }
            (Frame::Scalar(scalars), Frame::Vector(block)) => {
                self.with_scalar(binary, block, &scalars, true, span).map(Frame::Vector)
            }
            (Frame::Vector(left), Frame::Vector(right)) => {
                self.match_vectors(binary, left, right, span).map(Frame::Vector)
            }
            _ => {
                Err(Error::Execution("binary expression must contain only scalar and instant vector types".to_owned()))
            }
        }
    }

    /// `swapped`: the scalar is on the left.
    fn with_scalar<'m>(
        &self,
        binary: &Binary,
        mut block: Block<'m>,
        scalars: &[f64],
        swapped: bool,
        span: Span,
    ) -> Result<Block<'m>, Error> {
        let op = binary.op;
        let filters = op.is_comparison() && !binary.returns_bool;
        for (row, cells) in block.iter_mut() {
            for ((step, cell), scalar) in cells.iter_mut().enumerate().zip(scalars) {
                if is_absent(*cell) {
                    continue;
                }
                if !is_histogram(*cell) {
                    let (left, right) = if swapped { (*scalar, *cell) } else { (*cell, *scalar) };
                    match compared(op, left, right) {
                        Some(holds) if binary.returns_bool => *cell = f64::from(u8::from(holds)),
                        Some(true) => {}
                        Some(false) => *cell = absent(),
                        None if is_trim(op) => {
                            self.tell_incompatible(op, "float", "float", span);
                            *cell = absent();
                        }
                        None => *cell = computed(op, left, right),
                    }
                    continue;
                }
                let Ok(place) = row.histograms.binary_search_by_key(&step, |(step, _)| *step) else { continue };
                let Some((_, histogram)) = row.histograms.get_mut(place) else { continue };
                let (native, number) = (Operand::Histogram(&*histogram), Operand::Float(*scalar));
                let (left, right) = if swapped { (number, native) } else { (native, number) };
                match self.combine(op, left, right, span) {
                    Some(Combined::Float(value)) => *cell = value,
                    Some(Combined::Histogram(result)) => *histogram = result.into(),
                    Some(Combined::Holds(_)) | None => *cell = absent(),
                }
            }
            self.tick(cells.len())?;
        }
        block.compact();
        if filters || is_trim(op) { Ok(block) } else { self.drop_names(block) }
    }

    /// What an operator makes of two values; nothing if they do not go together, which is told.
    pub(super) fn combine(&self, op: BinaryOp, left: Operand<'_>, right: Operand<'_>, span: Span) -> Option<Combined> {
        match (&left, &right) {
            (Operand::Float(left), Operand::Float(right)) if !is_trim(op) => {
                return Some(match compared(op, *left, *right) {
                    Some(holds) => Combined::Holds(holds),
                    None => Combined::Float(computed(op, *left, *right)),
                });
            }
            (Operand::Histogram(native), Operand::Float(number))
            | (Operand::Float(number), Operand::Histogram(native))
                if op == BinaryOp::Mul =>
            {
                let mut result = (***native).clone();
                result.mul(*number);
                return Some(Combined::Histogram(result));
            }
            (Operand::Histogram(native), Operand::Float(number)) if op == BinaryOp::Div || is_trim(op) => {
                let mut result = (***native).clone();
                match op {
                    BinaryOp::Div => result.div(*number),
                    BinaryOp::TrimUpper => result.trim_above(*number),
                    _ => result.trim_below(*number),
                }
                return Some(Combined::Histogram(result));
            }
            (Operand::Histogram(left), Operand::Histogram(right)) => match op {
                BinaryOp::Equal => return Some(Combined::Holds(left == right)),
                BinaryOp::NotEqual => return Some(Combined::Holds(left != right)),
                BinaryOp::Add | BinaryOp::Sub => return self.combine_histograms(op, left, right, span),
                _ => {}
            },
            _ => {}
        }
        self.tell_incompatible(op, left.kind(), right.kind(), span);
        None
    }

    fn combine_histograms(
        &self,
        op: BinaryOp,
        left: &FloatHistogram,
        right: &FloatHistogram,
        span: Span,
    ) -> Option<Combined> {
        let mut result = left.clone();
        let (reconciled, word) = match op {
            BinaryOp::Add => (result.add(right), "addition"),
            _ => (result.sub(right), "subtraction"),
        };
        let Ok(reconciled) = reconciled else {
            let text = format!("incompatible bucket layout encountered for binary operator {}", op.symbol());
            self.notes.warn(&text, span);
            return None;
        };
        if reconciled.conflicting_resets {
            self.notes.warn(&format!("conflicting counter resets during histogram {word}"), span);
        }
        self.tell_reconciled(reconciled, word, span);
        result.compact();
        Some(Combined::Histogram(result))
    }

    fn tell_incompatible(&self, op: BinaryOp, left: &str, right: &str, span: Span) {
        let op = op.symbol();
        let text = format!("incompatible sample types encountered for binary operator {op:?}: {left} {op} {right}");
        self.notes.info(&text, span);
    }
}

pub(super) const fn is_trim(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::TrimUpper | BinaryOp::TrimLower)
}

/// What a comparison says of two numbers; `None` if it is none.
pub(super) fn compared(op: BinaryOp, left: f64, right: f64) -> Option<bool> {
    Some(match op {
        BinaryOp::Equal => left == right,
        BinaryOp::NotEqual => left != right,
        BinaryOp::Less => left < right,
        BinaryOp::LessOrEqual => left <= right,
        BinaryOp::Greater => left > right,
        BinaryOp::GreaterOrEqual => left >= right,
        _ => return None,
    })
}

/// What arithmetic makes of two numbers.
pub(super) fn computed(op: BinaryOp, left: f64, right: f64) -> f64 {
    match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        BinaryOp::Div => left / right,
        BinaryOp::Mod => left % right,
        BinaryOp::Pow => left.powf(right),
        BinaryOp::Atan2 => left.atan2(right),
        _ => f64::NAN,
    }
}

/// Writes what came of two values into a cell.
///
/// `kept`: what a comparison that holds keeps.
pub(super) fn write(
    combined: Combined,
    kept: &Operand<'_>,
    returns_bool: bool,
    step: usize,
    cell: &mut f64,
    histograms: &mut super::block::Histograms,
) {
    let histogram = match combined {
        Combined::Float(value) => {
            *cell = value;
            return;
        }
        Combined::Holds(holds) if returns_bool => {
            *cell = f64::from(u8::from(holds));
            return;
        }
        Combined::Holds(false) => return,
        Combined::Holds(true) => match kept {
            Operand::Float(value) => {
                *cell = *value;
                return;
            }
            Operand::Histogram(histogram) => Arc::clone(histogram),
        },
        Combined::Histogram(histogram) => histogram.into(),
    };
    *cell = f64::from_bits(HISTOGRAM);
    histograms.push((step, histogram));
}
