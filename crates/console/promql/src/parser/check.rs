//! Whether the parts of a tree fit together: types of operands and arguments, labels of matchings.

use super::lexer::{Fault, fault};
use crate::ast::{Binary, Call, Cardinality, Expr, Node, ValueType};

/// Finds the first thing that does not fit.
pub(super) fn check(expr: &Expr) -> Result<(), Fault> {
    for child in expr.children() {
        check(child)?;
    }
    match &expr.node {
        Node::Binary(binary) => check_binary(expr, binary),
        Node::Call(call) => check_call(expr, call),
        Node::Unary(_, inner) if !matches!(inner.value_type(), ValueType::Scalar | ValueType::Vector) => {
            let found = inner.value_type().described();
            fault(
                expr.span,
                format!("unary expression only allowed on expressions of type scalar or instant vector, got {found:?}"),
            )
        }
        Node::Aggregate(aggregate) => {
            expect(&aggregate.expr, ValueType::Vector, "aggregation expression")?;
            let Some(parameter) = &aggregate.parameter else {
                return Ok(());
            };
            let wanted = match aggregate.op {
                crate::AggregateOp::CountValues => ValueType::String,
                _ => ValueType::Scalar,
            };
            expect(parameter, wanted, "aggregation parameter")
        }
        _ => Ok(()),
    }
}

fn expect(expr: &Expr, wanted: ValueType, context: &str) -> Result<(), Fault> {
    let found = expr.value_type();
    if found == wanted {
        return Ok(());
    }
    fault(expr.span, format!("expected type {} in {context}, got {}", wanted.described(), found.described()))
}

fn check_call(expr: &Expr, call: &Call) -> Result<(), Fault> {
    let (function, found) = (call.function, call.arguments.len());
    let (name, wanted) = (function.name, function.arguments.len());
    if function.variadic == 0 {
        if found != wanted {
            return fault(expr.span, format!("expected {wanted} argument(s) in call to {name:?}, got {found}"));
        }
    } else {
        if found + 1 < wanted {
            let least = wanted - 1;
            return fault(expr.span, format!("expected at least {least} argument(s) in call to {name:?}, got {found}"));
        }
        let most = usize::try_from(function.variadic).map(|more| wanted - 1 + more);
        if let Some(most) = most.ok().filter(|most| found > *most) {
            return fault(expr.span, format!("expected at most {most} argument(s) in call to {name:?}, got {found}"));
        }
    }
    if function.name == "info"
        && let Some(labels) = call.arguments.get(1)
        && !matches!(&labels.node, Node::Selector(selector) if selector.range.is_none() && selector.name.is_empty())
    {
        return fault(labels.span, "expected label selectors only, got vector selector instead".to_owned());
    }
    for (position, argument) in call.arguments.iter().enumerate() {
        let wanted = function.arguments.get(position).or(function.arguments.last());
        let Some(wanted) = wanted else {
            continue;
        };
        expect(argument, *wanted, &format!("call to function {name:?}"))?;
    }
    Ok(())
}

/// Forgets the matching of operands that are not both vectors, once it is known to be the default.
pub(super) fn fix_matching(expr: &mut Expr) -> Result<(), Fault> {
    let span = expr.span;
    let Node::Binary(binary) = &mut expr.node else {
        return Ok(());
    };
    let vectors = binary.left.value_type() == ValueType::Vector && binary.right.value_type() == ValueType::Vector;
    if vectors {
        return Ok(());
    }
    if let Some(matching) = binary.matching.take()
        && (!matching.labels.is_empty() || matching.fill != (None, None))
    {
        return fault(span, "vector matching only allowed between instant vectors");
    }
    Ok(())
}

fn check_binary(expr: &Expr, binary: &Binary) -> Result<(), Fault> {
    let (left, right) = (binary.left.value_type(), binary.right.value_type());
    for (side, kind) in [(&binary.left, left), (&binary.right, right)] {
        if !matches!(kind, ValueType::Scalar | ValueType::Vector) {
            return fault(side.span, "binary expression must contain only scalar and instant vector types");
        }
    }
    let scalars = left == ValueType::Scalar && right == ValueType::Scalar;
    if binary.returns_bool && !binary.op.is_comparison() {
        return fault(binary.op_span, "bool modifier can only be used on comparison operators");
    }
    if binary.op.is_comparison() && scalars && !binary.returns_bool {
        return fault(binary.op_span, "comparisons between scalars must use BOOL modifier");
    }
    if let Some(matching) = &binary.matching
        && binary.op.is_set()
        && matching.cardinality != Cardinality::ManyToMany
    {
        return fault(expr.span, format!("no grouping allowed for {:?} operation", binary.op.symbol()));
    }
    if binary.op.is_set() && (left == ValueType::Scalar || right == ValueType::Scalar) {
        return fault(
            expr.span,
            format!("set operator {:?} not allowed in binary scalar expression", binary.op.symbol()),
        );
    }
    if let Some(matching) = &binary.matching
        && let Some(label) = matching.labels.iter().find(|label| matching.on && matching.include.contains(label))
    {
        return fault(binary.op_span, format!("label {label:?} must not occur in ON and GROUP clause at once"));
    }
    Ok(())
}
