//! The value of a pipeline: operands, fields, calls.

use super::{Run, Slot};
use crate::functions::Function;
use crate::tree::{Callee, Command, Operand, Pipeline, Term};
use crate::{Error, Missing, Text, Value, go};

impl<'a> Run<'a> {
    /// The value of a pipeline; its variables take it.
    pub(super) fn pipeline(&mut self, pipeline: &'a Pipeline, dot: &Slot) -> Result<Value, Error> {
        let value = self.evaluate(pipeline, dot)?;
        for name in &pipeline.variables {
            self.bind(name, Slot::Value(value.clone()), pipeline.is_assignment);
        }
        Ok(value)
    }

    /// The same where the data itself may be handed on without being read.
    pub(super) fn slot(&mut self, pipeline: &'a Pipeline, dot: &Slot) -> Result<Slot, Error> {
        if let ([command], []) = (pipeline.commands.as_slice(), pipeline.variables.as_slice())
            && command.arguments.is_empty()
            && command.first.fields.is_empty()
        {
            match &command.first.term {
                Term::Dot => return Ok(dot.clone()),
                Term::Variable(name) => return Ok(self.variable(name)),
                _ => {}
            }
        }
        self.pipeline(pipeline, dot).map(Slot::Value)
    }

    /// The value alone.
    pub(super) fn evaluate(&mut self, pipeline: &'a Pipeline, dot: &Slot) -> Result<Value, Error> {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, dot, value)?);
        }
        Ok(value.unwrap_or_default())
    }

    fn variable(&self, name: &str) -> Slot {
        let found = self.variables.iter().rev().find(|(known, _)| known == name);
        found.map_or(Slot::Value(Value::Nil), |(_, slot)| slot.clone())
    }

    fn command(&mut self, command: &'a Command, dot: &Slot, last: Option<Value>) -> Result<Value, Error> {
        self.step(command.at)?;
        let first = &command.first;
        let has_arguments = !command.arguments.is_empty() || last.is_some();
        if let Term::Call(callee) = &first.term {
            let value = self.call(callee, command, dot, last)?;
            return self.fields(first, value, &first.fields, &[]);
        }
        if !has_arguments {
            return self.operand(first, dot);
        }
        // With arguments, the last field has to be a method.
        let Some((method, fields)) = first.fields.split_last() else {
            let node = self.template.text.get(first.at.from as usize..first.at.to as usize).unwrap_or_default();
            return Err(self.error(first.at, format!("can't give argument to non-function {node}")));
        };
        let mut arguments = Vec::with_capacity(command.arguments.len() + 1);
        for argument in &command.arguments {
            arguments.push(self.operand(argument, dot)?);
        }
        arguments.extend(last);
        let value = self.term(first, fields, dot)?;
        self.fields(first, value, std::slice::from_ref(method), &arguments)
    }

    fn operand(&mut self, operand: &'a Operand, dot: &Slot) -> Result<Value, Error> {
        self.term(operand, &operand.fields, dot)
    }

    fn term(&mut self, operand: &'a Operand, fields: &'a [Text], dot: &Slot) -> Result<Value, Error> {
        let value = self.term_unbounded(operand, fields, dot)?;
        self.counted(operand.at, value)
    }

    fn term_unbounded(&mut self, operand: &'a Operand, fields: &'a [Text], dot: &Slot) -> Result<Value, Error> {
        let slot = match &operand.term {
            Term::Dot => dot.clone(),
            Term::Variable(name) => self.variable(name),
            Term::Nil => Slot::Value(Value::Nil),
            Term::Literal(value) => return Ok(value.clone()),
            Term::Group(pipeline) => Slot::Value(self.evaluate(pipeline, dot)?),
            Term::Call(callee) => {
                // A function's name as an argument stands for its value without arguments.
                self.step(operand.at)?;
                Slot::Value(match callee {
                    Callee::Function(function) => self.invoke(function, operand, &[])?,
                    Callee::And | Callee::Or => {
                        let told = "wrong number of args for and/or: want at least 1 got 0";
                        return Err(self.error(operand.at, told));
                    }
                })
            }
        };
        match (slot, fields.split_first()) {
            (Slot::Root, None) => Ok(self.data.whole()),
            (Slot::Root, Some((name, rest))) => {
                let value = match self.data.field(name) {
                    Some(value) => value,
                    None => self.missing(operand, name)?,
                };
                self.fields(operand, value, rest, &[])
            }
            (Slot::Value(value), _) => self.fields(operand, value, fields, &[]),
        }
    }

    fn missing(&self, operand: &Operand, name: &str) -> Result<Value, Error> {
        match self.limits.missing {
            Missing::NoValue => Ok(Value::Nil),
            Missing::Empty => Ok(Value::from("")),
            Missing::Error => Err(self.error(operand.at, format!("map has no entry for key {}", go::quote(name)))),
        }
    }

    /// Field after field; arguments go to the last.
    fn fields(
        &self,
        operand: &Operand,
        mut value: Value,
        fields: &[Text],
        arguments: &[Value],
    ) -> Result<Value, Error> {
        for (at, name) in fields.iter().enumerate() {
            let arguments = if at + 1 == fields.len() { arguments } else { &[] };
            value = match &value {
                Value::Map(_) if !arguments.is_empty() => {
                    return Err(self.error(operand.at, format!("{name} is not a method but has arguments")));
                }
                Value::Map(map) => match map.get(name) {
                    Some(value) => value.clone(),
                    None => self.missing(operand, name)?,
                },
                Value::Opaque(opaque) => match opaque.method(name, arguments) {
                    Some(result) => {
                        result.map_err(|told| self.error(operand.at, format!("error calling {name}: {told}")))?
                    }
                    None => return Err(self.no_field(operand, name, &value)),
                },
                Value::Nil => {
                    let told = format!("nil data; no entry for key {}", go::quote(name));
                    return Err(self.error(operand.at, told));
                }
                other => return Err(self.no_field(operand, name, other)),
            };
        }
        Ok(value)
    }

    fn no_field(&self, operand: &Operand, name: &str, value: &Value) -> Error {
        self.error(operand.at, format!("can't evaluate field {name} in type {}", value.type_name()))
    }

    fn call(
        &mut self,
        callee: &'a Callee,
        command: &'a Command,
        dot: &Slot,
        last: Option<Value>,
    ) -> Result<Value, Error> {
        let function = match callee {
            Callee::Function(function) => function,
            Callee::And | Callee::Or => {
                let stops_at = matches!(callee, Callee::Or);
                let mut value = None;
                for argument in &command.arguments {
                    let found = self.operand(argument, dot)?;
                    if found.is_true() == stops_at {
                        return Ok(found);
                    }
                    value = Some(found);
                }
                return last.or(value).ok_or_else(|| {
                    let name = if stops_at { "or" } else { "and" };
                    let told = format!("wrong number of args for {name}: want at least 1 got 0");
                    self.error(command.at, told)
                });
            }
        };
        let mut arguments = Vec::with_capacity(command.arguments.len() + 1);
        for argument in &command.arguments {
            arguments.push(self.operand(argument, dot)?);
        }
        arguments.extend(last);
        self.invoke(function, &command.first, &arguments)
    }

    fn invoke(&mut self, function: &Function, operand: &Operand, arguments: &[Value]) -> Result<Value, Error> {
        let (least, most) = (*function.arguments.start(), *function.arguments.end());
        if !function.arguments.contains(&arguments.len()) {
            let wanted = match (least, most) {
                (least, most) if least == most => least.to_string(),
                (least, usize::MAX) => format!("at least {least}"),
                (least, most) => format!("{least} to {most}"),
            };
            let told = format!("wrong number of args for {}: want {wanted} got {}", function.name, arguments.len());
            return Err(self.error(operand.at, told));
        }
        let value = (function.body)(arguments, self.data)
            .map_err(|told| self.error(operand.at, format!("error calling {}: {told}", function.name)))?;
        self.counted(operand.at, value)
    }
}
