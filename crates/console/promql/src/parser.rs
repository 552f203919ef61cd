//! Tokens to a tree, by descent with precedences. Types are checked in `check`; nothing is evaluated here.
//!
//! Each step down is counted, so that a text of a million parentheses is an error and not the end of the
//! stack; the height of the finished tree is bounded too, since a long chain of operators is a deep tree.

mod aggregate;
mod check;
mod duration;
mod lexer;
mod selector;

use crate::ast::{Binary, BinaryOp, Call, Cardinality, Expr, Matching, Node, Span};
use crate::{Error, Features, function};
use lexer::{Fault, Kind, Token, fault};

pub(crate) use lexer::{shown, stray_byte};

/// How deep expressions may be nested, unless less is asked for.
pub(crate) const DEPTH_MAX: usize = 160;

/// How many bytes a query may have.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// The tree of a query, with every feature allowed.
///
/// # Errors
/// [`Error::Parse`], worded as Prometheus words it.
pub fn parse(query: &str) -> Result<Expr, Error> {
    parse_with(query, Features::ALL, DEPTH_MAX)
}

/// The tree of a query. `depth_max` is how many expressions may be nested, at most 160.
///
/// # Errors
/// [`Error::Parse`], worded as Prometheus words it.
pub fn parse_with(query: &str, features: Features, depth_max: usize) -> Result<Expr, Error> {
    parse_faulty(query, features, depth_max.min(DEPTH_MAX)).map_err(|fault| {
        if query.is_empty() {
            return Error::Parse(format!("unknown position: parse error: {}", fault.message));
        }
        let (line, column) = fault.span.line_and_column(query);
        Error::Parse(format!("{line}:{column}: parse error: {}", fault.message))
    })
}

fn parse_faulty(query: &str, features: Features, depth_max: usize) -> Result<Expr, Fault> {
    if query.len() > TEXT_BYTES_MAX {
        return fault(Span::default(), format!("query is longer than {TEXT_BYTES_MAX} bytes"));
    }
    let (tokens, stray) = lexer::tokens(query);
    let mut parser = Parser { text: query, tokens, at: 0, depth: 0, depth_max, patterns: 0, features, lenient: false };
    let parsed = parser.whole();
    // Whatever comes first in the text is told.
    let expr = match stray {
        Some(stray) if parsed.is_ok() || parser.peek().kind == Kind::End => return Err(stray),
        _ => parsed?,
    };
    check::check(&expr)?;
    Ok(expr)
}

pub(super) struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    depth_max: usize,
    /// Regular expressions so far.
    patterns: usize,
    features: Features,
    /// Whether a selector may match everything: that of `info` says which labels are meant.
    lenient: bool,
}

/// Words that call no function, even before a parenthesis.
const NO_FUNCTIONS: [&str; 14] = [
    "and",
    "or",
    "unless",
    "atan2",
    "offset",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "inf",
    "nan",
];

/// Words with a meaning of their own outside braces.
const KEYWORDS: [&str; 23] = [
    "and",
    "or",
    "unless",
    "atan2",
    "offset",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "start",
    "end",
    "step",
    "range",
    "anchored",
    "smoothed",
    "fill",
    "fill_left",
    "fill_right",
    "inf",
    "nan",
];

impl<'t> Parser<'t> {
    /// The expression that all tokens make.
    fn whole(&mut self) -> Result<Expr, Fault> {
        if self.peek().kind == Kind::End {
            return fault(Span::default(), "no expression found in input");
        }
        let expr = self.expr(0)?;
        if self.peek().kind == Kind::End { Ok(expr) } else { self.unexpected("", "") }
    }

    fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> &Token {
        const END: &Token = &Token { kind: Kind::End, span: Span { start: 0, end: 0 } };
        self.tokens.get(self.at + ahead).or(self.tokens.last()).unwrap_or(END)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn raw(&self, token: &Token) -> &'t str {
        self.text.get(token.span.start..token.span.end).unwrap_or_default()
    }

    fn is_mark(&self, mark: &str) -> bool {
        matches!(self.peek().kind, Kind::Mark(found) if found == mark)
    }

    fn accept_mark(&mut self, mark: &str) -> bool {
        let found = self.is_mark(mark);
        self.at += usize::from(found);
        found
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        let token = self.peek_at(ahead);
        token.kind == Kind::Word && self.raw(token).eq_ignore_ascii_case(word)
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        self.at += usize::from(found);
        found
    }

