//! Reads a template into its tree. The words of actions are told apart in `lexer`.

mod lexer;
mod pipeline;

use crate::functions::Functions;
use crate::tree::{Branch, Node, Pipeline, Span};
use crate::{Error, Text};
use lexer::{Lexer, Piece, Token, TokenKind};

/// Blocks and parentheses within each other.
const DEPTH_MAX: usize = 100;
/// Templates that one text may define.
const TEMPLATES_MAX: usize = 1_000;

pub(crate) type Templates = Vec<(Box<str>, Vec<Node>)>;

pub(crate) fn parse(name: &str, text: &str, functions: &Functions) -> Result<Templates, Error> {
    let mut parser = Parser {
        name,
        lexer: Lexer::new(text),
        functions,
        variables: vec!["$".into()],
        templates: Vec::new(),
        depth: 0,
        ranges: 0,
    };
    let (nodes, end) = parser.nodes()?;
    if let End::Keyword(word, at) = end {
        return Err(parser.error(at, format!("unexpected {{{{{word}}}}}")));
    }
    let mut templates = parser.templates;
    // What the text itself says comes first: it is the one to be carried out.
    templates.insert(0, (name.into(), nodes));
    Ok(templates)
}

struct Parser<'a> {
    name: &'a str,
    lexer: Lexer<'a>,
    functions: &'a Functions,
    variables: Vec<Text>,
    templates: Templates,
    depth: usize,
    ranges: usize,
}

/// What a list of nodes ended with.
enum End {
    Text,
    /// `end`, or `else` with what follows it.
    Keyword(&'static str, u32),
}

impl<'a> Parser<'a> {
    fn error(&self, at: u32, message: impl AsRef<str>) -> Error {
        let line = 1 + self.lexer.text().as_bytes().iter().take(at as usize).filter(|byte| **byte == b'\n').count();
        Error { message: format!("template: {}:{line}: {}", self.name, message.as_ref()) }
    }

    fn lexed<T>(&self, result: Result<T, (u32, String)>) -> Result<T, Error> {
        result.map_err(|(at, message)| self.error(at, message))
    }

