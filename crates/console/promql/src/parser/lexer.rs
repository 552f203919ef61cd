//! Text to tokens. What they mean together is the parser's business.
//!
//! Inside braces a word is a label and numbers are not allowed; inside brackets a colon separates.

use crate::Span;

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// The end of the text.
    End,
    /// A word without a colon.
    Word,
    /// A word with a colon, which can only be a metric.
    MetricWord,
    /// A quoted text, unquoted.
    String(String),
    /// A number.
    Number(f64),
    /// A span of time, milliseconds.
    Duration(i64),
    /// An operator or a mark.
    Mark(&'static str),
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    pub(super) span: Span,
    pub(super) message: String,
}

pub(super) fn fault<T>(span: Span, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { span, message: message.into() })
}

/// Marks of the plain text, longest first.
const MARKS: [&str; 23] = [
    "==", "=~", "!=", "!~", "<=", "</", ">=", ">/", "=", "<", ">", "+", "-", "*", "/", "%", "^", ",", "@", "(", ")",
    "{", "[",
];

/// Marks inside braces, longest first.
const BRACE_MARKS: [&str; 6] = ["=~", "!=", "!~", "=", ",", "}"];

/// All tokens of a text, the last one being its end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), open: Vec::new(), in_braces: false, bracket: None };
    while lexer.step()? {}
    Ok(lexer.tokens)
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
    /// Where parentheses were opened.
    open: Vec<usize>,
    in_braces: bool,
    /// Where the bracket was opened, and whether its colon has been seen.
    bracket: Option<bool>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn here(&self) -> Span {
        Span { start: self.at, end: self.at + self.peek().map_or(0, char::len_utf8) }
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let span = Span { start: self.at, end: self.at + length };
        self.at = span.end;
        self.tokens.push(Token { kind, span });
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            let comment = rest.get(blanks..).filter(|rest| rest.starts_with('#'));
            let comment = comment.map_or(0, |rest| rest.find('\n').unwrap_or(rest.len()));
            self.at += blanks + comment;
            if comment == 0 {
                return;
            }
        }
    }

    /// One token; false at the end.
    fn step(&mut self) -> Result<bool, Fault> {
        self.skip_blanks();
        let Some(first) = self.peek() else {
            return self.end();
        };
        if self.in_braces {
            return self.inside_braces(first).map(|()| true);
        }
        match first {
            '"' | '\'' | '`' => self.string(first)?,
            '0'..='9' => self.number()?,
            '.' if self.rest().as_bytes().get(1).is_some_and(u8::is_ascii_digit) => self.number()?,
            'a'..='z' | 'A'..='Z' | '_' => self.word(),
            ':' if self.bracket.is_some() => self.colon()?,
            ':' => self.word(),
            _ => self.mark(first)?,
        }
        Ok(true)
    }

    fn end(&mut self) -> Result<bool, Fault> {
        if self.in_braces {
            return fault(self.here(), "unexpected end of input inside braces");
        }
        if self.bracket.is_some() {
            return fault(self.here(), "unexpected end of input in subquery or range selector");
        }
        if !self.open.is_empty() {
            return fault(self.here(), "unclosed left parenthesis");
        }
        self.push(Kind::End, 0);
        Ok(false)
    }

    fn colon(&mut self) -> Result<(), Fault> {
        if self.bracket == Some(true) {
            return fault(self.here(), "unexpected colon ':'");
        }
        self.bracket = Some(true);
        self.push(Kind::Mark(":"), 1);
        Ok(())
    }

    fn mark(&mut self, first: char) -> Result<(), Fault> {
        match first {
            ']' if self.bracket.is_some() => {
                self.bracket = None;
                self.push(Kind::Mark("]"), 1);
                return Ok(());
            }
            ')' if self.open.pop().is_none() => return fault(self.here(), "unexpected right parenthesis ')'"),
            '[' if self.bracket.is_some() => return fault(self.here(), "unexpected left bracket '['"),
            ']' => return fault(self.here(), "unexpected right bracket ']'"),
            '}' => return fault(self.here(), "unexpected right brace '}'"),
            _ => {}
        }
        let Some(mark) = MARKS.into_iter().find(|mark| self.rest().starts_with(mark)) else {
            if first == '!' {
                let after = self.rest().chars().nth(1).unwrap_or('\0');
                return fault(self.here(), format!("unexpected character after '!': {after:?}"));
            }
            return fault(self.here(), format!("unexpected character: {first:?}"));
        };
        match mark {
            "(" => self.open.push(self.at),
            "{" => self.in_braces = true,
            "[" => self.bracket = Some(false),
            _ => {}
        }
        self.push(Kind::Mark(mark), mark.len());
        Ok(())
    }

    fn inside_braces(&mut self, first: char) -> Result<(), Fault> {
        match first {
            '{' => return fault(self.here(), "unexpected left brace '{'"),
            '"' | '\'' | '`' => return self.string(first),
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = self.rest().find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                self.push(Kind::Word, length.unwrap_or(self.rest().len()));
                return Ok(());
            }
            _ => {}
        }
        let Some(mark) = BRACE_MARKS.into_iter().find(|mark| self.rest().starts_with(mark)) else {
            if first == '!' {
                let after = self.rest().chars().nth(1).unwrap_or('\0');
                return fault(self.here(), format!("unexpected character after '!' inside braces: {after:?}"));
            }
            return fault(self.here(), format!("unexpected character inside braces: {first:?}"));
        };
        if mark == "}" {
            self.in_braces = false;
        }
        self.push(Kind::Mark(mark), mark.len());
        Ok(())
    }

    fn word(&mut self) {
        let colons = self.bracket.is_none();
        let belongs = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
        let rest = self.rest();
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let with_colon = rest.get(..length).is_some_and(|word| word.contains(':'));
        self.push(if with_colon { Kind::MetricWord } else { Kind::Word }, length);
    }

    fn string(&mut self, quote: char) -> Result<(), Fault> {
        let unterminated = |lexer: &Self| {
            let kind = if quote == '`' { "unterminated raw string" } else { "unterminated quoted string" };
            fault(Span { start: lexer.at, end: lexer.text.len() }, kind)
        };
        let body = self.rest().get(1..).unwrap_or_default();
        if quote == '`' {
            let Some(length) = body.find('`') else {
                return unterminated(self);
            };
            let value = body.get(..length).unwrap_or_default().to_owned();
            self.push(Kind::String(value), length + 2);
            return Ok(());
        }
        let mut escaped = false;
        for (position, character) in body.char_indices() {
            match character {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if character == quote => {
                    let span = Span { start: self.at, end: self.at + position + 2 };
                    let value = unquoted(body.get(..position).unwrap_or_default(), quote)
                        .map_or_else(|message| fault(span, message), Ok)?;
                    self.push(Kind::String(value), position + 2);
                    return Ok(());
                }
                _ => {}
            }
        }
        unterminated(self)
    }

    fn number(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let length = number_length(rest);
        let belongs = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let follows = |length: usize| rest.get(length..).and_then(|rest| rest.chars().next());
        let text = rest.get(..length).unwrap_or_default();
        if !follows(length).is_some_and(belongs)
            && let Some(number) = number(text)
        {
            self.push(Kind::Number(number), length);
            return Ok(());
        }
        let length = rest.find(|c: char| !belongs(c)).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        match duration_ms(word) {
            Some(duration) => {
                self.push(Kind::Duration(duration), length);
                Ok(())
            }
            None => {
                let span = Span { start: self.at, end: self.at + length };
                fault(span, format!("bad number or duration syntax: {word:?}"))
            }
        }
    }
}

