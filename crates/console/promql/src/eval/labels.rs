//! `label_replace` and `label_join`.

use console_model::Labels;

use super::block::{Block, NAME, with_label};
use super::call::argument;
use super::{Evaluation, Grid};
use crate::Error;
use crate::ast::Call;
use crate::pattern;
use crate::print::quoted;

impl Evaluation<'_> {
    pub(super) fn label_replace(&self, call: &Call, grid: Grid) -> Result<Block<'_>, Error> {
        let text = |position| argument(call, position).map(|expr| self.text(expr));
        let (destination, replacement, source, pattern) = (text(1)?, text(2)?, text(3)?, text(4)?);
        let regex = pattern::whole_unchecked(&pattern)
            .ok_or_else(|| Error::Execution(format!("invalid regular expression in label_replace(): {pattern}")))?;
        check_label(&destination, "invalid destination label name in label_replace()")?;
        let mut value = String::new();
        self.relabelled(call, grid, &destination, |labels| {
            let captures = regex.captures(labels.get(&source))?;
            value.clear();
            captures.expand(&replacement, &mut value);
            Some(value.clone())
        })
    }

    pub(super) fn label_join(&self, call: &Call, grid: Grid) -> Result<Block<'_>, Error> {
        let text = |position| argument(call, position).map(|expr| self.text(expr));
        let (destination, separator) = (text(1)?, text(2)?);
        let sources: Vec<String> = call.arguments.iter().skip(3).map(|expr| self.text(expr)).collect();
        for source in &sources {
            check_label(source, "invalid source label name in label_join()")?;
        }
        check_label(&destination, "invalid destination label name in label_join()")?;
        self.relabelled(call, grid, &destination, |labels| {
            Some(sources.iter().map(|source| labels.get(source)).collect::<Vec<_>>().join(&separator))
        })
    }

    /// Sets a label of each row to what `value` makes of its labels; `None` leaves the row as it is.
    fn relabelled(
        &self,
        call: &Call,
        grid: Grid,
        destination: &str,
        mut value: impl for<'l> FnMut(Visible<'l>) -> Option<String>,
    ) -> Result<Block<'_>, Error> {
        let mut block = self.vector(argument(call, 0)?, grid)?;
        let mut changed = false;
        for row in &mut block.rows {
            let labels = row.labels.clone();
            let hidden = self.hides_name(row.nameless);
            let found = value(Visible { labels: &labels, hidden });
            self.tick(1)?;
            let Some(found) = found else { continue };
            changed = true;
            let base = if hidden { super::block::filtered(&labels, |name| name != NAME) } else { labels };
            row.labels = with_label(&base, destination, &found);
            row.nameless &= destination != NAME && !hidden;
        }
        if changed {
            block.merge(self.delayed())?;
        }
        Ok(block)
    }
}

/// The labels of a row that are to be seen.
#[derive(Clone, Copy)]
struct Visible<'l> {
    labels: &'l Labels,
    hidden: bool,
}

impl<'l> Visible<'l> {
    /// A label's value; empty if there is none.
    fn get(self, name: &str) -> &'l str {
        if self.hidden && name == NAME { "" } else { self.labels.get(name).unwrap_or_default() }
    }
}

fn check_label(name: &str, message: &str) -> Result<(), Error> {
    if crate::parser::is_label_name(name) {
        return Ok(());
    }
    Err(Error::Execution(format!("{message}: {}", quoted(name).trim_matches('"'))))
}
