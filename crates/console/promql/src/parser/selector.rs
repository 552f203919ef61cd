//! Selectors, and what may follow an expression: ranges, subqueries, `offset`, `@`, `anchored`, `smoothed`.

use super::Parser;
use super::lexer::{Fault, Kind, fault};
use crate::ast::{At, DurationExpr, Expr, Node, Selector, Span, Subquery, ValueType};
use crate::print::number_text;
use crate::{MatchOp, Matcher};

const NAME: &str = "__name__";
/// Regular expressions of a query: a short one may take megabytes when it is compiled.
const PATTERNS_MAX: usize = 100;
const RANGE: &str = "subquery selector";
const DURATION: &str = "number or duration";

impl Parser<'_> {
    /// `name`, `name{…}` or `{…}`.
    pub(super) fn selector(&mut self) -> Result<Expr, Fault> {
        let start = self.peek().span.start;
        let mut selector = Selector {
            name: String::new(),
            matchers: Vec::new(),
            range: None,
            offset: None,
            at: None,
            anchored: false,
            smoothed: false,
        };
        let named = !self.is_mark("{");
        if named {
            let token = self.next();
            selector.name = self.raw(&token).to_owned();
        }
        if self.is_mark("{") {
            self.matchers(&mut selector)?;
        }
        let end = self.tokens.get(self.at.saturating_sub(1)).map_or(start, |token| token.span.end);
        let span = Span { start, end };
        if named {
            if let Some(other) = selector.matchers.iter().find(|matcher| matcher.name() == NAME) {
                let message = format!("metric name must not be set twice: {:?} or {:?}", selector.name, other.value());
                return fault(span, message);
            }
            selector.matchers.push(name_matcher(&selector.name, span)?);
        }
        if !self.lenient && !selector.matchers.iter().any(|matcher| !matcher.matches("")) {
            return fault(span, "vector selector must contain at least one non-empty matcher");
        }
        Ok(Expr { node: Node::Selector(Box::new(selector)), span, height: 1 })
    }

    fn matchers(&mut self, selector: &mut Selector) -> Result<(), Fault> {
        const CONTEXT: &str = "label matching";
        self.at += 1;
        while !self.accept_mark("}") {
            let label = self.peek().clone();
            let name = match &label.kind {
                Kind::Word => self.raw(&label).to_owned(),
                Kind::String(name) => name.clone(),
                _ => return self.unexpected(CONTEXT, "identifier or \"}\""),
            };
            self.at += 1;
            let op = match self.peek().kind {
                Kind::Mark("=") => MatchOp::Equal,
                Kind::Mark("!=") => MatchOp::NotEqual,
                Kind::Mark("=~") => MatchOp::Matches,
                Kind::Mark("!~") => MatchOp::MatchesNot,
                _ if matches!(label.kind, Kind::String(_)) => {
                    self.matcher_end()?;
                    quoted_name(selector, name, label.span)?;
                    continue;
                }
                _ => return self.unexpected(CONTEXT, "label matching operator"),
            };
            self.at += 1;
            let value = self.peek().clone();
            let Kind::String(text) = value.kind else {
                return self.unexpected(CONTEXT, "string");
            };
            self.at += 1;
            let span = Span { start: label.span.start, end: value.span.end };
            self.patterns += usize::from(matches!(op, MatchOp::Matches | MatchOp::MatchesNot));
            if self.patterns > PATTERNS_MAX {
                return fault(span, format!("query has more than {PATTERNS_MAX} regular expressions"));
            }
            let matcher = Matcher::new(name, op, text);
            selector.matchers.push(matcher.map_or_else(|message| fault(span, message), Ok)?);
            self.matcher_end()?;
        }
        Ok(())
    }

    fn matcher_end(&mut self) -> Result<(), Fault> {
        if self.accept_mark(",") || self.is_mark("}") {
            return Ok(());
        }
        self.unexpected("label matching", "\",\" or \"}\"")
    }

    /// `[5m]` or `[1h:5m]` after an expression.
    pub(super) fn brackets(&mut self, expr: Expr) -> Result<Expr, Fault> {
        let open = self.next();
        if self.is_mark("]") || self.is_mark(":") {
            return self.unexpected(RANGE, DURATION);
        }
        let range = self.duration(0, RANGE)?;
        let range_span = Span { start: open.span.end, end: self.peek().span.start };
        positive(&range, range_span)?;
        if self.accept_mark(":") {
            let step_start = self.peek().span.start;
            let step = if self.is_mark("]") { None } else { Some(self.duration(0, RANGE)?) };
            let close = self.expect_mark("]", RANGE)?;
            if let Some(step) = &step {
                positive(step, Span { start: step_start, end: close.span.start })?;
            }
            let span = Span { start: expr.span.start, end: close.span.end };
            if expr.value_type() != ValueType::Vector {
                let found = expr.value_type().name();
                return fault(span, format!("subquery is only allowed on instant vector, got {found} instead"));
            }
            let subquery = Subquery { expr, range, step, offset: None, at: None };
            return self.node(Node::Subquery(Box::new(subquery)), span);
        }
        if !self.is_mark("]") {
            return self.unexpected("subquery or range", "\":\" or \"]\"");
        }
        let close = self.next();
        let span = Span { start: expr.span.start, end: close.span.end };
        match expr.node {
            Node::Selector(mut selector) if selector.range.is_none() => {
                if selector.offset.is_some() {
                    return fault(open.span, "no offset modifiers allowed before range");
                }
                if selector.at.is_some() {
                    return fault(open.span, "no @ modifiers allowed before range");
                }
                if selector.anchored || selector.smoothed {
                    return fault(open.span, "no anchored or smoothed modifiers allowed before range");
                }
                selector.range = Some(range);
                Ok(Expr { node: Node::Selector(selector), span, height: 1 })
            }
            _ => fault(open.span, "ranges only allowed for vector selectors"),
        }
    }

    pub(super) fn offset(&mut self, expr: &mut Expr) -> Result<(), Fault> {
        self.at += 1;
        let offset = self.duration_factor("offset")?;
        let end = self.tokens.get(self.at.saturating_sub(1)).map_or(expr.span.end, |token| token.span.end);
        let span = Span { start: expr.span.start, end };
        let place = match &mut expr.node {
            Node::Selector(selector) => &mut selector.offset,
            Node::Subquery(subquery) => &mut subquery.offset,
            _ => {
                return fault(
                    expr.span,
                    "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
                );
            }
        };
        if place.is_some() {
            return fault(expr.span, "offset may not be set multiple times");
        }
        *place = Some(offset);
        expr.span = span;
        Ok(())
    }

    pub(super) fn at_modifier(&mut self, expr: &mut Expr) -> Result<(), Fault> {
        self.at += 1;
        let at = self.at_time(expr.span)?;
        let end = self.tokens.get(self.at.saturating_sub(1)).map_or(expr.span.end, |token| token.span.end);
        let span = Span { start: expr.span.start, end };
        let place = match &mut expr.node {
            Node::Selector(selector) => &mut selector.at,
            Node::Subquery(subquery) => &mut subquery.at,
            _ => {
                return fault(
                    expr.span,
                    "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
                );
            }
        };
        if place.is_some() {
            return fault(expr.span, "@ <timestamp> may not be set multiple times");
        }
        *place = Some(at);
        expr.span = span;
        Ok(())
    }

    /// `selected`: where what it is the time of stands.
    fn at_time(&mut self, selected: Span) -> Result<At, Fault> {
        for (word, at) in [("start", At::Start), ("end", At::End)] {
            if self.accept_word(word) {
                let paired = self.accept_mark("(") && self.accept_mark(")");
                return if paired { Ok(at) } else { self.unexpected("@", "timestamp") };
            }
        }
        let negative = self.accept_mark("-");
        if !negative {
            self.accept_mark("+");
        }
        let Some(seconds) = self.number_value() else {
            return self.unexpected("@", "timestamp");
        };
        let seconds = if negative { -seconds } else { seconds };
        let ms = (seconds * 1000.0).round();
        if !ms.is_finite() || ms.abs() >= i64::MAX as f64 {
            let seconds = if seconds.is_finite() { format!("{seconds:.6}") } else { number_text(seconds) };
            return fault(selected, format!("timestamp out of bounds for @ modifier: {seconds}"));
        }
        Ok(At::Time(ms as i64))
    }

    pub(super) fn extended(&mut self, expr: &mut Expr) -> Result<(), Fault> {
        let token = self.next();
        let word = self.raw(&token).to_ascii_lowercase();
        if !self.features.extended_range_selectors {
            return fault(token.span, format!("{word} modifier is experimental and not enabled"));
        }
        let Node::Selector(selector) = &mut expr.node else {
            return fault(
                expr.span,
                format!("{word} modifier must be preceded by an instant vector selector or range vector selector"),
            );
        };
        let anchored = word == "anchored";
        if selector.anchored || selector.smoothed {
            return fault(expr.span, "anchored and smoothed modifiers cannot be used together or set multiple times");
        }
        if anchored && selector.range.is_none() {
            return fault(expr.span, "anchored modifier must be preceded by a range selector");
        }
        (selector.anchored, selector.smoothed) = (anchored, !anchored);
        expr.span.end = token.span.end;
        Ok(())
    }
}

/// `{"name"}`
fn quoted_name(selector: &mut Selector, name: String, span: Span) -> Result<(), Fault> {
    if name.is_empty() {
        return fault(span, "invalid metric name: \"\"");
    }
    selector.matchers.push(name_matcher(&name, span)?);
    if selector.name.is_empty() {
        selector.name = name;
    }
    Ok(())
}

fn name_matcher(name: &str, span: Span) -> Result<Matcher, Fault> {
    Matcher::new(NAME, MatchOp::Equal, name).map_or_else(|message| fault(span, message), Ok)
}

/// What is known before the evaluation must be more than nothing.
fn positive(duration: &DurationExpr, span: Span) -> Result<(), Fault> {
    let wrong = match duration {
        DurationExpr::Literal(ms) => *ms <= 0,
        DurationExpr::Number(seconds) => seconds * 1000.0 < 1.0,
        _ => false,
    };
    if wrong { fault(span, "duration must be greater than 0") } else { Ok(()) }
}
