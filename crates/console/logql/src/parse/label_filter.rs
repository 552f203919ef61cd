//! Label filters: `| a > 5 and (b = "c" or ip = ip("::1"))`. Both connectives bind alike, from left to right.

use console_model::Text;

use super::Parser;
use crate::ast::{CompareOp, LabelFilter, MatchOp};
use crate::error::ParseError;
use crate::lex::{Kind, error_at};
use crate::stage::AddressRange;

const COMPARISONS: [&str; 9] = ["=", "==", "!=", "=~", "!~", ">", ">=", "<", "<="];

impl Parser<'_> {
    /// Whether a comparison stands behind the word that is next.
    pub(super) fn compares_next(&self) -> bool {
        let (first, second) = (self.peek(), self.peek_at(1));
        first.kind == Kind::Identifier && second.kind == Kind::Symbol && COMPARISONS.contains(&second.text)
    }

    pub(super) fn label_filter(&mut self) -> Result<LabelFilter, ParseError> {
        let mut filter = self.one_label_filter()?;
        loop {
            let is_or = self.is_word("or");
            if is_or || self.is_word("and") || self.is_symbol(",") {
                self.at += 1;
            } else if !self.compares_next() {
                return Ok(filter);
            }
            self.chained()?;
            let next = self.one_label_filter()?;
            let both = (Box::new(filter), Box::new(next));
            filter = if is_or { LabelFilter::Or(both.0, both.1) } else { LabelFilter::And(both.0, both.1) };
        }
    }

    fn one_label_filter(&mut self) -> Result<LabelFilter, ParseError> {
        if self.is_symbol("(") {
            self.deeper()?;
            self.at += 1;
            let filter = self.label_filter()?;
            self.expect(")")?;
            self.depth -= 1;
            return Ok(filter);
        }
        let name = self.identifier()?;
        let symbol = match self.peek() {
            token if token.kind == Kind::Symbol && COMPARISONS.contains(&token.text) => token.text,
            _ => return Err(self.unexpected(&[])),
        };
        self.at += 1;
        if let Some(filter) = self.text_or_address(&name, symbol)? {
            return Ok(filter);
        }
        let op = match symbol {
            "=" | "==" => CompareOp::Equal,
            "!=" => CompareOp::NotEqual,
            ">" => CompareOp::Greater,
            ">=" => CompareOp::GreaterOrEqual,
            "<" => CompareOp::Less,
            "<=" => CompareOp::LessOrEqual,
            _ => return Err(self.unexpected(&["STRING"])),
        };
        let is_negative = self.take_symbol("-");
        let filter = match self.peek().kind {
            Kind::Number(number) => LabelFilter::Number(name, op, if is_negative { -number } else { number }),
            Kind::Duration(duration) => LabelFilter::Duration(name, op, if is_negative { -duration } else { duration }),
            Kind::Bytes(bytes) if !is_negative => LabelFilter::Bytes(name, op, bytes),
            _ => return Err(self.unexpected(&["BYTES", "NUMBER", "DURATION"])),
        };
        self.at += 1;
        Ok(filter)
    }

    /// A comparison with a text or an address, if it is one.
    fn text_or_address(&mut self, name: &Text, symbol: &str) -> Result<Option<LabelFilter>, ParseError> {
        let op = match symbol {
            "=" => MatchOp::Equal,
            "!=" => MatchOp::NotEqual,
            "=~" => MatchOp::Matches,
            "!~" => MatchOp::MatchesNot,
            _ => return Ok(None),
        };
        if matches!(self.peek().kind, Kind::String(_)) {
            return self.value_of(name.clone(), op).map(|matcher| Some(LabelFilter::Matcher(matcher)));
        }
        let fits = op == MatchOp::Equal;
        if (fits || op == MatchOp::NotEqual) && self.is_word("ip") {
            return self.address().map(|pattern| Some(LabelFilter::Ip(name.clone(), fits, pattern)));
        }
        Ok(None)
    }

    /// `ip("10.0.0.0/8")`
    pub(super) fn address(&mut self) -> Result<Text, ParseError> {
        self.at += 1;
        self.expect("(")?;
        let before = self.peek().at;
        let pattern = self.string()?;
        AddressRange::parse(&pattern).map_err(|told| error_at(self.text, before, told))?;
        self.expect(")")?;
        Ok(pattern)
    }
}
