//! Text to tokens. What they mean together is the parser's business.
//!
//! Inside braces a word is a label and numbers are not allowed; inside brackets a colon separates.

mod literal;

use literal::{NoDuration, duration_ms, number, number_length, unquoted};

pub(crate) use literal::{is_stray, shown, stray_byte};

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
const MARKS: [&str; 21] =
    ["==", "!=", "<=", "</", ">=", ">/", "=", "<", ">", "+", "-", "*", "/", "%", "^", ",", "@", "(", ")", "{", "["];

/// Marks inside braces, longest first.
const BRACE_MARKS: [&str; 6] = ["=~", "!=", "!~", "=", ",", "}"];

/// Words that may stand in brackets.
const BRACKET_WORDS: [&str; 6] = ["step", "range", "min", "max", "min_of", "max_of"];

/// The tokens of a text up to what is none, if there is such. The last one is the end in any case.
pub(super) fn tokens(text: &str) -> (Vec<Token>, Option<Fault>) {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), open: Vec::new(), in_braces: false, bracket: None };
    let fault = loop {
        match lexer.step() {
            Ok(true) => {}
            Ok(false) => break None,
            Err(fault) => break Some(fault),
        }
    };
    if fault.is_some() {
        lexer.push(Kind::End, 0);
    }
    (lexer.tokens, fault)
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
            '"' | '\'' | '`' if self.bracket.is_some() => return self.stranger_in_bracket(first),
            '"' | '\'' | '`' => self.string(first)?,
            '0'..='9' => self.number()?,
            '.' if self.rest().as_bytes().get(1).is_some_and(u8::is_ascii_digit) => self.number()?,
            'a'..='z' | 'A'..='Z' | '_' => {
                let word = self.word();
                if self.bracket.is_some() && !BRACKET_WORDS.contains(&word.to_ascii_lowercase().as_str()) {
                    return self.stranger_in_bracket(first);
                }
                self.push(if word.contains(':') { Kind::MetricWord } else { Kind::Word }, word.len());
            }
            ':' if self.bracket.is_some() => self.colon()?,
            ':' => self.push(Kind::MetricWord, self.word().len()),
            _ => self.mark(first)?,
        }
        Ok(true)
    }

    fn end(&mut self) -> Result<bool, Fault> {
        if self.in_braces {
            return fault(self.here(), "unexpected end of input inside braces");
        }
        if !self.open.is_empty() {
            return fault(self.here(), "unclosed left parenthesis");
        }
        if self.bracket.is_some() {
            return fault(self.here(), "unclosed left bracket");
        }
        self.push(Kind::End, 0);
        Ok(false)
    }

    fn stranger_in_bracket<T>(&self, first: char) -> Result<T, Fault> {
        fault(self.here(), format!("unexpected character in duration expression: {}", rune(first)))
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
            // Prometheus has it behind it when it finds out.
            ')' if self.open.pop().is_none() => {
                let behind = Span { start: self.here().end, end: self.here().end };
                return fault(behind, "unexpected right parenthesis ')'");
            }
            '[' if self.bracket.is_some() => return fault(self.here(), "unexpected left bracket '['"),
            ']' => return fault(self.here(), "unexpected right bracket ']'"),
            '=' | '!' if self.rest().get(1..).is_some_and(|rest| rest.starts_with('~')) => {
                return fault(self.here(), format!("unexpected character after '{first}': '~'"));
            }
            _ => {}
        }
        let Some(mark) = MARKS.into_iter().find(|mark| self.rest().starts_with(mark)) else {
            if first == '!' {
                let after = self.rest().chars().nth(1).unwrap_or(char::REPLACEMENT_CHARACTER);
                return fault(self.here(), format!("unexpected character after '!': {}", rune(after)));
            }
            return fault(self.here(), format!("unexpected character: {}", rune(first)));
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
                let after = self.rest().chars().nth(1).unwrap_or(char::REPLACEMENT_CHARACTER);
                return fault(self.here(), format!("unexpected character after '!' inside braces: {}", rune(after)));
            }
            return fault(self.here(), format!("unexpected character inside braces: {}", rune(first)));
        };
        if mark == "}" {
            self.in_braces = false;
        }
        self.push(Kind::Mark(mark), mark.len());
        Ok(())
    }

    /// The word that comes next.
    fn word(&self) -> String {
        let colons = self.bracket.is_none();
        let belongs = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
        self.rest().chars().take_while(|character| belongs(*character)).collect()
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
            if number.is_infinite() {
                let told = format!("error parsing number: strconv.ParseFloat: parsing {text:?}: value out of range");
                return fault(Span { start: self.at, end: self.at + length }, told);
            }
            self.push(Kind::Number(number), length);
            return Ok(());
        }
        let length = rest.find(|c: char| !belongs(c)).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        let span = Span { start: self.at, end: self.at + length };
        match duration_ms(word) {
            Ok(duration) => {
                self.push(Kind::Duration(duration), length);
                Ok(())
            }
            Err(NoDuration::Syntax) => fault(span, format!("bad number or duration syntax: {word:?}")),
            Err(NoDuration::Order) => fault(span, format!("not a valid duration string: {word:?}")),
            Err(NoDuration::TooLong) => fault(span, "duration out of range"),
        }
    }
}

/// A character in quotes as Go's `%q` writes it.
fn rune(character: char) -> String {
    // The one thing that Rust writes differently and that a query may well have.
    if character == '"' { "'\"'".to_owned() } else { format!("{character:?}") }
}
