//! Reads a query into its tree, with Loki's words where it is none. Pipelines and metric queries have their
//! own files; what is common stands here.

mod label_filter;
mod metric;
mod pipeline;

use console_model::Text;

use crate::ast::{Expr, LogExpr, MatchOp, Matcher};
use crate::error::ParseError;
use crate::lex::{Kind, Token, error_at, tokens};
use crate::regexp;

/// Parentheses within each other.
const DEPTH_MAX: usize = 100;
/// Operators one after the other, each of which makes the tree deeper.
const OPERATORS_MAX: usize = 300;
/// Matchers of a selector.
const MATCHERS_MAX: usize = 100;
/// Regular expressions of a query: a short one may take a megabyte when it is compiled.
const PATTERNS_MAX: usize = 100;

const NO_SELECTION: &str = "queries require at least one regexp or equality matcher that does not have an \
                            empty-compatible value. For instance, app=~\".*\" does not meet this requirement, but \
                            app=~\".+\" will";

/// Reads a query.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    let mut parser = Parser::new(text)?;
    let expr = parser.expression()?;
    parser.end()?;
    Ok(expr)
}

/// Reads a query of lines.
pub fn parse_log(text: &str) -> Result<LogExpr, ParseError> {
    match parse(text)? {
        Expr::Log(log) => Ok(log),
        Expr::Metric(_) => Err(ParseError::whole("only log selector is supported")),
    }
}

