//! Pipelines: commands, their operands, variables. Blocks around them are read one level above.

use super::{Parser, Token, TokenKind, lexer};
use crate::tree::{Callee, Command, Operand, Pipeline, Span, Term};
use crate::{Error, Text, Value, go};

impl<'a> Parser<'a> {
    /// A pipeline up to its end, which is taken: of an action, or of parentheses.
    pub(super) fn pipeline(&mut self, context: &str, end: TokenKind) -> Result<Pipeline, Error> {
        let first = self.peek()?;
        let mut pipeline = Pipeline { at: Span { from: first.at, to: first.at }, ..Pipeline::default() };
        self.variables_of(&mut pipeline, context)?;
        loop {
            let token = self.peek()?;
            if token.kind == end {
                self.token()?;
                if pipeline.commands.is_empty() {
                    return Err(self.error(token.at, format!("missing value for {context}")));
                }
                break;
            }
            pipeline.at.to = token.at;
            let command = self.command(context, end)?;
            pipeline.at.to = command.at.to;
            // What has a value given to it has to be able to take it.
            if !pipeline.commands.is_empty()
                && matches!(command.first.term, Term::Literal(_) | Term::Nil | Term::Dot)
                && command.first.fields.is_empty()
            {
                let at = command.first.at;
                let shown = self.lexer.text().get(at.from as usize..at.to as usize).unwrap_or_default();
                let stage = pipeline.commands.len() + 1;
                let told = format!("non executable command in pipeline stage {stage}: {shown}");
                return Err(self.error(at.from, told));
            }
            pipeline.commands.push(command);
        }
        Ok(pipeline)
    }

    /// `$x :=`, `$x =`, and in a range `$i, $x :=`.
    fn variables_of(&mut self, pipeline: &mut Pipeline, context: &str) -> Result<(), Error> {
        let before = self.lexer.place();
        let mut names: Vec<Text> = Vec::new();
        loop {
            let token = self.peek()?;
            if token.kind != TokenKind::Variable {
                break;
            }
            self.token()?;
            names.push(token.text.into());
            let next = self.peek()?;
            match next.kind {
                TokenKind::Declare | TokenKind::Assign => {
                    self.token()?;
                    pipeline.is_assignment = next.kind == TokenKind::Assign;
                    if pipeline.is_assignment {
                        names.iter().try_for_each(|name| self.known_variable(name, token.at))?;
                    } else {
                        self.variables.extend(names.iter().cloned());
                    }
                    pipeline.variables = names;
                    return Ok(());
                }
                TokenKind::Comma if context == "range" && names.len() < 2 => {
                    self.token()?;
                }
                TokenKind::Comma => return Err(self.error(token.at, format!("too many declarations in {context}"))),
                _ => break,
            }
        }
        if names.len() > 1 {
            return Err(self.error(before, format!("range can only initialize variables, but {context} does not")));
        }
        self.lexer.go_back(before);
        Ok(())
    }

    fn known_variable(&self, name: &str, at: u32) -> Result<(), Error> {
        if self.variables.iter().any(|known| known == name) {
            return Ok(());
        }
        Err(self.error(at, format!("undefined variable {}", go::quote(name))))
    }

    fn command(&mut self, context: &str, end: TokenKind) -> Result<Command, Error> {
        let mut operands: Vec<Operand> = Vec::new();
        loop {
            let token = self.peek()?;
            if token.kind == TokenKind::Pipe {
                self.token()?;
                let next = self.peek()?;
                if operands.is_empty() || next.kind == end {
                    return Err(self.error(token.at, format!("missing value for {context}")));
                }
                break;
            }
            if token.kind == end {
                break;
            }
            if !operands.is_empty() && !token.is_apart && token.kind != TokenKind::Open {
                return Err(self.unexpected(&token, "operand"));
            }
            operands.push(self.operand(context)?);
        }
        let mut operands = operands.into_iter();
        let Some(first) = operands.next() else {
            return Err(self.error(self.lexer.place(), "empty command"));
        };
        let arguments: Vec<Operand> = operands.collect();
        let to = arguments.last().map_or(first.at.to, |last| last.at.to);
        Ok(Command { at: Span { from: first.at.from, to }, first, arguments })
    }