    fn expect_mark(&mut self, mark: &'static str, context: &str) -> Result<Token, Fault> {
        if self.is_mark(mark) { Ok(self.next()) } else { self.unexpected(context, &format!("{mark:?}")) }
    }

    /// The fault that the next token makes.
    fn unexpected<T>(&self, context: &str, expected: &str) -> Result<T, Fault> {
        let token = self.peek();
        let mut message = format!("unexpected {}", self.described(token));
        if !context.is_empty() {
            message += &format!(" in {context}");
        }
        if !expected.is_empty() {
            message += &format!(", expected {expected}");
        }
        fault(token.span, message)
    }

    /// A token as Prometheus' messages call it.
    fn described(&self, token: &Token) -> String {
        let raw = self.raw(token);
        let short = |text: &str| match text.char_indices().nth(10) {
            Some((position, _)) => format!("{:?}...", text.get(..position).unwrap_or_default()),
            None => format!("{text:?}"),
        };
        match &token.kind {
            Kind::End => "end of input".to_owned(),
            Kind::Word => {
                let lower = raw.to_ascii_lowercase();
                if crate::AggregateOp::ALL.iter().any(|op| op.name() == lower) {
                    format!("<aggr:{lower}>")
                } else if matches!(lower.as_str(), "and" | "or" | "unless" | "atan2") {
                    format!("<op:{lower}>")
                } else if KEYWORDS.contains(&lower.as_str()) {
                    format!("<{lower}>")
                } else {
                    format!("identifier {raw:?}")
                }
            }
            Kind::MetricWord => format!("metric identifier {raw:?}"),
            Kind::String(_) => format!("string {}", short(raw)),
            Kind::Number(_) => format!("number {}", short(raw)),
            Kind::Duration(_) => format!("duration {}", short(raw)),
            Kind::Mark(mark @ ("(" | ")" | "{" | "}" | "[" | "]" | "," | ":" | "=" | "@")) => format!("{mark:?}"),
            Kind::Mark(mark) => format!("<op:{mark}>"),
        }
    }

    /// Goes one step down.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth >= self.depth_max {
            return self.too_deep(self.peek().span);
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn too_deep<T>(&self, span: Span) -> Result<T, Fault> {
        fault(span, format!("expression is nested more than {} levels deep", self.depth_max))
    }

    /// An expression around others, whose heights bound its own.
    fn node(&self, node: Node, span: Span) -> Result<Expr, Fault> {
        let mut expr = Expr { node, span, height: 0 };
        expr.height = 1 + expr.children().iter().map(|child| child.height).max().unwrap_or(0);
        if expr.height > self.depth_max { self.too_deep(span) } else { Ok(expr) }
    }

    /// An expression whose operators bind at least so strongly.
    fn expr(&mut self, binding: u8) -> Result<Expr, Fault> {
        self.deeper(|parser| {
            let mut left = parser.unary()?;
            while let Some(op) = parser.binary_op().filter(|op| op.precedence() >= binding.max(1)) {
                let op_span = parser.next().span;
                let (returns_bool, matching) = parser.modifiers(op)?;
                let strength = op.precedence() + u8::from(op != BinaryOp::Pow);
                let right = parser.expr(strength)?;
                let span = Span { start: left.span.start, end: right.span.end };
                let binary = Binary { op, op_span, returns_bool, matching: Some(matching), left, right };
                left = parser.node(Node::Binary(Box::new(binary)), span)?;
                check::fix_matching(&mut left)?;
            }
            Ok(left)
        })
    }

    fn binary_op(&self) -> Option<BinaryOp> {
        let token = self.peek();
        let word = match token.kind {
            Kind::Mark(mark) => mark.to_owned(),
            Kind::Word => self.raw(token).to_ascii_lowercase(),
            _ => return None,
        };
        Some(match word.as_str() {
            "+" => BinaryOp::Add,
            "-" => BinaryOp::Sub,
            "*" => BinaryOp::Mul,
            "/" => BinaryOp::Div,
            "%" => BinaryOp::Mod,
            "^" => BinaryOp::Pow,
            "atan2" => BinaryOp::Atan2,
            "==" => BinaryOp::Equal,
            "!=" => BinaryOp::NotEqual,
            "<" => BinaryOp::Less,
            "<=" => BinaryOp::LessOrEqual,
            ">" => BinaryOp::Greater,
            ">=" => BinaryOp::GreaterOrEqual,
            "</" => BinaryOp::TrimUpper,
            ">/" => BinaryOp::TrimLower,
            "and" => BinaryOp::And,
            "or" => BinaryOp::Or,
            "unless" => BinaryOp::Unless,
            _ => return None,
        })
    }