/// Reads a selector, as in `{app="api"}`. Here `{}` selects every stream.
pub fn parse_selector(text: &str) -> Result<Vec<Matcher>, ParseError> {
    let mut parser = Parser::new(text)?;
    let matchers = parser.matchers()?;
    parser.end()?;
    Ok(matchers)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
    operators: usize,
    patterns: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, ParseError> {
        Ok(Self { text, tokens: tokens(text)?, at: 0, depth: 0, operators: 0, patterns: 0 })
    }

    /// The word that is next, or one further on. There is always an end.
    fn peek_at(&self, ahead: usize) -> &Token<'a> {
        const END: &Token<'static> = &Token { kind: Kind::End, text: "", at: 0 };
        self.tokens.get(self.at + ahead).or_else(|| self.tokens.last()).unwrap_or(END)
    }

    fn peek(&self) -> &Token<'a> {
        self.peek_at(0)
    }

    fn advance(&mut self) -> Token<'a> {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Symbol && token.text == symbol
    }

    fn is_word(&self, word: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Identifier && token.text == word
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let is = self.is_symbol(symbol);
        self.at += usize::from(is);
        is
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        self.at += usize::from(is);
        is
    }

    fn error(&self, message: impl Into<String>) -> ParseError {
        error_at(self.text, self.peek().at, message)
    }

    /// What is next is not what may be; up to four that might are named.
    fn unexpected(&self, expected: &[&str]) -> ParseError {
        let mut message = format!("syntax error: unexpected {}", self.peek().name());
        if (1..=4).contains(&expected.len()) {
            message.push_str(", expecting ");
            message.push_str(&expected.join(" or "));
        }
        self.error(message)
    }

    fn expect(&mut self, symbol: &str) -> Result<(), ParseError> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.unexpected(&[symbol])) }
    }

    fn end(&self) -> Result<(), ParseError> {
        if self.peek().kind == Kind::End { Ok(()) } else { Err(self.unexpected(&[])) }
    }

    fn deeper(&mut self) -> Result<(), ParseError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error(format!("nested deeper than {DEPTH_MAX} parentheses")));
        }
        Ok(())
    }

    /// Counts an operator: a chain of them is as deep as it is long.
    fn chained(&mut self) -> Result<(), ParseError> {
        self.operators += 1;
        if self.operators > OPERATORS_MAX {
            return Err(self.error(format!("more than {OPERATORS_MAX} operators")));
        }
        Ok(())
    }

    /// Counts and checks a regular expression that stands at a byte of the text.
    fn pattern<T>(&mut self, at: usize, compile: impl FnOnce() -> Result<T, String>) -> Result<(), ParseError> {
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX {
            return Err(error_at(self.text, at, format!("more than {PATTERNS_MAX} regular expressions")));
        }
        compile().map(drop).map_err(|told| error_at(self.text, at, told))
    }

    fn identifier(&mut self) -> Result<Text, ParseError> {
        if self.peek().kind != Kind::Identifier {
            return Err(self.unexpected(&["IDENTIFIER"]));
        }
        Ok(self.advance().text.into())
    }

    fn string(&mut self) -> Result<Text, ParseError> {
        match &self.peek().kind {
            Kind::String(value) => {
                let value = value.as_str().into();
                self.at += 1;
                Ok(value)
            }
            _ => Err(self.unexpected(&["STRING"])),
        }
    }

    /// A number with its sign.
    fn number(&mut self) -> Result<f64, ParseError> {
        let is_negative = self.take_symbol("-");
        if !is_negative {
            self.take_symbol("+");
        }
        match self.peek().kind {
            Kind::Number(number) => {
                self.at += 1;
                Ok(if is_negative { -number } else { number })
            }
            _ => Err(self.unexpected(&["NUMBER"])),
        }
    }

    fn duration(&mut self) -> Result<i64, ParseError> {
        let is_negative = self.take_symbol("-");
        match self.peek().kind {
            Kind::Duration(duration) => {
                self.at += 1;
                Ok(if is_negative { -duration } else { duration })
            }
            _ => Err(self.unexpected(&["DURATION"])),
        }
    }

    /// `(a, b)`
    fn labels(&mut self) -> Result<Vec<Text>, ParseError> {
        self.expect("(")?;
        let mut labels = Vec::new();
        while !self.take_symbol(")") {
            labels.push(self.identifier()?);
            if !self.is_symbol(")") && !self.take_symbol(",") {
                return Err(self.unexpected(&[",", ")"]));
            }
        }
        Ok(labels)
    }

    /// Any query: lines, or numbers.
    fn expression(&mut self) -> Result<Expr, ParseError> {
        // Parentheses may stand around either; what is in the innermost tells.
        let mut ahead = 0;
        while self.peek_at(ahead).text == "(" && self.peek_at(ahead).kind == Kind::Symbol {
            ahead += 1;
        }
        let first = self.peek_at(ahead);
        if first.kind == Kind::Symbol && first.text == "{" {
            return self.whole_log().map(Expr::Log);
        }
        self.metric(0).map(Expr::Metric)
    }

    /// A query of lines, in parentheses or not.
    fn whole_log(&mut self) -> Result<LogExpr, ParseError> {
        if self.is_symbol("(") {
            self.deeper()?;
            self.at += 1;
            let mut log = self.whole_log()?;
            self.expect(")")?;
            self.depth -= 1;
            log.stages.extend(self.pipeline(false)?);
            return Ok(log);
        }
        let matchers = self.selector()?;
        let stages = self.pipeline(false)?;
        Ok(LogExpr { matchers, stages })
    }

    /// A selector that does not select everything.
    fn selector(&mut self) -> Result<Vec<Matcher>, ParseError> {
        let matchers = self.matchers()?;
        if matchers.iter().any(|matcher| !matches_empty(matcher)) {
            return Ok(matchers);
        }
        Err(ParseError::whole(NO_SELECTION))
    }

    fn matchers(&mut self) -> Result<Vec<Matcher>, ParseError> {
        if !self.take_symbol("{") {
            return Err(self.unexpected(&[]));
        }
        let mut matchers = Vec::new();
        while !self.take_symbol("}") {
            if self.peek().kind != Kind::Identifier {
                return Err(self.unexpected(&["IDENTIFIER", "}"]));
            }
            if matchers.len() >= MATCHERS_MAX {
                return Err(self.error(format!("more than {MATCHERS_MAX} matchers")));
            }
            matchers.push(self.matcher()?);
            if !self.is_symbol("}") && !self.take_symbol(",") {
                return Err(self.unexpected(&["}", ","]));
            }
        }
        Ok(matchers)
    }

    fn matcher(&mut self) -> Result<Matcher, ParseError> {
        let name = self.identifier()?;
        let op = match self.peek().text {
            "=" => MatchOp::Equal,
            "!=" => MatchOp::NotEqual,
            "=~" => MatchOp::Matches,
            "!~" => MatchOp::MatchesNot,
            _ => return Err(self.unexpected(&["=", "!=", "=~", "!~"])),
        };
        self.at += 1;
        self.value_of(name, op)
    }

    /// The text behind a matcher's operator.
    fn value_of(&mut self, name: Text, op: MatchOp) -> Result<Matcher, ParseError> {
        let before = self.peek().at;
        let value = self.string()?;
        if matches!(op, MatchOp::Matches | MatchOp::MatchesNot) {
            self.pattern(before, || regexp::takes_empty(&value))?;
        }
        Ok(Matcher { name, op, value })
    }
}

/// Whether a stream that lacks the label is selected.
fn matches_empty(matcher: &Matcher) -> bool {
    let fits = || regexp::takes_empty(&matcher.value).unwrap_or(false);
    match matcher.op {
        MatchOp::Equal => matcher.value.is_empty(),
        MatchOp::NotEqual => !matcher.value.is_empty(),
        MatchOp::Matches => fits(),
        MatchOp::MatchesNot => !fits(),
    }
}
