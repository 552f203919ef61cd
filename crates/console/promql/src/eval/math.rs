//! Functions of one number.

use crate::function::Id;

/// The function of one number by that name, if it is one.
pub(super) fn function(id: Id) -> Option<fn(f64) -> f64> {
    Some(match id {
        Id::Abs => f64::abs,
        Id::Acos => f64::acos,
        Id::Acosh => f64::acosh,
        Id::Asin => f64::asin,
        Id::Asinh => f64::asinh,
        Id::Atan => f64::atan,
        Id::Atanh => f64::atanh,
        Id::Ceil => f64::ceil,
        Id::Cos => f64::cos,
        Id::Cosh => f64::cosh,
        Id::Deg => |value| value * (180.0 / std::f64::consts::PI),
        Id::Exp => f64::exp,
        Id::Floor => f64::floor,
        Id::Ln => f64::ln,
        Id::Log10 => f64::log10,
        Id::Log2 => f64::log2,
        Id::Rad => |value| value * (std::f64::consts::PI / 180.0),
        Id::Sgn => sign,
        Id::Sin => f64::sin,
        Id::Sinh => f64::sinh,
        Id::Sqrt => f64::sqrt,
        Id::Tan => f64::tan,
        Id::Tanh => f64::tanh,
        _ => return None,
    })
}

fn sign(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

/// The lesser of two, as Go has it: nothing is less than -Inf, not even NaN, which else wins; and -0 is less than 0.
pub(super) fn min(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == b {
        if a.is_sign_negative() { a } else { b }
    } else {
        a.min(b)
    }
}

/// The greater of two, as Go has it: nothing is greater than +Inf, not even NaN, which else wins; and 0 is greater
/// than -0.
pub(super) fn max(a: f64, b: f64) -> f64 {
    -min(-a, -b)
}

/// To the nearest multiple, halves up.
pub(super) fn round(value: f64, nearest: f64) -> f64 {
    // The inverse is more often exact: 0.1 is no sum of powers of two, 10 is.
    let inverse = 1.0 / nearest;
    (value * inverse + 0.5).floor() / inverse
}
