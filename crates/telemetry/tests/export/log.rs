//! What the exporter says about itself, and that it can be told from what others say.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use telemetry::export::{Protocol, TARGET, is_exporting};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::collector::{Collector, Reply, eventually};
use crate::setup::{Setup, span};

/// A line of the log, and whether the exporter's thread wrote it.
type Line = (String, bool);

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<Line>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text(event.metadata().target().to_owned());
        event.record(&mut text);
        self.0.lock().unwrap().push((text.0, is_exporting()));
    }
}

/// The only test that sets a subscriber for the process; others' exporters write to it as well, so
/// collectors here say words of their own.
#[tokio::test]
async fn what_changes_is_told_once_and_without_secrets() {
    let lines = Lines::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines.clone())).unwrap();
    let collector = Collector::start(Protocol::HttpProtobuf, &[Reply::Teapot; 7]).await;
    let (exporter, exports) = Setup::in_full_batches().start(Protocol::HttpProtobuf, &collector.url(""));
    (0..100).for_each(|_| exporter.span(span()));
    eventually("delivery", || exports.exported_total("traces") == 30).await;
    exporter.shutdown(Duration::from_secs(20)).await;

    let lines = lines.0.lock().unwrap().clone();
    let about = |words: &str| lines.iter().filter(|(line, _)| line.contains(words)).cloned().collect::<Vec<_>>();
    // With its words: a port may have these digits as well.
    let refused = about("418 I'm a teapot");
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].0.starts_with(TARGET) && refused[0].0.contains("telemetry cannot be delivered"));
    let again: Vec<_> = about("telemetry is delivered again");
    assert_eq!(again.iter().filter(|(line, _)| line.contains("lost=70")).count(), 1, "{again:?}");
    let own = about(TARGET);
    assert!(own.iter().all(|(_, is_exporting)| *is_exporting), "{own:?}");
    assert_eq!(about("s3cret"), []);
    // The libraries that it calls say a lot, and that can be told too.
    assert!(lines.iter().any(|(line, is_exporting)| *is_exporting && !line.starts_with(TARGET)));
    assert!(!is_exporting());
}