/// How long the number at the beginning is.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let digits = |mut at: usize, hex: bool| {
        while byte(at).is_ascii_digit() || byte(at) == b'_' || (hex && byte(at).is_ascii_hexdigit()) {
            at += 1;
        }
        at
    };
    if byte(0) == b'0' && matches!(byte(1), b'x' | b'X') {
        return digits(2, true);
    }
    let mut at = digits(0, false);
    if byte(at) == b'.' {
        at = digits(at + 1, false);
    }
    if matches!(byte(at), b'e' | b'E') {
        let sign = usize::from(matches!(byte(at + 1), b'+' | b'-'));
        if byte(at + 1 + sign).is_ascii_digit() {
            at = digits(at + 1 + sign, false);
        }
    }
    at
}

/// A number as Go reads it: decimal, hexadecimal, octal with a leading zero, underscores between digits.
pub(super) fn number(text: &str) -> Option<f64> {
    let lone = |pair: &[u8]| pair == b"__";
    if text.ends_with('_') || text.starts_with('_') || text.as_bytes().windows(2).any(lone) {
        return None;
    }
    let plain = text.replace('_', "");
    if let Some(hex) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok().map(|number| number as f64);
    }
    if plain.len() > 1
        && plain.starts_with('0')
        && plain.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(octal) = i64::from_str_radix(&plain, 8)
    {
        return Some(octal as f64);
    }
    plain.parse().ok()
}

