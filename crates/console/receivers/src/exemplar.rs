//! Exemplars from label pairs: the ids are taken out, the rest stays labels. How the pairs were written is
//! not known here.

use console_model::{Exemplar, LabelSetBuilder, Sample, SpanId, TraceId};

/// Characters of all names and values of an exemplar, as OpenMetrics and Prometheus limit them.
const CHARACTERS_MAX: usize = 128;

/// Names under which senders put the id of a trace.
pub(crate) const TRACE_ID: [&str; 4] = ["trace_id", "traceID", "traceId", "traceid"];
/// Names under which senders put the id of a span.
pub(crate) const SPAN_ID: [&str; 4] = ["span_id", "spanID", "spanId", "spanid"];

/// Collects the labels of one exemplar after another.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    labels: LabelSetBuilder,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    characters: usize,
}

impl Builder {
    /// Adds a label. An id that is valid is taken out; one that is not stays a label, for that is what was
    /// said.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.characters = self.characters.saturating_add(name.chars().count() + value.chars().count());
        if self.characters > CHARACTERS_MAX {
            return;
        }
        if TRACE_ID.contains(&name)
            && let Ok(id) = value.parse()
        {
            self.trace_id = Some(id);
        } else if SPAN_ID.contains(&name)
            && let Ok(id) = value.parse()
        {
            self.span_id = Some(id);
        } else {
            self.labels.push(name, value);
        }
    }

    /// The exemplar; `None` if its labels have more than 128 characters. The builder is empty afterwards.
    pub(crate) fn finish(&mut self, sample: Sample) -> Option<Exemplar> {
        let labels = self.labels.finish();
        let (trace_id, span_id) = (self.trace_id.take(), self.span_id.take());
        let characters = std::mem::take(&mut self.characters);
        (characters <= CHARACTERS_MAX).then_some(Exemplar { sample, trace_id, span_id, labels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: Sample = Sample { time_ms: 1, value: 0.5 };

    #[test]
    fn ids_are_taken_out_if_they_are_ids() {
        let mut builder = Builder::default();
        builder.push("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736");
        builder.push("span_id", "not an id");
        builder.push("user", "u1");
        let exemplar = builder.finish(SAMPLE).unwrap();
        assert_eq!(exemplar.trace_id.unwrap().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(exemplar.span_id, None);
        assert_eq!(exemplar.labels.to_string(), r#"{span_id="not an id", user="u1"}"#);
    }

    #[test]
    fn what_is_too_long_is_left_out_and_does_not_spoil_the_next() {
        let mut builder = Builder::default();
        builder.push("a", &"é".repeat(127));
        assert!(builder.finish(SAMPLE).is_some());
        builder.push("a", &"é".repeat(128));
        assert_eq!(builder.finish(SAMPLE), None);
        assert!(builder.finish(SAMPLE).unwrap().labels.is_empty());
    }
}
