//! Values as Go writes and reads them: `fmt`'s verbs, `strconv`'s numbers and quotes, `time`'s durations.
//! Those who answer as a tool written in Go would, need the same words.

mod duration;
mod float;
mod quote;
mod url;
mod verbs;

pub use duration::{format_duration, parse_duration};
pub use float::format_float;
pub use quote::{quote, quoted_length, unquote};
pub use url::query_escape;
pub(crate) use verbs::write_value;
pub use verbs::{sprint, sprintf, sprintln};
