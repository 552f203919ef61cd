//! What a person sees of a run: a progress bar or plain lines, and the final table.
//!
//! Writes to writers that it is given; knows nothing about where they lead.

use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::{
    report::{OperationView, Percentiles, Report},
    traffic::{Observer, Snapshot},
};

/// How often a line is written where there is no terminal to draw on.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows progress.
pub struct Progress(Show);

enum Show {
    Bar(ProgressBar),
    Lines { writer: Box<dyn Write + Send>, next: Duration },
    Nothing,
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Show::Bar(_) => "Progress(bar)",
            Show::Lines { .. } => "Progress(lines)",
            Show::Nothing => "Progress(nothing)",
        })
    }
}

impl Progress {
    /// A bar, redrawn in place with ANSI sequences; `writer` leads to a terminal `width` columns wide.
    #[must_use]
    pub fn bar(writer: Box<dyn Write + Send>, width: u16) -> Self {
        let screen = Screen { writer: Arc::new(Mutex::new(writer)), width };
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::term_like(Box::new(screen)));
        // The template is a constant and right; were it not, the plain default would do.
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(Show::Bar(bar))
    }

    /// A line every few seconds, for logs and pipes.
    #[must_use]
    pub fn lines(writer: Box<dyn Write + Send>) -> Self {
        Self(Show::Lines { writer, next: Duration::ZERO })
    }

    /// Silence.
    #[must_use]
    pub fn nothing() -> Self {
        Self(Show::Nothing)
    }

    /// Removes the bar, so that what follows begins on a clean line.
    pub fn clear(&mut self) {
        if let Show::Bar(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Progress {
    fn observe(&mut self, snapshot: &Snapshot) {
        match &mut self.0 {
            Show::Bar(bar) => {
                bar.set_length(milliseconds(snapshot.planned));
                bar.set_position(milliseconds(snapshot.elapsed.min(snapshot.planned)));
                bar.set_message(line(snapshot));
            }
            Show::Lines { writer, next } => {
                if snapshot.elapsed >= *next {
                    *next = snapshot.elapsed + LINE_EVERY;
                    // Progress that nobody can read any more is no reason to stop measuring.
                    let _ = writeln!(writer, "{}", line(snapshot)).and_then(|()| writer.flush());
                }
            }
            Show::Nothing => {}
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn line(snapshot: &Snapshot) -> String {
    let time = format!("{}s/{}s", snapshot.elapsed.as_secs(), snapshot.planned.as_secs());
    if snapshot.warming_up {
        return format!("{time} warming up, {} customers under way", snapshot.in_flight);
    }
    format!(
        "{time} {} answered, {} failed, {} dropped, {} customers under way, p50 {:.1} ms, p99 {:.1} ms",
        snapshot.answered, snapshot.failed, snapshot.dropped, snapshot.in_flight, snapshot.p50_ms, snapshot.p99_ms
    )
}

/// A terminal as indicatif wants it, over any writer.
struct Screen {
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    width: u16,
}

impl fmt::Debug for Screen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Screen({})", self.width)
    }
}

impl Screen {
    fn lock(&self) -> MutexGuard<'_, Box<dyn Write + Send>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// ECMA-48 cursor movement; by zero is not written, since terminals take it for one.
    fn go(&self, count: usize, direction: char) -> io::Result<()> {
        if count == 0 {
            return Ok(());
        }
        write!(self.lock(), "\x1b[{count}{direction}")
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.width
    }

    fn move_cursor_up(&self, count: usize) -> io::Result<()> {
        self.go(count, 'A')
    }

    fn move_cursor_down(&self, count: usize) -> io::Result<()> {
        self.go(count, 'B')
    }

    fn move_cursor_right(&self, count: usize) -> io::Result<()> {
        self.go(count, 'C')
    }

    fn move_cursor_left(&self, count: usize) -> io::Result<()> {
        self.go(count, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        writeln!(self.lock(), "{text}")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.lock().write_all(text.as_bytes())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.write_str("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        self.lock().flush()
    }
}

/// Writes the report as a table for people.
pub fn write_table(report: &Report, writer: &mut dyn Write) -> io::Result<()> {
    write_summary(report, writer)?;
    writeln!(writer)?;
    writeln!(
        writer,
        "{:<12} {:>9} {:>8} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>11}",
        "latency, ms", "answered", "per s", "failed", "p50", "p90", "p99", "p99.9", "max", "service p99"
    )?;
    for (name, operation) in &report.operations {
        write_row(name, operation, writer)?;
    }
    write_row("all", &report.total, writer)?;
    if !report.errors.is_empty() {
        writeln!(writer, "\nerrors")?;
    }
    for error in &report.errors {
        let first = &error.first;
        writeln!(
            writer,
            "{:>7} x {}; the first: {}, {} (trace {})",
            error.count, error.kind, first.operation, first.detail, first.trace_id
        )?;
    }
    if !report.slo.is_empty() {
        writeln!(writer, "\nobjectives")?;
    }
    for verdict in &report.slo {
        let outcome = if verdict.met { "met     " } else { "VIOLATED" };
        let unit = match verdict.unit {
            "percent" => " %",
            "perSecond" => "/s",
            _ => " ms",
        };
        let measured = verdict.measured.map_or("no number".to_owned(), |number| format!("{number:.3}{unit}"));
        let note = verdict.note.as_ref().map_or(String::new(), |note| format!(" ({note})"));
        writeln!(writer, "{outcome}  {:<24} measured {measured}{note}", verdict.expression)?;
    }
    writer.flush()
}

fn write_summary(report: &Report, writer: &mut dyn Write) -> io::Result<()> {
    let customers = &report.customers;
    let stopped = if report.cancelled { ", stopped early" } else { "" };
    let intended = match (report.rate.intended, report.options.concurrency) {
        (Some(rate), _) => format!("{rate} requests/s intended"),
        (None, Some(concurrency)) => format!("{concurrency} customers at once"),
        (None, None) => String::new(),
    };
    writeln!(
        writer,
        "{} for {:.1} s{stopped}: {intended}, {:.1}/s achieved",
        report.options.target, report.elapsed_seconds, report.rate.achieved
    )?;
    writeln!(
        writer,
        "customers: {} intended, {} started, {} late, {} dropped, {} unfinished; seed {}",
        customers.intended,
        customers.started,
        customers.late,
        customers.dropped,
        customers.unfinished,
        report.options.seed
    )?;
    if report.warm_up.failed > 0 {
        writeln!(writer, "warm-up: {} of {} requests failed", report.warm_up.failed, report.warm_up.requests)?;
    }
    Ok(())
}

fn write_row(name: &str, operation: &OperationView, writer: &mut dyn Write) -> io::Result<()> {
    let Percentiles { p50, p90, p99, p999, max, .. } = operation.latency_ms;
    let cell = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.2}"));
    writeln!(
        writer,
        "{name:<12} {:>9} {:>8.1} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>11}",
        operation.answered,
        operation.rate_per_second,
        operation.failed,
        cell(p50),
        cell(p90),
        cell(p99),
        cell(p999),
        cell(max),
        cell(operation.service_time_ms.p99)
    )
}

#[cfg(test)]
mod tests;
