//! Where something goes: `deriv`, `predict_linear`, `double_exponential_smoothing`. Floats only.

use super::{Outcome, Window};
use crate::eval::Evaluation;
use crate::eval::sum::Sum;
use crate::function::Id;

impl Evaluation<'_> {
    pub(super) fn trend(&self, id: Id, window: &Window<'_>) -> Option<Outcome> {
        self.tell_ignored(window);
        let mut floats = window.floats();
        let (first_ms, _) = floats.next()?;
        floats.next()?;
        let value = match id {
            Id::Deriv => line(window, first_ms).0,
            Id::PredictLinear => {
                let (slope, intercept) = line(window, window.time_ms);
                slope * window.scalar(0) + intercept
            }
            _ => smoothed(window, window.scalar(0), window.scalar(1))?,
        };
        Some(Outcome::Float(value))
    }
}

/// Slope per second and value at a time of the line that is nearest to the samples.
fn line(window: &Window<'_>, origin_ms: i64) -> (f64, f64) {
    let (mut count, mut first, mut constant) = (0.0, f64::NAN, true);
    let (mut x_sum, mut y_sum, mut xy_sum, mut xx_sum) =
        (Sum::default(), Sum::default(), Sum::default(), Sum::default());
    for (time_ms, y) in window.floats() {
        if count == 0.0 {
            first = y;
        }
        constant &= y == first;
        count += 1.0;
        let x = time_ms.saturating_sub(origin_ms) as f64 / 1000.0;
        x_sum.add(x);
        y_sum.add(y);
        xy_sum.add(x * y);
        xx_sum.add(x * x);
    }
    if constant {
        return if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) };
    }
    let (x, y, xy, xx) = (x_sum.value(), y_sum.value(), xy_sum.value(), xx_sum.value());
    let covariance = xy - x * y / count;
    let variance = xx - x * x / count;
    let slope = covariance / variance;
    (slope, y / count - slope * x / count)
}

/// Holt's linear method. Source: NIST's handbook of statistical methods, 6.4.3.3.
fn smoothed(window: &Window<'_>, smoothing: f64, trend: f64) -> Option<f64> {
    let mut values = window.floats().map(|(_, value)| value);
    let first = values.next()?;
    let second = values.clone().next()?;
    let (mut before, mut level, mut slope) = (0.0, first, second - first);
    for (position, value) in values.enumerate() {
        if position > 0 {
            slope = trend * (level - before) + (1.0 - trend) * slope;
        }
        let next = smoothing * value + (1.0 - smoothing) * (level + slope);
        (before, level) = (level, next);
    }
    Some(level)
}
