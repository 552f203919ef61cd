//! What spans and log records come in, in OTLP's JSON. An item that is wrong is rejected alone.

use console_model::{Resource, Scope};

use super::reader::Reader;
use super::{resource, scope};
use crate::budget::Budget;
use crate::envelope::{Names, Scopes};
use crate::error::{Rejected, Rejects};
use crate::{DecodeError, Decoded};

/// Reads a whole request: items by `item`, and each resource with its items by `group`, which gives what the
/// batch is made of.
pub(crate) fn read<T, G, I>(
    text: &[u8],
    names: &Names,
    item: impl Fn(&mut Reader<'_>, &mut Budget) -> Result<T, DecodeError>,
    group: impl Fn(Resource, Scopes<T>) -> I,
) -> Result<Decoded<Vec<G>>, DecodeError>
where
    I: Iterator<Item = G>,
{
    let mut reading = Reading { text, names, item, budget: Budget::of(text.len()), rejects: Rejects::default() };
    let mut batch = Vec::new();
    let mut reader = Reader::new(text);
    let read = reader.object(|reader, name| {
        if !names.resources.contains(&name) {
            return reader.skip();
        }
        let mut index = 0;
        reader.array(|reader| {
            let (sender, scopes) = reading.resource::<G>(reader, index)?;
            batch.extend(group(sender, scopes));
            index += 1;
            Ok(())
        })
    });
    read.and_then(|()| reader.end()).map_err(|error| error.located(text))?;
    let rejected: Rejected = reading.rejects.finish();
    Ok(Decoded { batch, rejected })
}

struct Reading<'a, F> {
    text: &'a [u8],
    names: &'a Names,
    item: F,
    budget: Budget,
    rejects: Rejects,
}

impl<T, F: Fn(&mut Reader<'_>, &mut Budget) -> Result<T, DecodeError>> Reading<'_, F> {
    fn resource<G>(&mut self, reader: &mut Reader<'_>, index: usize) -> Result<(Resource, Scopes<T>), DecodeError> {
        // The resource may stand behind its items.
        let (mut sender, mut scopes) = (Resource::default(), Vec::new());
        self.budget.charge::<Resource>()?;
        reader.object(|reader, name| match name {
            "resource" => resource(reader, &mut self.budget, &mut sender),
            "schemaUrl" | "schema_url" => {
                sender.schema_url = reader.text()?.into();
                Ok(())
            }
            name if self.names.scopes.contains(&name) => reader.array(|reader| {
                self.budget.charge::<(Scope, G)>()?;
                scopes.push(self.scope(reader, [index, scopes.len()])?);
                Ok(())
            }),
            _ => reader.skip(),
        })?;
        scopes.retain(|(_, items)| !items.is_empty());
        Ok((sender, scopes))
    }

    /// The scope at this place among its resource's, whose own place is the first.
    fn scope(&mut self, reader: &mut Reader<'_>, place: [usize; 2]) -> Result<(Scope, Vec<T>), DecodeError> {
        let (mut maker, mut items) = (Scope::default(), Vec::new());
        reader.object(|reader, name| match name {
            "scope" => scope(reader, &mut self.budget, &mut maker),
            "schemaUrl" | "schema_url" => {
                maker.schema_url = reader.text()?.into();
                Ok(())
            }
            name if self.names.items.contains(&name) => {
                let mut index = 0;
                reader.array(|reader| {
                    items.extend(self.item(reader, place, index)?);
                    index += 1;
                    Ok(())
                })
            }
            _ => reader.skip(),
        })?;
        Ok((maker, items))
    }

    /// An item; none if it was rejected.
    fn item(
        &mut self,
        reader: &mut Reader<'_>,
        [resource, scope]: [usize; 2],
        index: usize,
    ) -> Result<Option<T>, DecodeError> {
        let start = reader.offset();
        self.budget.charge::<T>()?;
        let error = match (self.item)(reader, &mut self.budget) {
            Ok(item) => return Ok(Some(item)),
            Err(error) => error,
        };
        let Names { resources: [resources, _], scopes: [scopes, _], items: [items, _] } = self.names;
        let text = self.text;
        self.rejects.item(error, |error| {
            let error = error.at(start).under_index(items, index);
            error.under(&format!("{resources}[{resource}].{scopes}[{scope}]")).located(text)
        })?;
        reader.back_to(start);
        reader.skip()?;
        Ok(None)
    }
}