    /// What may stand between a binary operator and its right operand.
    fn modifiers(&mut self, op: BinaryOp) -> Result<(bool, Matching), Fault> {
        let cardinality = if op.is_set() { Cardinality::ManyToMany } else { Cardinality::OneToOne };
        let mut matching =
            Matching { cardinality, on: false, labels: Vec::new(), include: Vec::new(), fill: (None, None) };
        let returns_bool = self.accept_word("bool");
        if self.is_word(0, "on") || self.is_word(0, "ignoring") {
            matching.on = self.is_word(0, "on");
            self.at += 1;
            matching.labels = self.grouping_labels()?;
            let grouped = [("group_left", Cardinality::ManyToOne), ("group_right", Cardinality::OneToMany)];
            if let Some((word, cardinality)) = grouped.into_iter().find(|(word, _)| self.is_word(0, word)) {
                self.accept_word(word);
                matching.cardinality = cardinality;
                if self.is_mark("(") {
                    matching.include = self.grouping_labels()?;
                }
            }
        }
        self.fill(op, &mut matching)?;
        Ok((returns_bool, matching))
    }

    /// `fill(0)`, or `fill_left(0)` and `fill_right(0)` in any order.
    fn fill(&mut self, op: BinaryOp, matching: &mut Matching) -> Result<(), Fault> {
        loop {
            let found = ["fill", "fill_left", "fill_right"].into_iter().find(|word| self.is_word(0, word));
            let Some(word) = found.filter(|_| matches!(self.peek_at(1).kind, Kind::Mark("("))) else {
                return Ok(());
            };
            let span = self.next().span;
            if !self.features.fill_modifiers {
                return fault(span, "binop fill modifiers are experimental and not enabled");
            }
            if op.is_set() {
                return fault(span, "filling in missing series not allowed for set operators".to_string());
            }
            self.expect_mark("(", "fill value")?;
            let sign = if self.accept_mark("-") { -1.0 } else { f64::from(u8::from(self.accept_mark("+"))).max(1.0) };
            let Some(value) = self.number_value() else {
                return self.unexpected("fill value", "number");
            };
            self.expect_mark(")", "fill value")?;
            let value = Some(sign * value);
            match word {
                "fill_left" => matching.fill.0 = value,
                "fill_right" => matching.fill.1 = value,
                _ => matching.fill = (value, value),
            }
        }
    }

    /// A number or a span of time in seconds, if one follows; it is then behind.
    fn number_value(&mut self) -> Option<f64> {
        let token = self.peek();
        let value = match token.kind {
            Kind::Number(number) => number,
            Kind::Duration(ms) => ms as f64 / 1000.0,
            Kind::Word if self.raw(token).eq_ignore_ascii_case("inf") => f64::INFINITY,
            Kind::Word if self.raw(token).eq_ignore_ascii_case("nan") => f64::NAN,
            _ => return None,
        };
        self.at += 1;
        Some(value)
    }

    fn unary(&mut self) -> Result<Expr, Fault> {
        let sign = self.peek().clone();
        if !matches!(sign.kind, Kind::Mark("+" | "-")) {
            return self.postfix();
        }
        self.at += 1;
        let negative = sign.kind == Kind::Mark("-");
        // It binds like a product, so a power beneath it is taken first.
        let inner = self.expr(BinaryOp::Pow.precedence())?;
        let span = Span { start: sign.span.start, end: inner.span.end };
        let signed = |number: f64| if negative { -number } else { number };
        match inner.node {
            Node::Number(number) => Ok(Expr { node: Node::Number(signed(number)), span, height: 1 }),
            Node::Duration(seconds) => Ok(Expr { node: Node::Duration(signed(seconds)), span, height: 1 }),
            _ => self.node(Node::Unary(negative, Box::new(inner)), span),
        }
    }

