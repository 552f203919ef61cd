//! Made-up telemetry that is hard on a store: nothing repeats that need not, and names, streams and series
//! come and go. What is done with it does not belong here.

use std::sync::Arc;

use console_model::{
    Attributes, Exemplar, Labels, LogBatch, LogGroup, LogRecord, Resource, Sample, SampleBatch, Scope, SeriesSamples,
    Span, SpanBatch, SpanGroup, SpanId, SpanKind, TraceId, Value,
};

/// Numbers that look random and are the same each time (SplitMix64).
pub struct Load {
    state: u64,
}

impl Load {
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub const fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let value = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    const fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    pub fn trace_id(&mut self) -> TraceId {
        TraceId::new(u128::from(self.number()) << 64 | u128::from(self.number() | 1)).expect("not zero")
    }

    /// Spans of a service, four to a trace. Every hundredth is its own parent, every twentieth has a name
    /// that no other has.
    pub fn spans(&mut self, service: &str, count: usize, now_ns: u64) -> SpanBatch {
        let mut trace = self.trace_id();
        let mut spans = Vec::with_capacity(count);
        for number in 0..count {
            if number % 4 == 0 {
                trace = self.trace_id();
            }
            let mut span = Span::new(trace, SpanId::new(self.number() | 1).expect("not zero"));
            let own = self.below(100) == 0;
            span.parent_span_id = if own { Some(span.span_id) } else { SpanId::new(self.number()) };
            span.name = match self.below(20) {
                0 => format!("GET /orders/{:x}", self.number()).into(),
                number => format!("operation {number}").into(),
            };
            span.kind = SpanKind::Server;
            span.start_ns = now_ns - self.below(1_000_000_000);
            span.end_ns = span.start_ns + self.below(50_000_000);
            span.attributes.push("url.path", format!("/orders/{:016x}", self.number()).as_str());
            span.attributes.push("order.number", self.number() as i64);
            span.attributes.push("http.response.status_code", 200 + self.below(4) as i64 * 100);
            spans.push(span);
        }
        let scope = Arc::new(Scope { name: "load".into(), ..Scope::default() });
        SpanBatch { groups: vec![SpanGroup { resource: resource(service), scope, spans }] }
    }

    /// Lines of a service in the stream of a pod.
    pub fn lines(&mut self, service: &str, pod: u64, count: usize, now_ns: u64) -> LogBatch {
        let records = (0..count)
            .map(|_| {
                let time_ns = now_ns - self.below(1_000_000_000);
                let body = format!(
                    "order {:016x} of customer {:08x} was accepted after {} ms",
                    self.number(),
                    self.below(1 << 32),
                    self.below(500)
                );
                let trace_id = Some(self.trace_id());
                LogRecord {
                    time_ns,
                    observed_time_ns: now_ns,
                    severity_number: 9,
                    severity_text: "INFO".into(),
                    body: Value::String(body.into()),
                    trace_id,
                    ..LogRecord::default()
                }
            })
            .collect();
        let pod = format!("{service}-{pod:08x}");
        let stream = Labels::from_pairs([("service_name", service), ("level", "info"), ("pod", pod.as_str())]);
        let group = LogGroup { stream, resource: resource(service), scope: Arc::default(), records };
        LogBatch { groups: vec![group] }
    }

    /// One sample of each of so many series of a pod, one of them with an exemplar.
    pub fn samples(&mut self, service: &str, pod: u64, series: u64, now_ms: i64) -> SampleBatch {
        let instance = format!("10.0.{}.{}:{pod}", pod / 256 % 256, pod % 256);
        let exemplar = Exemplar {
            sample: Sample { time_ms: now_ms, value: 0.25 },
            trace_id: Some(self.trace_id()),
            span_id: None,
            labels: Labels::default(),
        };
        let series = (0..series)
            .map(|number| SeriesSamples {
                labels: Labels::from_pairs([
                    ("__name__", "load_requests_total"),
                    ("job", service),
                    ("instance", instance.as_str()),
                    ("route", number.to_string().as_str()),
                ]),
                samples: vec![Sample { time_ms: now_ms, value: self.below(1_000_000) as f64 / 7.0 }],
                histograms: Vec::new(),
                exemplars: if number == 0 { vec![exemplar.clone()] } else { Vec::new() },
            })
            .collect();
        SampleBatch { series, metadata: Vec::new() }
    }
}

fn resource(service: &str) -> Arc<Resource> {
    let mut attributes = Attributes::new();
    attributes.push("service.name", service);
    attributes.push("service.version", "1.4.2");
    attributes.push("host.name", "laptop");
    Arc::new(Resource { attributes, ..Resource::default() })
}
