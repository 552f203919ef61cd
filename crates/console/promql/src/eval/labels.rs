//! `label_replace` and `label_join`.

use console_model::Labels;

use super::block::{Block, NAME, with_label};
use super::call::argument;
use super::{Evaluation, Grid};
use crate::Error;
use crate::ast::Call;
use crate::pattern;
use crate::print::quoted;

/// Bytes of a label's value; one that grows from call to call has no end otherwise.
const VALUE_BYTES_MAX: usize = 64 * 1024;

impl Evaluation<'_> {
    pub(super) fn label_replace(&self, call: &Call, grid: Grid) -> Result<Block<'_>, Error> {
        let text = |position| argument(call, position).map(|expr| self.text(expr));
        let (destination, replacement, source, pattern) = (text(1)?, text(2)?, text(3)?, text(4)?);
        let regex = pattern::whole_unchecked(&pattern)
            .ok_or_else(|| Error::Execution(format!("invalid regular expression in label_replace(): {pattern}")))?;
        check_label(&destination, "invalid destination label name in label_replace()")?;
        let groups = replacement.matches('$').count();
        self.relabelled(call, grid, &destination, |labels| {
            let Some(captures) = regex.captures(labels.get(&source)) else { return Ok(None) };
            // No group is longer than the whole match.
            check_length(groups.saturating_mul(captures.get_match().len()).saturating_add(replacement.len()))?;
            let mut value = String::new();
            captures.expand(&replacement, &mut value);
            Ok(Some(value))
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
            let values: Vec<&str> = sources.iter().map(|source| labels.get(source)).collect();
            check_length(values.iter().map(|value| value.len() + separator.len()).sum())?;
            Ok(Some(values.join(&separator)))
        })
    }

    /// Sets a label of each row to what `value` makes of its labels; `None` leaves the row as it is.
    fn relabelled(
        &self,
        call: &Call,
        grid: Grid,
        destination: &str,
        mut value: impl for<'l> FnMut(Visible<'l>) -> Result<Option<String>, Error>,
    ) -> Result<Block<'_>, Error> {
        let mut block = self.vector(argument(call, 0)?, grid)?;
        let mut changed = false;
        for row in &mut block.rows {
            let labels = row.labels.clone();
            let hidden = self.hides_name(row.nameless);
            let found = value(Visible { labels: &labels, hidden })?;
            self.tick(1)?;
            let Some(found) = found else { continue };
            self.count_label(&found)?;
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

fn check_length(bytes: usize) -> Result<(), Error> {
    if bytes <= VALUE_BYTES_MAX {
        return Ok(());
    }
    Err(Error::Execution(format!("a label value may have more than {VALUE_BYTES_MAX} bytes")))
}

fn check_label(name: &str, message: &str) -> Result<(), Error> {
    if crate::parser::is_label_name(name) {
        return Ok(());
    }
    Err(Error::Execution(format!("{message}: {}", quoted(name).trim_matches('"'))))
}