    /// A primary with what may follow it: ranges, `offset`, `@`, `anchored`, `smoothed`.
    fn postfix(&mut self) -> Result<Expr, Fault> {
        let mut expr = self.primary()?;
        loop {
            if self.is_mark("[") {
                expr = self.brackets(expr)?;
            } else if self.is_word(0, "offset") {
                self.offset(&mut expr)?;
            } else if self.is_mark("@") {
                self.at_modifier(&mut expr)?;
            } else if self.is_word(0, "anchored") || self.is_word(0, "smoothed") {
                self.extended(&mut expr)?;
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let token = self.peek().clone();
        let leaf = |node| Ok(Expr { node, span: token.span, height: 1 });
        match &token.kind {
            Kind::Mark("(") => {
                self.at += 1;
                let inner = self.expr(0)?;
                if !self.is_mark(")") {
                    return self.unexpected("", "");
                }
                let close = self.next();
                self.node(Node::Paren(Box::new(inner)), Span { start: token.span.start, end: close.span.end })
            }
            Kind::Mark("{") | Kind::MetricWord => self.selector(),
            Kind::String(value) => {
                self.at += 1;
                leaf(Node::String(value.clone()))
            }
            Kind::Number(_) => {
                let value = self.number_value().unwrap_or(f64::NAN);
                leaf(Node::Number(value))
            }
            Kind::Duration(_) => {
                let seconds = self.number_value().unwrap_or(f64::NAN);
                leaf(Node::Duration(seconds))
            }
            Kind::Word => self.word(&token),
            Kind::End => self.unexpected("", ""),
            _ => self.unexpected("", ""),
        }
    }

    fn word(&mut self, token: &Token) -> Result<Expr, Fault> {
        let lower = self.raw(token).to_ascii_lowercase();
        let before_paren = matches!(self.peek_at(1).kind, Kind::Mark("("));
        let grouped = self.is_word(1, "by") || self.is_word(1, "without");
        let op = crate::AggregateOp::ALL.into_iter().find(|op| op.name() == lower);
        match op {
            Some(op) if before_paren || grouped => return self.aggregate(op),
            _ => {}
        }
        if before_paren && !NO_FUNCTIONS.contains(&lower.as_str()) {
            return self.call();
        }
        match lower.as_str() {
            "inf" | "nan" => {
                let value = self.number_value().unwrap_or(f64::NAN);
                Ok(Expr { node: Node::Number(value), span: token.span, height: 1 })
            }
            "on" | "ignoring" | "group_left" | "group_right" | "bool" | "atan2" => self.unexpected("", ""),
            _ => self.selector(),
        }
    }

    fn call(&mut self) -> Result<Expr, Fault> {
        let name = self.next();
        let raw = self.raw(&name);
        let function = function::find(raw);
        let outer = self.lenient;
        let result = self.arguments("", function.is_some_and(|function| function.name == "info"));
        self.lenient = outer;
        // What is wrong with the arguments comes first.
        let (arguments, end) = result?;
        let Some(function) = function else {
            return fault(name.span, format!("unknown function with name {raw:?}"));
        };
        if function.experimental && !self.features.experimental_functions {
            return fault(name.span, format!("function {raw:?} is not enabled"));
        }
        self.node(Node::Call(Call { function, arguments }), Span { start: name.span.start, end })
    }

    /// `(a, b)`, and where it ends.
    ///
    /// `context`: what they are of. `lenient`: after the first one a selector may match everything.
    fn arguments(&mut self, context: &str, lenient: bool) -> Result<(Vec<Expr>, usize), Fault> {
        if !self.accept_mark("(") {
            return self.unexpected(context, "");
        }
        let mut arguments = Vec::new();
        if self.is_mark(")") {
            return Ok((arguments, self.next().span.end));
        }
        loop {
            self.lenient = lenient && !arguments.is_empty();
            if self.is_mark(",") {
                return self.unexpected(context, "");
            }
            arguments.push(self.expr(0)?);
            if self.is_mark(")") {
                return Ok((arguments, self.next().span.end));
            }
            if !self.is_mark(",") {
                return self.unexpected(context, "");
            }
            let comma = self.next();
            if self.is_mark(")") || self.is_mark(",") {
                return fault(comma.span, "trailing commas not allowed in function call args");
            }
        }
    }
}

/// Whether a label may have this name: any text of valid UTF-8 but the empty one.
pub(crate) fn is_label_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(lexer::is_stray)
}