    fn deeper(&mut self, at: u32) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error(at, format!("nested deeper than {DEPTH_MAX} blocks")));
        }
        Ok(())
    }

    /// The next word that is no space.
    fn token(&mut self) -> Result<Token<'a>, Error> {
        let token = self.lexer.token();
        self.lexed(token)
    }

    fn peek(&mut self) -> Result<Token<'a>, Error> {
        let before = self.lexer.place();
        let token = self.token();
        self.lexer.go_back(before);
        token
    }

    /// Nodes up to the end of the text, or to an `end` or `else`, whose word is taken but nothing behind it.
    fn nodes(&mut self) -> Result<(Vec<Node>, End), Error> {
        let mut nodes = Vec::new();
        loop {
            let piece = self.lexer.piece();
            match self.lexed(piece)? {
                Piece::End => return Ok((nodes, End::Text)),
                Piece::Text("") => {}
                Piece::Text(text) => nodes.push(Node::Text(text.into())),
                Piece::Action => {
                    let first = self.peek()?;
                    let word = match first.kind {
                        TokenKind::Word => first.text,
                        _ => "",
                    };
                    match word {
                        "end" => {
                            self.token()?;
                            self.close("end")?;
                            return Ok((nodes, End::Keyword("end", first.at)));
                        }
                        "else" => {
                            self.token()?;
                            return Ok((nodes, End::Keyword("else", first.at)));
                        }
                        _ => nodes.extend(self.action(word, first.at)?),
                    }
                }
            }
        }
    }

    fn close(&mut self, context: &str) -> Result<(), Error> {
        let token = self.token()?;
        if token.kind == TokenKind::Close {
            return Ok(());
        }
        Err(self.unexpected(&token, context))
    }

    fn unexpected(&self, token: &Token<'a>, context: &str) -> Error {
        let shown: String = token.text.chars().take(10).collect();
        let dots = if token.text.chars().nth(10).is_some() { "..." } else { "" };
        match token.kind {
            TokenKind::Close => self.error(token.at, format!("unexpected \"}}}}\" in {context}")),
            TokenKind::Word if lexer::is_keyword(token.text) => {
                self.error(token.at, format!("unexpected <{}> in {context}", token.text))
            }
            _ => self.error(token.at, format!("unexpected {}{dots} in {context}", crate::go::quote(&shown))),
        }
    }

    fn action(&mut self, word: &str, at: u32) -> Result<Option<Node>, Error> {
        if lexer::is_keyword(word) {
            self.token()?;
        }
        Ok(Some(match word {
            "if" => Node::If(self.branch("if", at)?),
            "with" => Node::With(self.branch("with", at)?),
            "range" => Node::Range(self.branch("range", at)?),
            "break" | "continue" => {
                if self.ranges == 0 {
                    return Err(self.error(at, format!("{{{{{word}}}}} outside {{{{range}}}}")));
                }
                self.close(word)?;
                if word == "break" { Node::Break } else { Node::Continue }
            }
            "template" => {
                let name = self.name_of_template("template clause")?;
                let pipeline = self.rest_of_template()?;
                Node::Template { at: self.span(at), name, pipeline }
            }
            "define" => {
                self.define(at)?;
                return Ok(None);
            }
            "block" => {
                let name = self.name_of_template("block clause")?;
                let pipeline = self.pipeline("block clause", TokenKind::Close)?;
                self.body_of_template(name.clone(), at)?;
                Node::Template { at: self.span(at), name, pipeline: Some(pipeline) }
            }
            _ => Node::Action(self.pipeline("command", TokenKind::Close)?),
        }))
    }

    fn span(&self, from: u32) -> Span {
        Span { from, to: self.lexer.place() }
    }

    fn branch(&mut self, context: &'static str, at: u32) -> Result<Branch, Error> {
        self.deeper(at)?;
        let variables = self.variables.len();
        let pipeline = self.pipeline(context, TokenKind::Close)?;
        let is_range = context == "range";
        self.ranges += usize::from(is_range);
        let (body, end) = self.nodes()?;
        self.ranges -= usize::from(is_range);
        let otherwise = self.otherwise(end, context, at)?;
        self.variables.truncate(variables);
        self.depth -= 1;
        Ok(Branch { pipeline, body, otherwise })
    }

    /// What stands behind `else`, up to the `end`.
    fn otherwise(&mut self, end: End, context: &'static str, at: u32) -> Result<Vec<Node>, Error> {
        match end {
            End::Text => Err(self.error(self.lexer.place(), "unexpected EOF")),
            End::Keyword("end", _) => Ok(Vec::new()),
            End::Keyword(_, else_at) => {
                let next = self.peek()?;
                if next.kind == TokenKind::Word && next.text == context && matches!(context, "if" | "with") {
                    self.token()?;
                    let branch = self.branch(context, at)?;
                    return Ok(vec![if context == "if" { Node::If(branch) } else { Node::With(branch) }]);
                }
                self.close("else")?;
                let (nodes, end) = self.nodes()?;
                match end {
                    End::Text => Err(self.error(self.lexer.place(), "unexpected EOF")),
                    End::Keyword("end", _) => Ok(nodes),
                    End::Keyword(..) => Err(self.error(else_at, "expected end; found {{else}}")),
                }
            }
        }
    }

    fn name_of_template(&mut self, context: &str) -> Result<Text, Error> {
        let token = self.token()?;
        let name = match token.kind {
            TokenKind::Quoted => crate::go::unquote(token.text),
            _ => None,
        };
        name.map(Text::from).ok_or_else(|| self.unexpected(&token, context))
    }

    fn rest_of_template(&mut self) -> Result<Option<Pipeline>, Error> {
        if self.peek()?.kind == TokenKind::Close {
            self.token()?;
            return Ok(None);
        }
        self.pipeline("template clause", TokenKind::Close).map(Some)
    }

    fn define(&mut self, at: u32) -> Result<(), Error> {
        if self.depth > 0 {
            return Err(self.error(at, "unexpected {{define}}"));
        }
        let name = self.name_of_template("define clause")?;
        self.close("define clause")?;
        self.body_of_template(name, at)
    }

    fn body_of_template(&mut self, name: Text, at: u32) -> Result<(), Error> {
        self.deeper(at)?;
        let variables = std::mem::replace(&mut self.variables, vec!["$".into()]);
        let ranges = std::mem::take(&mut self.ranges);
        let (nodes, end) = self.nodes()?;
        match end {
            End::Keyword("end", _) => {}
            End::Keyword(..) => return Err(self.error(at, "unexpected {{else}} in define clause")),
            End::Text => return Err(self.error(self.lexer.place(), "unexpected EOF")),
        }
        if self.templates.len() >= TEMPLATES_MAX {
            return Err(self.error(at, format!("more than {TEMPLATES_MAX} templates are defined")));
        }
        // The last of a name holds, but one that says nothing does not replace another.
        let is_empty = nodes.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()));
        let known = self.templates.iter_mut().find(|(known, _)| **known == *name);
        match known {
            Some((_, known)) if !is_empty => *known = nodes,
            Some(_) => {}
            None => self.templates.push((name.as_str().into(), nodes)),
        }
        self.variables = variables;
        self.ranges = ranges;
        self.depth -= 1;
        Ok(())
    }
}
