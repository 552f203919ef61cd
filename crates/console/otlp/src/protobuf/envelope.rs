//! What spans and log records come in, in protobuf: their envelopes have the same numbers. An item that is wrong is
//! rejected alone, and so are the items of a resource or scope that is.

use console_model::{Resource, Scope};

use super::{count_of_scope, count_of_scopes, each, group_resource, group_scope};
use crate::budget::Budget;
use crate::envelope::{Names, Scopes};
use crate::error::Rejects;
use crate::{DecodeError, Decoded};

/// Reads a whole request: items by `item`, which is shown the one before in the same scope, and each resource with
/// its items by `group`, which gives what the batch is made of.
pub(crate) fn read<T, G, I>(
    bytes: &[u8],
    names: &Names,
    item: impl Fn(&[u8], &mut Budget, Option<&T>) -> Result<T, DecodeError>,
    group: impl Fn(Resource, Scopes<T>) -> I,
) -> Result<Decoded<Vec<G>>, DecodeError>
where
    I: Iterator<Item = G>,
{
    let Names { resources: [resources, _], scopes: [scopes, _], items: [items, _] } = names;
    let mut reading = Reading { items, item, budget: Budget::of(bytes.len()), rejects: Rejects::default() };
    let mut batch = Vec::new();
    each(bytes, 1, resources, |bytes, index| {
        let sender = match group_resource(bytes, &mut reading.budget) {
            Ok(sender) => sender,
            Err(error) => {
                let count = || count_of_scopes(bytes, count_of_scope);
                return reading.rejects.items(error, count, |error| error.under_index(resources, index));
            }
        };
        let mut found = Scopes::new();
        each(bytes, 2, scopes, |bytes, inner| {
            reading.budget.charge::<G>()?;
            let scope = reading.scope(bytes, &|| format!("{resources}[{index}].{scopes}[{inner}]"))?;
            found.extend(scope.filter(|(_, items)| !items.is_empty()));
            Ok(())
        })?;
        batch.extend(group(sender, found));
        Ok(())
    })?;
    Ok(Decoded { batch, rejected: reading.rejects.finish() })
}

struct Reading<F> {
    /// What the list of items is called.
    items: &'static str,
    item: F,
    budget: Budget,
    rejects: Rejects,
}

impl<F> Reading<F> {
    /// A scope with its items; `None` if it is spoilt itself, which rejects them.
    fn scope<T>(&mut self, bytes: &[u8], place: &dyn Fn() -> String) -> Result<Option<(Scope, Vec<T>)>, DecodeError>
    where
        F: Fn(&[u8], &mut Budget, Option<&T>) -> Result<T, DecodeError>,
    {
        let scope = match group_scope(bytes, &mut self.budget) {
            Ok(scope) => scope,
            Err(error) => {
                self.rejects.items(error, || count_of_scope(bytes), |error| error.under(&place()))?;
                return Ok(None);
            }
        };
        let mut items = Vec::new();
        each(bytes, 2, self.items, |bytes, index| {
            self.budget.charge::<T>()?;
            match (self.item)(bytes, &mut self.budget, items.last()) {
                Ok(item) => items.push(item),
                Err(error) => {
                    let name_it = |error: DecodeError| error.under_index(self.items, index).under(&place());
                    self.rejects.item(error, name_it)?;
                }
            }
            Ok(())
        })?;
        Ok(Some((scope, items)))
    }
}
