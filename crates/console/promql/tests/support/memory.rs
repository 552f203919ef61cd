//! Series in memory, each read as it was made. What is in them is up to the test.

use console_model::Labels;
use console_promql::{Points, Selection, Series, Storage, StorageError};

pub(crate) struct Memory(pub(crate) Vec<(Labels, Points)>);

struct Found<'m>(&'m Labels, &'m Points);

impl Series for Found<'_> {
    fn labels(&self) -> &Labels {
        self.0
    }

    fn read(&self, into: &mut Points) -> Result<(), StorageError> {
        into.clone_from(self.1);
        Ok(())
    }
}

impl Storage for Memory {
    fn select<'s>(&'s self, selection: &Selection<'_>) -> Result<Vec<Box<dyn Series + 's>>, StorageError> {
        let matches = |labels: &Labels| {
            let mut all = selection.matchers.iter();
            all.all(|matcher| matcher.matches(labels.get(matcher.name()).unwrap_or_default()))
        };
        let found = self.0.iter().filter(|(labels, _)| matches(labels));
        Ok(found.map(|(labels, points)| Box::new(Found(labels, points)) as Box<dyn Series>).collect())
    }
}
