//! What can be changed while the process runs: which lines are logged, which traces are kept. Whoever
//! may change it is the caller's business.

use std::sync::Arc;

use crate::logging::{self, Filter};
use crate::sampling::{self, Sampler};

/// The switches of a process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Control {
    /// `None` where something else has set up logging, a test for one.
    filter: Option<Filter>,
    sampler: Arc<sampling::Current>,
}

/// Why something cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log filter is none.
    #[error("the log filter cannot be read")]
    Filter(#[from] logging::Error),
    /// This process does not log by a filter of ours.
    #[error("this process has no log filter to change")]
    NoFilter,
}

impl Control {
    /// Over the switches that are there.
    #[must_use]
    pub const fn new(filter: Option<Filter>, sampler: Arc<sampling::Current>) -> Self {
        Self { filter, sampler }
    }

    /// The log filter in force.
    #[must_use]
    pub fn log_filter(&self) -> Option<String> {
        self.filter.as_ref().map(Filter::get)
    }

    /// Changes what is logged: a level (`debug`) or directives (`info,sqlite=debug`).
    ///
    /// # Errors
    /// When they cannot be read, or there is no filter; nothing is changed then.
    pub fn set_log_filter(&self, directives: &str) -> Result<(), Error> {
        Ok(self.filter.as_ref().ok_or(Error::NoFilter)?.set(directives)?)
    }

    /// The sampler in force.
    #[must_use]
    pub fn sampler(&self) -> Sampler {
        self.sampler.get()
    }

    /// Changes which traces are kept, of those that begin from now on.
    pub fn set_sampler(&self, sampler: Sampler) {
        self.sampler.set(sampler);
    }
}
