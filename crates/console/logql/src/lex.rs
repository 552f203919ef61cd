//! Tells word from word in a query. What they mean together is the parser's business.

use console_template::go;

use crate::error::ParseError;
use crate::value::{parse_bytes, parse_duration};

/// Bytes of a query.
pub(crate) const QUERY_BYTES_MAX: usize = 128 * 1024;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Identifier,
    /// What it stands for.
    String(String),
    Number(f64),
    /// Nanoseconds.
    Duration(i64),
    Bytes(u64),
    /// An operator or a parenthesis.
    Symbol,
    /// `--strict`
    Flag,
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) at: usize,
}

const SYMBOLS: [&str; 29] = [
    "|=", "|~", "|>", "!=", "!~", "!>", "==", "=~", ">=", "<=", "|", "=", ">", "<", "+", "-", "*", "/", "%", "^", "(",
    ")", "{", "}", "[", "]", ",", ":", "@",
];

/// Words that Loki's grammar knows; messages name them in capitals.
const KEYWORDS: [&str; 58] = [
    "by",
    "without",
    "and",
    "or",
    "unless",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "offset",
    "json",
    "logfmt",
    "pattern",
    "regexp",
    "unpack",
    "decolorize",
    "line_format",
    "label_format",
    "drop",
    "keep",
    "unwrap",
    "ip",
    "bytes",
    "duration",
    "duration_seconds",
    "vector",
    "label_replace",
    "rate",
    "rate_counter",
    "count_over_time",
    "bytes_rate",
    "bytes_over_time",
    "absent_over_time",
    "sum_over_time",
    "avg_over_time",
    "max_over_time",
    "min_over_time",
    "first_over_time",
    "last_over_time",
    "stdvar_over_time",
    "stddev_over_time",
    "quantile_over_time",
    "sum",
    "avg",
    "min",
    "max",
    "stddev",
    "stdvar",
    "count",
    "bottomk",
    "topk",
    "approx_topk",
    "sort",
    "sort_desc",
    "variants",
    "of",
    "true",
];

impl Token<'_> {
    /// What a message calls it.
    pub(crate) fn name(&self) -> String {
        match &self.kind {
            Kind::Identifier if KEYWORDS.contains(&self.text) && self.text != "true" => self.text.to_ascii_uppercase(),
            Kind::Identifier => "IDENTIFIER".to_owned(),
            Kind::String(_) => "STRING".to_owned(),
            Kind::Number(_) => "NUMBER".to_owned(),
            Kind::Duration(_) => "DURATION".to_owned(),
            Kind::Bytes(_) => "BYTES".to_owned(),
            Kind::Flag => "FUNCTION_FLAG".to_owned(),
            Kind::Symbol => self.text.to_owned(),
            Kind::End => "$end".to_owned(),
        }
    }
}

/// An error at a byte of the text.
pub(crate) fn error_at(text: &str, at: usize, message: impl Into<String>) -> ParseError {
    let before = text.get(..text.floor_char_boundary(at)).unwrap_or_default();
    let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
    ParseError::At { line, column, message: message.into() }
}

/// All words of a query, the end last.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, ParseError> {
    if text.len() > QUERY_BYTES_MAX {
        let told = format!("the query has {} bytes, but it may have {QUERY_BYTES_MAX}", text.len());
        return Err(ParseError::whole(told));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(first) = rest.chars().next() else {
            tokens.push(Token { kind: Kind::End, text: "", at });
            return Ok(tokens);
        };
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if first == '#' {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let (kind, length) = token(text, at, rest, first)?;
        tokens.push(Token { kind, text: rest.get(..length).unwrap_or_default(), at });
        at += length;
    }
}

fn token(text: &str, at: usize, rest: &str, first: char) -> Result<(Kind, usize), ParseError> {
    let while_in = |is: &dyn Fn(char) -> bool| rest.find(|character| !is(character)).unwrap_or(rest.len());
    if first == '_' || first.is_ascii_alphabetic() {
        return Ok((Kind::Identifier, while_in(&|it| it == '_' || it.is_ascii_alphanumeric())));
    }
    if matches!(first, '"' | '`' | '\'') {
        let length = go::quoted_length(rest, first).ok_or_else(|| error_at(text, at, "literal not terminated"))?;
        let quoted = rest.get(..length).unwrap_or_default();
        let value = go::unquote(quoted).ok_or_else(|| error_at(text, at, "invalid char escape"))?;
        return Ok((Kind::String(value), length));
    }
    let second = rest.chars().nth(1);
    if first.is_ascii_digit() || (first == '.' && second.is_some_and(|second| second.is_ascii_digit())) {
        return number(text, at, rest);
    }
    if rest.starts_with("--") && rest.chars().nth(2).is_some_and(|third| third.is_ascii_alphabetic()) {
        let length = while_in(&|it| it == '-' || it.is_ascii_alphabetic());
        return Ok((Kind::Flag, length));
    }
    match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
        Some(symbol) => Ok((Kind::Symbol, symbol.len())),
        None => Err(error_at(text, at, format!("syntax error: unexpected character {first:?}"))),
    }
}

/// A number, a duration or an amount of bytes: digits and what follows them without a space.
fn number(text: &str, at: usize, rest: &str) -> Result<(Kind, usize), ParseError> {
    let mut length = 0;
    let mut before = ' ';
    for (place, character) in rest.char_indices() {
        let exponent = matches!(before, 'e' | 'E')
            && matches!(character, '+' | '-')
            && rest.get(place + 1..).is_some_and(|after| after.starts_with(|it: char| it.is_ascii_digit()))
            && rest.get(..place - 1).is_some_and(|digits| digits.bytes().all(|it| it.is_ascii_digit() || it == b'.'));
        if !(character.is_ascii_alphanumeric() || matches!(character, '.' | 'µ' | 'μ' | '_') || exponent) {
            break;
        }
        before = character;
        length = place + character.len_utf8();
    }
    let word = rest.get(..length).unwrap_or_default();
    let decimal = word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    if let Some(number) = word.parse::<f64>().ok().filter(|_| decimal) {
        if number.is_infinite() {
            // Rust rounds it to infinity, which could not be written down as a number again.
            let told = format!("{} is out of range: the greatest number is 1.7976931348623157e308", go::quote(word));
            return Err(error_at(text, at, told));
        }
        return Ok((Kind::Number(number), length));
    }
    if let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"))
        && let Ok(number) = u64::from_str_radix(digits, 16)
    {
        return Ok((Kind::Number(number as f64), length));
    }
    if let Ok(duration) = parse_duration(word) {
        return Ok((Kind::Duration(duration), length));
    }
    if let Ok(bytes) = parse_bytes(word) {
        return Ok((Kind::Bytes(bytes), length));
    }
    let told = format!("syntax error: {} is no number, duration or amount of bytes, as in 5, 5m, 5MB", go::quote(word));
    Err(error_at(text, at, told))
}
