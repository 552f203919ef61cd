//! The form of a log line for eyes: `10:29:44.969 INFO  request served http.route=/api/orders …
//! trace=e8408bd9…`. The service is told when the process is several.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

use super::{name, origin, wall_clock};

const DIM: &str = "\u{1b}[2m";
const RESET: &str = "\u{1b}[0m";

/// Writes each event as one short line.
pub(super) struct Lines<W> {
    services: Vec<String>,
    ansi: bool,
    writer: W,
}

impl<W> Lines<W> {
    pub(super) fn new(services: Vec<String>, ansi: bool, writer: W) -> Self {
        Self { services, ansi, writer }
    }

    fn in_colour(&self, colour: &'static str) -> (&'static str, &'static str) {
        if self.ansi { (colour, RESET) } else { ("", "") }
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to memory does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.others, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // Quoted only where it would be misread; line breaks and the terminal's own commands always are.
        if value.is_empty() || value.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"') {
            self.record_debug(field, &value);
        } else {
            self.record_debug(field, &format_args!("{value}"));
        }
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let origin = origin();
        let (dim, plain) = self.in_colour(DIM);
        let (word, colour) = level(*event.metadata().level());
        let (colour, end) = self.in_colour(colour);
        let time = wall_clock().strftime("%H:%M:%S%.3f").to_string();
        let mut line = format!("{dim}{time}{plain} {colour}{word}{end}");
        if self.services.len() > 1 {
            let _ = write!(line, " {dim}{}{plain}", name(&self.services, origin.service));
        }
        let _ = write!(line, " {}{}", fields.message, fields.others);
        if let Some((trace, _, _)) = origin.span {
            let _ = write!(line, " {dim}trace={trace}{plain}");
        }
        line.push('\n');
        // Nobody is left to tell that logging itself failed; the writer counts what it drops.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(line.as_bytes());
    }
}

const fn level(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::ERROR => ("ERROR", "\u{1b}[31m"),
        Level::WARN => ("WARN ", "\u{1b}[33m"),
        Level::INFO => ("INFO ", "\u{1b}[32m"),
        Level::DEBUG => ("DEBUG", "\u{1b}[34m"),
        Level::TRACE => ("TRACE", "\u{1b}[35m"),
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::super::json::tests::Buffer;
    use super::*;

    fn written(ansi: bool, log: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let target = buffer.clone();
        let layer = Lines::new(vec!["delivery-api".into(), "orders-projector".into()], ansi, move || target.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_is_short_and_in_order() {
        let line = written(false, || tracing::warn!(http.route = "/api/orders", cause = "disk full", n = 2, "odd"));
        assert!(line.ends_with(" WARN  delivery-api odd http.route=/api/orders cause=\"disk full\" n=2\n"), "{line}");
    }

    #[test]
    fn what_comes_from_outside_cannot_command_the_terminal() {
        let line = written(false, || tracing::info!(name = "a\u{1b}[2Jb\nc", "seen"));
        assert!(!line.contains('\u{1b}') && line.lines().count() == 1, "{line:?}");
    }

    #[test]
    fn colours_are_for_terminals() {
        assert!(written(true, || tracing::info!("seen")).contains("\u{1b}[32mINFO \u{1b}[0m"));
    }
}
