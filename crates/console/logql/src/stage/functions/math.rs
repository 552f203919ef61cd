//! Numbers in templates. Texts that are none count as 0, as in the library that Loki uses.

use console_template::{Functions, Value};

use super::{Arguments, to_float, to_int};

/// Digits that rounding may keep.
const DIGITS_MAX: i64 = 15;

pub(super) fn add(functions: &mut Functions) {
    whole_numbers(functions);
    numbers(functions);
    functions.add("int", 1..=1, |arguments, _| Ok(Value::Int(Arguments(arguments).int(0))));
    functions.add("float64", 1..=1, |arguments, _| Ok(Value::Float(Arguments(arguments).float(0))));
    functions.add("ceil", 1..=1, |arguments, _| Ok(Value::Float(Arguments(arguments).float(0).ceil())));
    functions.add("floor", 1..=1, |arguments, _| Ok(Value::Float(Arguments(arguments).float(0).floor())));
    functions.add("round", 2..=3, |arguments, _| {
        let round_on = if arguments.len() > 2 { Arguments(arguments).float(2) } else { 0.5 };
        let arguments = Arguments(arguments);
        Ok(Value::Float(round(arguments.float(0), arguments.int(1), round_on)))
    });
}

fn whole_numbers(functions: &mut Functions) {
    type Fold = (&'static str, fn(i64, i64) -> i64);
    let folds: [Fold; 4] =
        [("add", i64::wrapping_add), ("mul", i64::wrapping_mul), ("max", std::cmp::max), ("min", std::cmp::min)];
    for (name, fold) in folds {
        functions.add(name, 1..=usize::MAX, move |arguments, _| {
            Ok(Value::Int(arguments.iter().map(to_int).reduce(fold).unwrap_or(0)))
        });
    }
    functions.add("sub", 2..=2, |arguments, _| {
        Ok(Value::Int(Arguments(arguments).int(0).wrapping_sub(Arguments(arguments).int(1))))
    });
    type Division = (&'static str, fn(i64, i64) -> Option<i64>);
    let divisions: [Division; 2] = [("div", i64::checked_div), ("mod", i64::checked_rem)];
    for (name, divide) in divisions {
        functions.add(name, 2..=2, move |arguments, _| {
            let arguments = Arguments(arguments);
            let quotient = divide(arguments.int(0), arguments.int(1));
            quotient.map(Value::Int).ok_or_else(|| "integer divide by zero".to_owned())
        });
    }
}

fn numbers(functions: &mut Functions) {
    type Fold = (&'static str, fn(f64, f64) -> f64);
    let folds: [Fold; 6] = [
        ("addf", |a, b| a + b),
        ("subf", |a, b| a - b),
        ("mulf", |a, b| a * b),
        ("divf", |a, b| a / b),
        ("maxf", f64::max),
        ("minf", f64::min),
    ];
    for (name, fold) in folds {
        functions.add(name, 1..=usize::MAX, move |arguments, _| {
            Ok(Value::Float(arguments.iter().map(to_float).reduce(fold).unwrap_or(0.0)))
        });
    }
}

/// Rounds to digits behind the point: up from `round_on` of the last one.
fn round(number: f64, digits: i64, round_on: f64) -> f64 {
    let scale = 10_f64.powi(i32::try_from(digits.clamp(-DIGITS_MAX, DIGITS_MAX)).unwrap_or(0));
    let scaled = number * scale;
    let part = scaled.abs().fract();
    let rounded = if part >= round_on { scaled.abs().ceil() } else { scaled.abs().floor() };
    rounded.copysign(number) / scale
}
