//! A template that was read, as a tree. How it was written and how it is carried out is not known here.

use crate::functions::Function;
use crate::{Text, Value};

/// Where in the text something stands: byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) from: u32,
    pub(crate) to: u32,
}

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Text(Box<str>),
    Action(Pipeline),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template { at: Span, name: Text, pipeline: Option<Pipeline> },
    Break,
    Continue,
}

#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) pipeline: Pipeline,
    pub(crate) body: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Pipeline {
    pub(crate) at: Span,
    /// Variables that take the value: two in a range.
    pub(crate) variables: Vec<Text>,
    /// Whether they are there already.
    pub(crate) is_assignment: bool,
    pub(crate) commands: Vec<Command>,
}

/// An operand with its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) at: Span,
    pub(crate) first: Operand,
    pub(crate) arguments: Vec<Operand>,
}

#[derive(Debug, Clone)]
pub(crate) struct Operand {
    pub(crate) at: Span,
    pub(crate) term: Term,
    /// `.a.b` behind the term.
    pub(crate) fields: Vec<Text>,
}

#[derive(Debug, Clone)]
pub(crate) enum Term {
    Dot,
    Nil,
    Literal(Value),
    Variable(Text),
    Call(Callee),
    Group(Box<Pipeline>),
}

#[derive(Debug, Clone)]
pub(crate) enum Callee {
    /// The arguments behind the one that decides are not looked at.
    And,
    Or,
    Function(Function),
}

/// Whether nodes name the dot, or the data as a whole.
pub(crate) fn names_whole(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Text(_) | Node::Break | Node::Continue => false,
        Node::Action(pipeline) => whole_of(pipeline),
        Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
            whole_of(&branch.pipeline) || names_whole(&branch.body) || names_whole(&branch.otherwise)
        }
        Node::Template { pipeline, .. } => pipeline.as_ref().is_some_and(whole_of),
    })
}

fn whole_of(pipeline: &Pipeline) -> bool {
    let operands =
        pipeline.commands.iter().flat_map(|command| std::iter::once(&command.first).chain(&command.arguments));
    operands.into_iter().any(|operand| match &operand.term {
        Term::Dot => operand.fields.is_empty(),
        Term::Variable(name) => name == "$" && operand.fields.is_empty(),
        Term::Group(group) => whole_of(group),
        Term::Nil | Term::Literal(_) | Term::Call(_) => false,
    })
}

/// Collects the fields that nodes name.
pub(crate) fn fields(nodes: &[Node], found: &mut Vec<Text>) {
    for node in nodes {
        match node {
            Node::Text(_) | Node::Break | Node::Continue => {}
            Node::Action(pipeline) => fields_of(pipeline, found),
            Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
                fields_of(&branch.pipeline, found);
                fields(&branch.body, found);
                fields(&branch.otherwise, found);
            }
            Node::Template { pipeline, .. } => pipeline.iter().for_each(|pipeline| fields_of(pipeline, found)),
        }
    }
}

fn fields_of(pipeline: &Pipeline, found: &mut Vec<Text>) {
    for command in &pipeline.commands {
        for operand in std::iter::once(&command.first).chain(&command.arguments) {
            match &operand.term {
                Term::Dot | Term::Variable(_) => found.extend(operand.fields.first().cloned()),
                Term::Group(group) => fields_of(group, found),
                Term::Nil | Term::Literal(_) | Term::Call(_) => {}
            }
        }
    }
}
