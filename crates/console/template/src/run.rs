//! Carries out a template: its nodes one after the other. How a pipeline gets its value is in `eval`.

mod eval;

use crate::tree::{Branch, Node, Span};
use crate::value::Data;
use crate::{Error, Limits, Template, Text, Value, go};

pub(crate) fn run(template: &Template, data: &dyn Data, limits: &Limits, out: &mut String) -> Result<(), Error> {
    let Some((_, nodes)) = template.templates.first() else { return Ok(()) };
    let most = out.len().saturating_add(limits.output_bytes);
    let mut run = Run {
        template,
        name: &template.name,
        data,
        limits,
        most,
        out,
        variables: vec![("$".into(), Slot::Root)],
        steps: 0,
        depth: 0,
        value_bytes: 0,
    };
    run.nodes(nodes, &Slot::Root).map(drop)
}

/// What the dot or a variable holds: the data itself, which is asked field by field, or a value.
#[derive(Debug, Clone)]
enum Slot {
    Root,
    Value(Value),
}

/// Whether a list of nodes goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

struct Run<'a> {
    template: &'a Template,
    /// The template that is carried out now.
    name: &'a str,
    data: &'a dyn Data,
    limits: &'a Limits,
    /// Bytes that the output may have.
    most: usize,
    out: &'a mut String,
    variables: Vec<(Text, Slot)>,
    steps: usize,
    depth: usize,
    /// Bytes of the texts that there have been.
    value_bytes: usize,
}

impl<'a> Run<'a> {
    /// An error at a place, as Go tells it.
    fn error(&self, at: Span, message: impl AsRef<str>) -> Error {
        let text = &self.template.text;
        let before = text.as_bytes().get(..at.from as usize).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        let node = text.get(at.from as usize..at.to as usize).unwrap_or_default();
        let told = message.as_ref();
        let (outer, inner) = (&self.template.name, go::quote(self.name));
        Error { message: format!("template: {outer}:{line}:{column}: executing {inner} at <{node}>: {told}") }
    }

    fn step(&mut self, at: Span) -> Result<(), Error> {
        self.steps += 1;
        if self.steps > self.limits.steps {
            return Err(self.error(at, format!("more than {} steps", self.limits.steps)));
        }
        Ok(())
    }

    fn write(&mut self, at: Span, text: &str) -> Result<(), Error> {
        if self.out.len() + text.len() > self.most {
            return Err(self.error(at, format!("more than {} bytes are written", self.limits.output_bytes)));
        }
        self.out.push_str(text);
        Ok(())
    }

    /// A value that was read or made, unless there have been too many bytes of them.
    fn counted(&mut self, at: Span, value: Value) -> Result<Value, Error> {
        if let Value::Text(text) = &value {
            self.value_bytes = self.value_bytes.saturating_add(text.len());
            if self.value_bytes > self.limits.value_bytes {
                let told = format!("more than {} bytes of text are read and made", self.limits.value_bytes);
                return Err(self.error(at, told));
            }
        }
        Ok(value)
    }

    fn nodes(&mut self, nodes: &'a [Node], dot: &Slot) -> Result<Flow, Error> {
        for node in nodes {
            match self.node(node, dot)? {
                Flow::On => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &'a Node, dot: &Slot) -> Result<Flow, Error> {
        match node {
            Node::Text(text) => self.write(Span::default(), text)?,
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    match &value {
                        Value::Text(text) => self.write(pipeline.at, text)?,
                        other => self.write(pipeline.at, &other.to_string())?,
                    }
                }
            }
            Node::If(branch) => return self.branch(branch, dot, false),
            Node::With(branch) => return self.branch(branch, dot, true),
            Node::Range(branch) => return self.range(branch, dot),
            Node::Template { at, name, pipeline } => {
                let slot = match pipeline {
                    Some(pipeline) => self.slot(pipeline, dot)?,
                    None => Slot::Value(Value::Nil),
                };
                self.template(*at, name, slot)?;
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn branch(&mut self, branch: &'a Branch, dot: &Slot, moves_dot: bool) -> Result<Flow, Error> {
        let variables = self.variables.len();
        let slot = self.slot(&branch.pipeline, dot)?;
        let is_true = match &slot {
            Slot::Root => self.data.whole().is_true(),
            Slot::Value(value) => value.is_true(),
        };
        let flow = match (is_true, moves_dot) {
            (true, true) => self.nodes(&branch.body, &slot),
            (true, false) => self.nodes(&branch.body, dot),
            (false, _) => self.nodes(&branch.otherwise, dot),
        };
        self.variables.truncate(variables);
        flow
    }

    fn range(&mut self, branch: &'a Branch, dot: &Slot) -> Result<Flow, Error> {
        let variables = self.variables.len();
        let value = self.evaluate(&branch.pipeline, dot)?;
        let mut any = false;
        // Says whether there is a turn after this one.
        let mut turn = |run: &mut Self, key: Value, value: Value| -> Result<bool, Error> {
            any = true;
            run.step(branch.pipeline.at)?;
            let before = run.variables.len();
            match branch.pipeline.variables.as_slice() {
                [] => {}
                [one] => run.bind(one, Slot::Value(value.clone()), branch.pipeline.is_assignment),
                [first, second, ..] => {
                    run.bind(first, Slot::Value(key), branch.pipeline.is_assignment);
                    run.bind(second, Slot::Value(value.clone()), branch.pipeline.is_assignment);
                }
            }
            let flow = run.nodes(&branch.body, &Slot::Value(value))?;
            run.variables.truncate(before);
            Ok(flow != Flow::Break)
        };
        let number = |at: usize| Value::Int(i64::try_from(at).unwrap_or(i64::MAX));
        let turns: &mut dyn Iterator<Item = (Value, Value)> = match &value {
            Value::List(list) => &mut list.iter().enumerate().map(|(at, value)| (number(at), value.clone())),
            Value::Map(map) => &mut map.iter().map(|(key, value)| (Value::Text(key.clone()), value.clone())),
            Value::Int(count) => &mut (0..*count).map(|at| (Value::Int(at), Value::Int(at))),
            Value::Nil => &mut std::iter::empty(),
            other => {
                let told = format!("range can't iterate over {other}");
                return Err(self.error(branch.pipeline.at, told));
            }
        };
        for (key, value) in turns {
            if !turn(self, key, value)? {
                break;
            }
        }
        let flow = if any { Ok(Flow::On) } else { self.nodes(&branch.otherwise, dot) };
        self.variables.truncate(variables);
        flow
    }

    fn bind(&mut self, name: &Text, slot: Slot, is_assignment: bool) {
        let known = self.variables.iter_mut().rev().find(|(known, _)| known == name).filter(|_| is_assignment);
        match known {
            Some((_, held)) => *held = slot,
            None => self.variables.push((name.clone(), slot)),
        }
    }

    fn template(&mut self, at: Span, name: &str, dot: Slot) -> Result<(), Error> {
        let template = self.template;
        // The text's own name stands for the text itself, unless it defines another of this name.
        let found = template.templates.iter().rev().find(|(known, _)| **known == *name);
        let Some((name, nodes)) = found else {
            return Err(self.error(at, format!("template {} not defined", go::quote(name))));
        };
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(self.error(at, format!("exceeded maximum template depth ({})", self.limits.depth)));
        }
        self.step(at)?;
        let variables = std::mem::replace(&mut self.variables, vec![("$".into(), dot.clone())]);
        let outer = std::mem::replace(&mut self.name, name);
        self.nodes(nodes, &dot)?;
        self.variables = variables;
        self.name = outer;
        self.depth -= 1;
        Ok(())
    }
}
