//! Aggregations and lists of labels.

use super::Parser;
use super::lexer::{Fault, Kind, fault};
use crate::ast::{Aggregate, AggregateOp, Expr, Node, Span};

impl Parser<'_> {
    /// `sum by (a) (expr)`, `sum (expr) by (a)` or neither.
    pub(super) fn aggregate(&mut self, op: AggregateOp) -> Result<Expr, Fault> {
        let name = self.next();
        if op.is_experimental() && !self.features.experimental_functions {
            let message = format!(
                "{}() is experimental and must be enabled with --enable-feature=promql-experimental-functions",
                op.name()
            );
            return fault(name.span, message);
        }
        let before = self.grouping()?;
        let (mut arguments, mut end) = self.arguments("aggregation", false)?;
        let after = if before.is_none() { self.grouping()? } else { None };
        if after.is_some() {
            end = self.tokens.get(self.at.saturating_sub(1)).map_or(end, |token| token.span.end);
        }
        let (without, labels) = before.or(after).unwrap_or_default();
        let span = Span { start: name.span.start, end };
        let Some(expr) = arguments.pop() else {
            return fault(span, "no arguments for aggregate expression provided");
        };
        let desired = 1 + usize::from(op.has_parameter());
        if arguments.len() + 1 != desired {
            let found = arguments.len() + 1;
            return fault(
                span,
                format!("wrong number of arguments for aggregate expression provided, expected {desired}, got {found}"),
            );
        }
        let parameter = arguments.pop();
        self.node(Node::Aggregate(Box::new(Aggregate { op, parameter, expr, without, labels })), span)
    }

    fn grouping(&mut self) -> Result<Option<(bool, Vec<String>)>, Fault> {
        let without = self.is_word(0, "without");
        if !without && !self.is_word(0, "by") {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some((without, self.grouping_labels()?)))
    }

    /// `(a, "b c", d,)`
    pub(super) fn grouping_labels(&mut self) -> Result<Vec<String>, Fault> {
        const CONTEXT: &str = "grouping opts";
        if !self.is_mark("(") {
            return self.unexpected(CONTEXT, "\"(\"");
        }
        self.at += 1;
        let mut labels = Vec::new();
        while !self.is_mark(")") {
            let token = self.peek().clone();
            match &token.kind {
                Kind::Word => labels.push(self.raw(&token).to_owned()),
                Kind::String(name) if !name.is_empty() => labels.push(name.clone()),
                Kind::String(name) => return fault(token.span, format!("invalid label name for grouping: {name:?}")),
                _ => return self.unexpected(CONTEXT, "label"),
            }
            self.at += 1;
            if !self.accept_mark(",") && !self.is_mark(")") {
                return self.unexpected(CONTEXT, "\",\" or \")\"");
            }
        }
        self.at += 1;
        Ok(labels)
    }
}
