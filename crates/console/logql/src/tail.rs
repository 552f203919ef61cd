//! A query of lines over lines that come one by one, for those who watch. Where they come from and how they
//! are sent on is not known here.

use std::sync::Mutex;

use crate::ast::{LogExpr, Matcher};
use crate::entry::Buffers;
use crate::error::QueryError;
use crate::lines::FoundLine;
use crate::source::Line;
use crate::stage::{Pipeline, TextTest};

/// A query of lines, ready for lines.
pub struct Filter {
    matchers: Vec<(Matcher, TextTest)>,
    pipeline: Pipeline,
    contains: Vec<memchr::memmem::Finder<'static>>,
    buffers: Mutex<Buffers>,
}

impl Filter {
    /// For this query.
    pub fn new(log: &LogExpr, now_ns: u64) -> Result<Self, QueryError> {
        let pipeline = Pipeline::new(log, now_ns).map_err(QueryError::Asked)?;
        let contains = pipeline.contains.iter();
        let contains = contains.map(|text| memchr::memmem::Finder::new(text.as_bytes()).into_owned()).collect();
        let matcher = |matcher: &Matcher| Ok::<_, String>((matcher.clone(), TextTest::new(matcher)?));
        let matchers = log.matchers.iter().map(matcher).collect::<Result<_, _>>().map_err(QueryError::Asked)?;
        Ok(Self { matchers, pipeline, contains, buffers: Mutex::default() })
    }

    /// Whether it is about lines of such a stream.
    pub fn selects(&self, stream: &console_model::Labels) -> bool {
        let value = |name: &str| stream.get(name).unwrap_or_default();
        self.matchers.iter().all(|(matcher, test)| test.fits(value(&matcher.name)))
    }

    /// What becomes of a line of a stream that is selected; nothing if it is left out.
    pub fn run(&self, line: &dyn Line) -> Option<FoundLine> {
        if !self.contains.iter().all(|finder| finder.find(line.text().as_bytes()).is_some()) {
            return None;
        }
        let mut buffers = self.buffers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let entry = self.pipeline.run(line, &mut buffers, None)?;
        Some(FoundLine::new(&entry, None))
    }
}
