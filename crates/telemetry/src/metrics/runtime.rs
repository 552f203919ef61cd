//! The metrics of a tokio runtime, by what it tells without `--cfg tokio_unstable`, read when they are
//! asked for.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use tokio::runtime::{Handle, RuntimeMetrics};

use super::Metrics;
use super::family::{Family, label};
use crate::names;

impl Metrics {
    /// Exposes the metrics of a runtime, `tokio_runtime_*`. To be called once, since they would be
    /// exposed twice.
    pub fn register_runtime(&mut self, runtime: &Handle) {
        self.registry.register_collector(Box::new(Runtime(runtime.metrics())));
    }
}

#[derive(Debug)]
struct Runtime(RuntimeMetrics);

impl Collector for Runtime {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let metrics = &self.0;
        let count = |count: usize| count as f64;
        let mut busy = Family::counter(names::TOKIO_RUNTIME_WORKER_BUSY);
        let mut parks = Family::counter(names::TOKIO_RUNTIME_WORKER_PARKS);
        let mut parked = 0;
        for worker in 0..metrics.num_workers() {
            let labels = label("worker", worker.to_string());
            busy.push(&labels, metrics.worker_total_busy_duration(worker).as_secs_f64());
            parks.push(&labels, metrics.worker_park_count(worker) as f64);
            // It counts each way, so that it is odd while the worker sleeps.
            parked += metrics.worker_park_unpark_count(worker) % 2;
        }
        let families = [
            Family::gauge(names::TOKIO_RUNTIME_WORKERS).with(count(metrics.num_workers())),
            Family::gauge(names::TOKIO_RUNTIME_WORKERS_PARKED).with(parked as f64),
            Family::gauge(names::TOKIO_RUNTIME_ALIVE_TASKS).with(count(metrics.num_alive_tasks())),
            Family::gauge(names::TOKIO_RUNTIME_GLOBAL_QUEUE_DEPTH).with(count(metrics.global_queue_depth())),
            busy,
            parks,
        ];
        families.iter().try_for_each(|family| family.encode(&mut encoder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_and_tasks_are_told() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).build().unwrap();
        let mut metrics = Metrics::new("test", "1");
        metrics.register_runtime(runtime.handle());
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let task = runtime.spawn(released);
        let text = metrics.encode().unwrap();
        for line in [
            "tokio_runtime_workers 3.0",
            "tokio_runtime_alive_tasks 1.0",
            "# TYPE tokio_runtime_worker_busy_seconds counter",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} is not in {text}");
        }
        for worker in 0..3 {
            assert!(text.contains(&format!("tokio_runtime_worker_parks_total{{worker=\"{worker}\"}} ")), "{text}");
        }
        release.send(()).unwrap();
        runtime.block_on(task).unwrap().unwrap();
        let counted = |text: &str| text.lines().any(|line| line == "tokio_runtime_alive_tasks 0.0");
        while !counted(&metrics.encode().unwrap()) {
            std::thread::yield_now();
        }
    }
}
