//! `format_query` and `parse_query`: a query in print, and as a tree. What it means is the evaluator's business.

use console_promql::{
    At, Binary, BinaryOp, Call as FunctionCall, Cardinality, DurationExpr, Expr, Matcher, Matching, Node, Selector,
    Subquery,
};

use super::Call;
use super::answer::{self, Refusal};
use super::json::{Comma, Json, plain};

/// `format_query`: laid out for reading.
pub(super) fn format(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let query = console_promql::parse(call.parameters.first("query"))?;
    let mut json = answer::begin();
    json.text(&console_promql::format(&query));
    json.check()?;
    Ok(answer::end(json, &[], &[]))
}

/// `parse_query`: its tree.
pub(super) fn parse(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let query = console_promql::parse(call.parameters.first("query"))?;
    let mut json = answer::begin();
    write(&mut json, &query)?;
    Ok(answer::end(json, &[], &[]))
}

/// Writes an expression. The parser bounds how deep they are nested.
fn write(json: &mut Json, expr: &Expr) -> Result<(), Refusal> {
    json.check()?;
    match &expr.node {
        Node::Number(value) | Node::Duration(value) => literal(json, "numberLiteral", &plain(*value)),
        Node::String(text) => literal(json, "stringLiteral", text),
        Node::Selector(selector) => write_selector(json, selector),
        Node::Subquery(subquery) => write_subquery(json, subquery)?,
        Node::Unary(is_negative, inner) => {
            json.raw(r#"{"expr":"#);
            write(json, inner)?;
            json.raw(if *is_negative { r#","op":"-""# } else { r#","op":"+""# });
            json.raw(r#","type":"unaryExpr"}"#);
        }
        Node::Paren(inner) => {
            json.raw(r#"{"expr":"#);
            write(json, inner)?;
            json.raw(r#","type":"parenExpr"}"#);
        }
        Node::Binary(binary) => write_binary(json, binary)?,
        Node::Aggregate(aggregate) => {
            json.raw(r#"{"expr":"#);
            write(json, &aggregate.expr)?;
            json.raw(r#","grouping":"#);
            json.texts(&aggregate.labels);
            json.raw(r#","op":"#);
            json.text(aggregate.op.name());
            json.raw(r#","param":"#);
            match &aggregate.parameter {
                Some(parameter) => write(json, parameter)?,
                None => json.raw("null"),
            }
            json.raw(r#","type":"aggregation","without":"#);
            json.raw(if aggregate.without { "true}" } else { "false}" });
        }
        Node::Call(function) => write_call(json, function)?,
    }
    Ok(())
}

fn literal(json: &mut Json, kind: &str, value: &str) {
    json.raw(r#"{"type":"#);
    json.text(kind);
    json.raw(r#","val":"#);
    json.text(value);
    json.raw("}");
}

fn write_selector(json: &mut Json, selector: &Selector) {
    json.raw(r#"{"matchers":["#);
    let mut comma = Comma::default();
    for matcher in &selector.matchers {
        comma.between(json);
        write_matcher(json, matcher);
    }
    json.raw(r#"],"name":"#);
    json.text(&selector.name);
    json.raw(r#","offset":"#);
    json.integer(ms(selector.offset.as_ref()));
    if selector.range.is_some() {
        json.raw(r#","range":"#);
        json.integer(ms(selector.range.as_ref()));
    }
    write_at(json, selector.at, None);
    json.raw(if selector.range.is_some() { r#","type":"matrixSelector"}"# } else { r#","type":"vectorSelector"}"# });
}

fn write_matcher(json: &mut Json, matcher: &Matcher) {
    json.raw(r#"{"name":"#);
    json.text(matcher.name());
    json.raw(r#","type":"#);
    json.text(matcher.op().symbol());
    json.raw(r#","value":"#);
    json.text(matcher.value());
    json.raw("}");
}

fn write_subquery(json: &mut Json, subquery: &Subquery) -> Result<(), Refusal> {
    json.raw(r#"{"expr":"#);
    write(json, &subquery.expr)?;
    json.raw(r#","offset":"#);
    json.integer(ms(subquery.offset.as_ref()));
    json.raw(r#","range":"#);
    json.integer(ms(Some(&subquery.range)));
    write_at(json, subquery.at, Some(ms(subquery.step.as_ref())));
    json.raw(r#","type":"subquery"}"#);
    Ok(())
}

/// Writes `@`, and between its two keys a step if there is one.
fn write_at(json: &mut Json, at: Option<At>, step_ms: Option<i64>) {
    json.raw(r#","startOrEnd":"#);
    json.raw(match at {
        Some(At::Start) => r#""start""#,
        Some(At::End) => r#""end""#,
        _ => "null",
    });
    if let Some(step_ms) = step_ms {
        json.raw(r#","step":"#);
        json.integer(step_ms);
    }
    json.raw(r#","timestamp":"#);
    match at {
        Some(At::Time(time_ms)) => json.integer(time_ms),
        _ => json.raw("null"),
    }
}

/// A time of the text, milliseconds; 0 if there is none, or if only an evaluation gives it.
fn ms(duration: Option<&DurationExpr>) -> i64 {
    match duration {
        Some(DurationExpr::Literal(ms)) => *ms,
        Some(DurationExpr::Negative(inner)) => ms(Some(inner)).saturating_neg(),
        Some(DurationExpr::Paren(inner)) => ms(Some(inner)),
        _ => 0,
    }
}

fn write_binary(json: &mut Json, binary: &Binary) -> Result<(), Refusal> {
    json.raw(if binary.returns_bool { r#"{"bool":true,"lhs":"# } else { r#"{"bool":false,"lhs":"# });
    write(json, &binary.left)?;
    json.raw(r#","matching":"#);
    match &binary.matching {
        Some(matching) => write_matching(json, matching),
        None => json.raw("null"),
    }
    json.raw(r#","op":"#);
    json.text(BinaryOp::symbol(binary.op));
    json.raw(r#","rhs":"#);
    write(json, &binary.right)?;
    json.raw(r#","type":"binaryExpr"}"#);
    Ok(())
}

fn write_matching(json: &mut Json, matching: &Matching) {
    json.raw(r#"{"card":"#);
    json.text(match matching.cardinality {
        Cardinality::OneToOne => "one-to-one",
        Cardinality::ManyToOne => "many-to-one",
        Cardinality::OneToMany => "one-to-many",
        Cardinality::ManyToMany => "many-to-many",
    });
    json.raw(r#","include":"#);
    json.texts(&matching.include);
    json.raw(r#","labels":"#);
    json.texts(&matching.labels);
    json.raw(if matching.on { r#","on":true}"# } else { r#","on":false}"# });
}

fn write_call(json: &mut Json, call: &FunctionCall) -> Result<(), Refusal> {
    json.raw(r#"{"args":["#);
    let mut comma = Comma::default();
    for argument in &call.arguments {
        comma.between(json);
        write(json, argument)?;
    }
    json.raw(r#"],"func":{"argTypes":"#);
    json.texts(call.function.arguments.iter().map(|argument| argument.name()));
    json.raw(r#","name":"#);
    json.text(call.function.name);
    json.raw(r#","returnType":"#);
    json.text(call.function.returns.name());
    json.raw(r#","variadic":"#);
    json.integer(call.function.variadic.into());
    json.raw(r#"},"type":"call"}"#);
    Ok(())
}
