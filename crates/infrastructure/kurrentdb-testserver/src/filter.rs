//! Which events of `$all` a reader wants: by the stream's name or the event's type, by prefixes or by a
//! regular expression.

use kurrentdb::protocol::read_req::{Expression, Filter as Wanted, FilterOption, FilterOptions, Window};
use regex::Regex;
use tonic::Status;

use crate::log::Record;

/// What the server looks at between two checkpoints when it is not told.
const WINDOW: u32 = 32;
/// How the official clients leave system events out: a lookahead, which this engine of expressions does
/// not know, around everything.
const NOT: &str = "^(?!";

pub(crate) struct Filter {
    by_type: bool,
    matcher: Matcher,
    /// How many events are looked at between two checkpoints.
    pub(crate) checkpoint_interval: u64,
}

enum Matcher {
    Everything,
    Prefixes(Vec<String>),
    Matches(Regex),
    MatchesNot(Regex),
}

impl Filter {
    pub(crate) fn new(option: Option<&FilterOption>) -> Result<Self, Status> {
        match option {
            Some(FilterOption::Filter(options)) => Self::of(options),
            Some(FilterOption::NoFilter(_)) => {
                Ok(Self { by_type: false, matcher: Matcher::Everything, checkpoint_interval: 0 })
            }
            None => Err(Status::invalid_argument("'None' is not a valid FilterOptionOneofCase")),
        }
    }

    fn of(options: &FilterOptions) -> Result<Self, Status> {
        let (by_type, expression) = match &options.filter {
            Some(Wanted::EventType(expression)) => (true, expression),
            Some(Wanted::StreamIdentifier(expression)) => (false, expression),
            None => return Err(Status::invalid_argument("'None' is not a valid FilterOneofCase")),
        };
        let window = match options.window {
            Some(Window::Max(0)) => return Err(Status::invalid_argument("the window must be greater than 0")),
            Some(Window::Max(events)) => events,
            Some(Window::Count(_)) | None => WINDOW,
        };
        let checkpoint_interval = u64::from(window) * u64::from(options.checkpoint_interval_multiplier);
        Ok(Self { by_type, matcher: Matcher::of(expression)?, checkpoint_interval })
    }

    pub(crate) fn keeps(&self, record: &Record) -> bool {
        let text = if self.by_type { record.event_type.as_str() } else { &record.stream };
        match &self.matcher {
            Matcher::Everything => true,
            Matcher::Prefixes(prefixes) => prefixes.iter().any(|prefix| text.starts_with(prefix)),
            Matcher::Matches(regex) => regex.is_match(text),
            Matcher::MatchesNot(regex) => !regex.is_match(text),
        }
    }
}

impl Matcher {
    fn of(expression: &Expression) -> Result<Self, Status> {
        if !expression.prefix.is_empty() {
            return Ok(Self::Prefixes(expression.prefix.clone()));
        }
        let text = &expression.regex;
        let regex = |text: &str| Regex::new(text).map_err(|error| Status::invalid_argument(error.to_string()));
        match text.strip_prefix(NOT).and_then(|rest| rest.strip_suffix(')')) {
            Some(unwanted) => Ok(Self::MatchesNot(regex(&format!("^(?:{unwanted})"))?)),
            None => Ok(Self::Matches(regex(text)?)),
        }
    }
}