/// A span of time such as `1h30m`, units from large to small, each at most once.
pub(super) fn duration_ms(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 7] = [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
        ("w", 7 * 86_400_000),
        ("y", 365 * 86_400_000),
    ];
    let (mut rest, mut total, mut largest) = (text, 0_i64, i64::MAX);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|length| *length > 0)?;
        let (count, after) = rest.split_at_checked(digits)?;
        let (unit, unit_ms) = UNITS.into_iter().find(|(unit, _)| after.starts_with(unit))?;
        if unit_ms >= largest {
            return None;
        }
        largest = unit_ms;
        total = total.checked_add(count.parse::<i64>().ok()?.checked_mul(unit_ms)?)?;
        rest = after.get(unit.len()..)?;
    }
    // Prometheus counts nanoseconds in 64 bits.
    (!text.is_empty() && total <= i64::MAX / 1_000_000).then_some(total)
}

/// What a quoted text says; escapes are Go's. A text that they make no UTF-8 is refused.
fn unquoted(body: &str, quote: char) -> Result<String, String> {
    if !body.contains('\\') {
        return Ok(body.to_owned());
    }
    let mut out: Vec<u8> = Vec::with_capacity(body.len());
    let mut chars = body.chars();
    let mut utf8 = [0; 4];
    while let Some(character) = chars.next() {
        if character != '\\' {
            out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
            continue;
        }
        let escape = chars.next().unwrap_or('\0');
        let simple = match escape {
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'n' => Some(b'\n'),
            'r' => Some(b'\r'),
            't' => Some(b'\t'),
            'v' => Some(11),
            '\\' => Some(b'\\'),
            _ if escape == quote => Some(quote as u8),
            _ => None,
        };
        if let Some(byte) = simple {
            out.push(byte);
            continue;
        }
        let (digits, radix) = match escape {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => (2, 8),
            _ => return Err(format!("unknown escape sequence {:?}", escape)),
        };
        let mut code = if radix == 8 { escape.to_digit(8).unwrap_or(0) } else { 0 };
        for _ in 0..digits {
            let digit = chars.next().and_then(|c| c.to_digit(radix));
            let digit = digit.ok_or_else(|| "illegal character in escape sequence".to_owned())?;
            code = code.wrapping_mul(radix).wrapping_add(digit);
        }
        if matches!(escape, 'u' | 'U') {
            let character = char::from_u32(code);
            let character = character.ok_or("escape sequence is an invalid Unicode code point")?;
            out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
        } else {
            out.push(u8::try_from(code).map_err(|_| "octal escape value > 255".to_owned())?);
        }
    }
    Ok(String::from_utf8(out).unwrap_or_else(|error| {
        let mut text = String::new();
        for chunk in error.as_bytes().utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(STRAY + u32::from(*byte))));
        }
        text
    }))
}

/// A byte that makes no UTF-8 is kept as a character beyond this one, all of which are for private use, for
/// it is no error before it is used as a name.
const STRAY: u32 = 0x10_fe00;

/// Whether a character stands for a byte that makes no UTF-8.
pub(crate) fn is_stray(character: char) -> bool {
    stray_byte(character).is_some()
}

/// The byte that a character stands for, if it stands for one.
pub(crate) fn stray_byte(character: char) -> Option<u8> {
    u32::from(character).checked_sub(STRAY).and_then(|byte| u8::try_from(byte).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_from_large_to_small() {
        assert_eq!(duration_ms("1h30m"), Some(5_400_000));
        assert_eq!(duration_ms("1m5ms"), Some(60_005));
        assert_eq!(duration_ms("1y1w1d"), Some((365 + 8) * 86_400_000));
        for wrong in ["", "5", "m", "5mm", "1m1h", "5m3", "99999999999y"] {
            assert_eq!(duration_ms(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_are_those_of_go() {
        let cases = [
            ("0x1F", 31.0),
            ("1_000", 1000.0),
            ("0755", 493.0),
            ("08", 8.0),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("2.", 2.0),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text), Some(expected), "{text}");
        }
        assert_eq!(number("1__0"), None);
    }

    #[test]
    fn escapes_are_those_of_go() {
        assert_eq!(unquoted(r#"a\n\x41\u00e9\101\""#, '"').unwrap(), "a\nAéA\"");
        assert!(unquoted(r"\'", '"').is_err());
        assert_eq!(unquoted(r"a\xff", '"').unwrap().chars().last().and_then(stray_byte), Some(0xff));
    }
}
