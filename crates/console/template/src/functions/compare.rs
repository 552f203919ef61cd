//! Go's comparisons: `eq` with any of several, `ne`, and the orders, of basic types of the same kind. Whole
//! numbers and others are not compared with each other, as in Go.

use std::cmp::Ordering;

use super::{Functions, first};
use crate::Value;

const KINDS: &str = "incompatible types for comparison";
const NO_BASIC: &str = "non-comparable type";

pub(super) fn add(functions: &mut Functions) {
    functions.add("eq", 1..=usize::MAX, |arguments, _| {
        let wanted = first(arguments);
        if arguments.len() < 2 {
            return Err("missing argument for comparison".to_owned());
        }
        for other in arguments.iter().skip(1) {
            if equal(wanted, other)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    });
    functions.add("ne", 2..=2, |arguments, _| {
        let other = arguments.get(1).unwrap_or(&Value::Nil);
        Ok(Value::Bool(!equal(first(arguments), other)?))
    });
    type Order = (&'static str, fn(Ordering) -> bool);
    let orders: [Order; 4] =
        [("lt", Ordering::is_lt), ("le", Ordering::is_le), ("gt", Ordering::is_gt), ("ge", Ordering::is_ge)];
    for (name, holds) in orders {
        functions.add(name, 2..=2, move |arguments, _| {
            let order = order(first(arguments), arguments.get(1).unwrap_or(&Value::Nil))?;
            Ok(Value::Bool(order.is_some_and(holds)))
        });
    }
}

fn equal(a: &Value, b: &Value) -> Result<bool, String> {
    match (a, b) {
        (Value::Nil, _) | (_, Value::Nil) => Ok(matches!((a, b), (Value::Nil, Value::Nil))),
        (Value::List(_) | Value::Map(_), _) | (_, Value::List(_) | Value::Map(_)) => {
            Err(format!("{NO_BASIC} {}: {a}", a.type_name()))
        }
        (Value::Opaque(_), Value::Opaque(_)) => Ok(a == b || a.to_string() == b.to_string()),
        _ if std::mem::discriminant(a) == std::mem::discriminant(b) => Ok(a == b),
        _ => Err(KINDS.to_owned()),
    }
}

fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, String> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(Some(a.cmp(b))),
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (Value::Text(a), Value::Text(b)) => Ok(Some(a.as_str().cmp(b.as_str()))),
        (Value::Int(_) | Value::Float(_) | Value::Text(_), Value::Int(_) | Value::Float(_) | Value::Text(_)) => {
            Err(KINDS.to_owned())
        }
        _ => Err("invalid type for comparison".to_owned()),
    }
}
