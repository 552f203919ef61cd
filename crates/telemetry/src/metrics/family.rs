//! Metric families as plain values, for collectors that read what they expose at each scrape instead
//! of counting along. Which families there are is theirs to say; how one is written is said here.

use std::fmt;
use std::rc::Rc;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;

/// Names and values of a sample's labels, shared by the families that a thing is counted in.
pub(super) type Labels = Rc<[(&'static str, String)]>;

/// A label set of one.
pub(super) fn label(name: &'static str, value: impl Into<String>) -> Labels {
    Rc::new([(name, value.into())])
}

/// A family and its samples.
#[derive(Debug)]
pub(super) struct Family {
    name: String,
    help: &'static str,
    kind: MetricType,
    samples: Vec<(Option<Labels>, f64)>,
}

impl Family {
    fn new((name, help): (&str, &'static str), kind: MetricType) -> Self {
        Self { name: name.to_owned(), help, kind, samples: Vec::new() }
    }

    /// What only grows; `_total` is appended to its name.
    pub(super) fn counter(declared: (&str, &'static str)) -> Self {
        Self::new(declared, MetricType::Counter)
    }

    /// What goes up and down.
    pub(super) fn gauge(declared: (&str, &'static str)) -> Self {
        Self::new(declared, MetricType::Gauge)
    }

    /// What may be either. It keeps its name to the letter, which a counter could not.
    pub(super) fn unknown(declared: (&str, &'static str)) -> Self {
        Self::new(declared, MetricType::Unknown)
    }

    /// Puts a word in the place that the declared name leaves open; `None` for a word that cannot be
    /// part of a name.
    pub(super) fn named(mut self, placeholder: &str, word: &str) -> Option<Self> {
        let fits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        self.name = self.name.replace(placeholder, word);
        fits.then_some(self)
    }

    /// With one sample that has no labels.
    pub(super) fn with(mut self, value: f64) -> Self {
        self.samples.push((None, value));
        self
    }

    /// Adds a sample.
    pub(super) fn push(&mut self, labels: &Labels, value: f64) {
        self.samples.push((Some(Rc::clone(labels)), value));
    }

    /// Writes it, if there is anything to write.
    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        if self.samples.is_empty() {
            return Ok(());
        }
        // As the library does for the metrics that it keeps itself.
        let help = format!("{}.", self.help);
        let mut metric = encoder.encode_descriptor(&self.name, &help, None, self.kind)?;
        for (labels, value) in &self.samples {
            match labels {
                Some(labels) => self.encode_value(&mut metric.encode_family(&labels.as_ref())?, *value)?,
                None => self.encode_value(&mut metric, *value)?,
            }
        }
        Ok(())
    }

    fn encode_value(&self, metric: &mut MetricEncoder<'_>, value: f64) -> fmt::Result {
        match self.kind {
            MetricType::Counter => metric.encode_counter(&value, None::<&Exemplar<NoLabelSet, f64>>),
            // A gauge is a name and a value, and so is what has no known type.
            _ => metric.encode_gauge(&value),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use prometheus_client::collector::Collector;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    type Samples = Vec<(Option<Vec<(&'static str, String)>>, f64)>;

    /// Families that can be handed to a registry, which wants what threads can share.
    #[derive(Debug)]
    struct Fixed(Vec<(String, &'static str, MetricType, Samples)>);

    impl Collector for Fixed {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
            self.0.iter().try_for_each(|(name, help, kind, samples)| {
                let samples =
                    samples.iter().map(|(labels, value)| (labels.clone().map(Labels::from), *value)).collect();
                Family { name: name.clone(), help, kind: *kind, samples }.encode(&mut encoder)
            })
        }
    }

    /// Families as OpenMetrics text.
    pub(in crate::metrics) fn text(families: &[Family]) -> String {
        let fixed = families.iter().map(|family| {
            let samples =
                family.samples.iter().map(|(labels, value)| (labels.as_ref().map(|labels| labels.to_vec()), *value));
            (family.name.clone(), family.help, family.kind, samples.collect())
        });
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Fixed(fixed.collect())));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn types_and_names_are_as_declared_and_labels_are_escaped() {
        let mut counter = Family::counter(("a", "A"));
        counter.push(&label("device", "x\"\\\n"), 7_198_026.0);
        let unknown = Family::unknown(("b_{field}", "B")).named("{field}", "OutRsts").unwrap().with(-1.0);
        let empty = Family::gauge(("c", "C"));
        assert_eq!(
            text(&[counter, unknown, empty]),
            "# HELP a A.\n# TYPE a counter\na_total{device=\"x\\\"\\\\\\n\"} 7198026.0\n\
             # HELP b_OutRsts B.\n# TYPE b_OutRsts unknown\nb_OutRsts -1.0\n# EOF\n"
        );
    }

    #[test]
    fn a_word_that_would_break_a_name_makes_no_family() {
        for word in ["", "a b", "a\nb 1", "é"] {
            assert!(Family::gauge(("b_{field}", "B")).named("{field}", word).is_none(), "{word:?}");
        }
    }
}