    fn operand(&mut self, context: &str) -> Result<Operand, Error> {
        let token = self.token()?;
        let mut fields = Vec::new();
        let term = match token.kind {
            TokenKind::Dot => Term::Dot,
            TokenKind::Field => {
                fields.push(token.text.trim_start_matches('.').into());
                Term::Dot
            }
            TokenKind::Variable => {
                self.known_variable(token.text, token.at)?;
                Term::Variable(token.text.into())
            }
            TokenKind::Word => self.word(&token, context)?,
            TokenKind::Quoted => match go::unquote(token.text) {
                Some(text) => Term::Literal(Value::from(text)),
                None => return Err(self.error(token.at, "invalid syntax")),
            },
            TokenKind::Character | TokenKind::Number => match number(&token) {
                Some(value) => Term::Literal(value),
                None => return Err(self.error(token.at, format!("bad number syntax: {}", go::quote(token.text)))),
            },
            TokenKind::Open => {
                self.deeper(token.at)?;
                let pipeline = self.pipeline("parenthesized pipeline", TokenKind::CloseParenthesis)?;
                self.depth -= 1;
                Term::Group(Box::new(pipeline))
            }
            TokenKind::CloseParenthesis => return Err(self.error(token.at, "unexpected right paren")),
            _ => return Err(self.unexpected(&token, "operand")),
        };
        while let Some(next) = self.field_behind()? {
            if matches!(term, Term::Literal(_) | Term::Nil) {
                let shown = crate::go::quote(token.text);
                return Err(self.error(token.at, format!("unexpected . after term {shown}")));
            }
            fields.push(next);
        }
        let to = self.lexer.place();
        Ok(Operand { at: Span { from: token.at, to }, term, fields })
    }

    /// A field that follows without a space.
    fn field_behind(&mut self) -> Result<Option<Text>, Error> {
        if !self.lexer.text().get(self.lexer.place() as usize..).unwrap_or_default().starts_with('.') {
            return Ok(None);
        }
        let token = self.token()?;
        match token.kind {
            TokenKind::Field => Ok(Some(token.text.trim_start_matches('.').into())),
            _ => Err(self.unexpected(&token, "operand")),
        }
    }

    fn word(&self, token: &Token<'a>, context: &str) -> Result<Term, Error> {
        Ok(match token.text {
            "true" => Term::Literal(Value::Bool(true)),
            "false" => Term::Literal(Value::Bool(false)),
            "nil" => Term::Nil,
            "and" => Term::Call(Callee::And),
            "or" => Term::Call(Callee::Or),
            word if lexer::is_keyword(word) => return Err(self.unexpected(token, context)),
            word => match self.functions.get(word) {
                Some(function) => Term::Call(Callee::Function(function.clone())),
                None => return Err(self.error(token.at, format!("function {} not defined", go::quote(word)))),
            },
        })
    }
}

/// Go's constants: whole numbers in any base, numbers with a point or an exponent, characters.
fn number(token: &Token<'_>) -> Option<Value> {
    if token.kind == TokenKind::Character {
        let text = go::unquote(token.text)?;
        let mut characters = text.chars();
        let character = characters.next()?;
        return characters.next().is_none().then(|| Value::Int(i64::from(u32::from(character))));
    }
    let text = token.text.replace('_', "");
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let lower = digits.to_ascii_lowercase();
    let based = [("0x", 16), ("0b", 2), ("0o", 8)]
        .iter()
        .find_map(|(prefix, radix)| lower.strip_prefix(prefix).map(|digits| (digits.to_owned(), *radix)));
    let is_octal = lower.len() > 1 && lower.starts_with('0') && lower.bytes().all(|digit| digit.is_ascii_digit());
    let (digits, radix) = based.unwrap_or((lower, if is_octal { 8 } else { 10 }));
    if digits.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && let Ok(magnitude) = i128::from_str_radix(&digits, radix)
    {
        return i64::try_from(if is_negative { -magnitude } else { magnitude }).ok().map(Value::Int);
    }
    // Rust reads words such as "inf" as numbers; Go does not.
    let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-'));
    let value: f64 = digits.parse().ok().filter(|_| radix == 10 && is_decimal)?;
    Some(Value::Float(if is_negative { -value } else { value }))
}
