//! The metrics that real SDKs sent: each point is a sample of its time and value, sums made of deltas are
//! their sums so far, and histograms count what lies below each bound. Names and labels are the codec's own
//! tests' business, and those of the comparison with SDKs that run; here a series is found by what it must have.

use std::collections::HashMap;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint, metric, number_data_point};
use prost::Message;

use super::canonical::{self, Sample};
use super::recorded::{Recording, recordings};
use crate::support::Service;

const DELTA: i32 = 1;

/// A sample that has to be there.
#[derive(Debug)]
struct Expected {
    job: String,
    metric: String,
    ending: &'static str,
    labels: Vec<(String, String)>,
    time_ms: u64,
    value: f64,
}

#[test]
fn what_sdks_send_as_metrics_comes_back() {
    let recordings = recordings("metrics");
    // The four requests of one SDK over one transport: cumulative twice, delta twice.
    let of = |recording: &Recording| recording.name.rsplit_once('-').unwrap().0.to_owned();
    for recordings in recordings.chunk_by(|a, b| of(a) == of(b)) {
        assert_eq!(recordings.len(), 4);
        check(recordings);
    }
}

fn check(recordings: &[Recording]) {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &["--retention-age", "0"]);
    let mut deltas = Deltas::default();
    let mut expected = Vec::new();
    for recording in recordings {
        recording.send(&console);
        expected.extend(points(&read(recording), &mut deltas));
    }
    let name = &recordings[0].name;
    assert!(expected.len() > 100, "{name}: too few to prove anything: {}", expected.len());
    let mut samples: HashMap<u64, Vec<Sample>> = HashMap::new();
    for sample in canonical::samples(&console.export("signal=metrics")) {
        samples.entry(sample.time_ms).or_default().push(sample);
    }
    for one in &expected {
        let found: Vec<_> =
            samples.get(&one.time_ms).into_iter().flatten().filter(|sample| one.is_of_series(sample)).collect();
        assert!(found.iter().any(|sample| one.is_value(sample.value)), "{name}: {one:?} is not among {found:#?}");
    }
}

fn read(recording: &Recording) -> ExportMetricsServiceRequest {
    let message = recording.message();
    if recording.is_json() {
        return serde_json::from_slice(&message).unwrap_or_else(|error| panic!("{}: {error}", recording.name));
    }
    ExportMetricsServiceRequest::decode(&message[..]).unwrap()
}

impl Expected {
    fn is_of_series(&self, sample: &Sample) -> bool {
        let has = |(name, value): &(String, String)| sample.label(name) == value;
        sample.label("job") == self.job
            && sample.name().starts_with(&self.metric)
            && sample.name().ends_with(self.ending)
            && self.labels.iter().all(has)
    }

    /// Sums of doubles may be summed up in another order.
    fn is_value(&self, value: f64) -> bool {
        (value - self.value).abs() <= self.value.abs() * 1e-12
    }
}

/// What was summed up of each series so far, where the sender does not do it.
#[derive(Default)]
struct Deltas(HashMap<String, f64>);

impl Deltas {
    fn so_far(&mut self, temporality: i32, one: &Expected) -> f64 {
        if temporality != DELTA {
            return one.value;
        }
        let key = format!("{} {} {} {:?}", one.job, one.metric, one.ending, one.labels);
        let sum = self.0.entry(key).or_default();
        *sum += one.value;
        *sum
    }
}

fn points(request: &ExportMetricsServiceRequest, deltas: &mut Deltas) -> Vec<Expected> {
    let mut all = Vec::new();
    for resource in &request.resource_metrics {
        let attributes = &resource.resource.as_ref().unwrap().attributes;
        let of = |key| attributes.iter().find(|pair| pair.key == key).and_then(label).unwrap().1;
        let job = format!("{}/{}", of("service.namespace"), of("service.name"));
        for metric in resource.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
            for (temporality, mut one) in of_metric(metric, &job) {
                one.value = deltas.so_far(temporality, &one);
                all.push(one);
            }
        }
    }
    all
}

fn of_metric(metric: &Metric, job: &str) -> Vec<(i32, Expected)> {
    let expected = |ending, labels: &[KeyValue], time_ns: u64, value| Expected {
        job: job.to_owned(),
        metric: sanitised(&metric.name),
        ending,
        labels: labels.iter().filter_map(label).collect(),
        time_ms: time_ns / 1_000_000,
        value,
    };
    let number = |point: &NumberDataPoint| expected("", &point.attributes, point.time_unix_nano, number(point));
    match metric.data.as_ref().unwrap() {
        metric::Data::Gauge(gauge) => gauge.data_points.iter().map(|point| (0, number(point))).collect(),
        metric::Data::Sum(sum) => {
            sum.data_points.iter().map(|point| (sum.aggregation_temporality, number(point))).collect()
        }
        metric::Data::Histogram(histogram) => {
            let mut all = Vec::new();
            for point in &histogram.data_points {
                let one = |ending, value| expected(ending, &point.attributes, point.time_unix_nano, value);
                all.push(one("_count", whole(point.count)));
                all.push(one("_sum", point.sum.unwrap()));
                let mut below = 0;
                let bounds = point.explicit_bounds.iter().map(|bound| bound.to_string());
                for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(&point.bucket_counts) {
                    below += count;
                    let mut bucket = one("_bucket", whole(below));
                    bucket.labels.push(("le".to_owned(), bound));
                    all.push(bucket);
                }
            }
            all.into_iter().map(|one| (histogram.aggregation_temporality, one)).collect()
        }
        metric::Data::ExponentialHistogram(histogram) => {
            let both = |point: &opentelemetry_proto::tonic::metrics::v1::ExponentialHistogramDataPoint| {
                let one = |ending, value| expected(ending, &point.attributes, point.time_unix_nano, value);
                [one("_count", whole(point.count)), one("_sum", point.sum.unwrap())]
            };
            let all = histogram.data_points.iter().flat_map(both);
            all.map(|one| (histogram.aggregation_temporality, one)).collect()
        }
        metric::Data::Summary(_) => panic!("no SDK makes a summary"),
    }
}

fn whole(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}

fn number(point: &NumberDataPoint) -> f64 {
    match point.value.unwrap() {
        number_data_point::Value::AsDouble(number) => number,
        #[expect(clippy::cast_precision_loss, reason = "samples are doubles")]
        number_data_point::Value::AsInt(number) => number as f64,
    }
}

/// An attribute of text as the label that it becomes.
fn label(pair: &KeyValue) -> Option<(String, String)> {
    match pair.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some((sanitised(&pair.key), text.clone())),
        _ => None,
    }
}

fn sanitised(name: &str) -> String {
    name.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '_' }).collect()
}
