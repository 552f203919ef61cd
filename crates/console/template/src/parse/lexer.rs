//! Tells text from actions, and in actions word from word. What words mean together is the parser's business.

use crate::go;

const OPEN: &str = "{{";
const CLOSE: &str = "}}";
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

/// What comes next outside of actions.
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// An action begins.
    Action,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A function or a keyword.
    Word,
    /// `.name`
    Field,
    /// `$name`, or `$`
    Variable,
    Number,
    /// A character in single quotes.
    Character,
    /// A text, quotes included.
    Quoted,
    Dot,
    Pipe,
    Open,
    CloseParenthesis,
    Declare,
    Assign,
    Comma,
    /// The end of the action.
    Close,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
    pub(super) at: u32,
    /// Whether a space stands before it.
    pub(super) is_apart: bool,
}

pub(super) fn is_keyword(word: &str) -> bool {
    ["if", "else", "end", "range", "with", "template", "define", "block", "break", "continue"].contains(&word)
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    place: usize,
    /// Whether the text that comes next loses its spaces at the front.
    trims: bool,
}

type Lexed<T> = Result<T, (u32, String)>;

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, place: 0, trims: false }
    }

    pub(super) const fn text(&self) -> &'a str {
        self.text
    }

    /// The byte at which it goes on.
    pub(super) fn place(&self) -> u32 {
        u32::try_from(self.place).unwrap_or(u32::MAX)
    }

    /// Goes back to a place within the same action.
    pub(super) fn go_back(&mut self, place: u32) {
        self.place = place as usize;
        self.trims = false;
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.place..).unwrap_or_default()
    }

    fn fail<T>(&self, message: impl Into<String>) -> Lexed<T> {
        Err((self.place(), message.into()))
    }

    /// Text up to the next action, or the beginning of that action. Comments are gone.
    pub(super) fn piece(&mut self) -> Lexed<Piece<'a>> {
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return Ok(Piece::End);
            }
            let at = rest.find(OPEN);
            if at != Some(0) || self.trims {
                let end = at.unwrap_or(rest.len());
                let mut text = rest.get(..end).unwrap_or_default();
                self.place += end;
                if std::mem::take(&mut self.trims) {
                    text = text.trim_start_matches(SPACES);
                }
                if at.is_some() && self.opens_trimming() {
                    text = text.trim_end_matches(SPACES);
                }
                if !text.is_empty() {
                    return Ok(Piece::Text(text));
                }
                continue;
            }
            let before = self.place;
            let trim = if self.opens_trimming() { 2 } else { 0 };
            self.place += OPEN.len() + trim;
            if !self.rest().starts_with("/*") {
                return Ok(Piece::Action);
            }
            let Some(end) = self.rest().find("*/") else {
                self.place = before;
                return self.fail("unclosed comment");
            };
            self.place += end + 2;
            if let Some(after) = self.rest().strip_prefix(SPACES).and_then(|after| after.strip_prefix("-}}")) {
                self.place = self.text.len() - after.len();
                self.trims = true;
            } else if let Some(after) = self.rest().strip_prefix(CLOSE) {
                self.place = self.text.len() - after.len();
            } else {
                return self.fail("comment ends before closing delimiter");
            }
        }
    }

    /// Whether an action that begins here takes the spaces before it: `{{- `.
    fn opens_trimming(&self) -> bool {
        let inner = self.rest().strip_prefix(OPEN).and_then(|rest| rest.strip_prefix('-'));
        inner.is_some_and(|rest| rest.starts_with(SPACES))
    }

    /// The next word of an action.
    pub(super) fn token(&mut self) -> Lexed<Token<'a>> {
        let trimmed = self.rest().trim_start_matches(SPACES);
        let is_apart = trimmed.len() < self.rest().len();
        // A minus belongs to the end of an action only behind a space.
        if let Some(after) = trimmed.strip_prefix("-}}").filter(|_| is_apart) {
            let at = self.text.len() - trimmed.len();
            self.place = self.text.len() - after.len();
            self.trims = true;
            return Ok(self.made(TokenKind::Close, at, is_apart));
        }
        self.place = self.text.len() - trimmed.len();
        let at = self.place;
        let Some(first) = trimmed.chars().next() else {
            return self.fail("unclosed action");
        };
        let name_end = |from: usize| {
            let rest = trimmed.get(from..).unwrap_or_default();
            from + rest.find(|character: char| character != '_' && !character.is_alphanumeric()).unwrap_or(rest.len())
        };
        let second = trimmed.chars().nth(1);
        let (kind, length) = match first {
            '}' if trimmed.starts_with(CLOSE) => (TokenKind::Close, 2),
            '(' => (TokenKind::Open, 1),
            ')' => (TokenKind::CloseParenthesis, 1),
            '|' => (TokenKind::Pipe, 1),
            ',' => (TokenKind::Comma, 1),
            '=' => (TokenKind::Assign, 1),
            ':' if second == Some('=') => (TokenKind::Declare, 2),
            ':' => return self.fail("expected :="),
            '"' | '`' | '\'' => {
                let Some(length) = go::quoted_length(trimmed, first) else {
                    return self.fail(match first {
                        '`' => "unterminated raw quoted string",
                        '"' => "unterminated quoted string",
                        _ => "unterminated character constant",
                    });
                };
                (if first == '\'' { TokenKind::Character } else { TokenKind::Quoted }, length)
            }
            '$' => (TokenKind::Variable, name_end(1)),
            '.' if second.is_some_and(|second| second == '_' || second.is_alphabetic()) => {
                (TokenKind::Field, name_end(1))
            }
            '.' if !second.is_some_and(|second| second.is_ascii_digit()) => (TokenKind::Dot, 1),
            '.' | '+' | '-' | '0'..='9' => (TokenKind::Number, number_length(trimmed)),
            first if first == '_' || first.is_alphabetic() => (TokenKind::Word, name_end(0)),
            other => {
                return self.fail(format!("unrecognized character in action: U+{:04X} {other:?}", u32::from(other)));
            }
        };
        self.place += length;
        Ok(self.made(kind, at, is_apart))
    }

    fn made(&self, kind: TokenKind, at: usize, is_apart: bool) -> Token<'a> {
        let text = self.text.get(at..self.place).unwrap_or_default();
        Token { kind, text, at: u32::try_from(at).unwrap_or(u32::MAX), is_apart }
    }
}

fn number_length(text: &str) -> usize {
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let is_sign = matches!(character, '+' | '-') && (at == 0 || matches!(before, 'e' | 'E' | 'p' | 'P'));
        if !(is_sign || character == '.' || character == '_' || character.is_ascii_alphanumeric()) {
            return at;
        }
        before = character;
    }
    text.len()
}
