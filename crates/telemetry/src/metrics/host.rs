//! The metrics of the host under node_exporter's names, types, labels and meanings, so that rules and
//! dashboards written for it work here. They are read from `/proc` and `/sys` when they are asked for:
//! nothing runs in between.
//!
//! Each file is read and taken apart by one of the collectors below this module; here they are run,
//! and what fails is told. Which of node_exporter's metrics are left out, and why, is in
//! `docs/telemetry/host-metrics.md`.

mod cpu;
mod disk;
pub(super) mod files;
mod filesystem;
mod memory;
mod netstat;
mod network;
mod system;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::Metrics;
use super::family::{Family, label};
use crate::names;
use files::{Error, Text, Tree};
use filesystem::asking::Asking;

/// Where to read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the proc file system is mounted.
    pub proc: PathBuf,
    /// Where the sys file system is mounted.
    pub sys: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self { proc: PathBuf::from("/proc"), sys: PathBuf::from("/sys") }
    }
}

impl Metrics {
    /// Exposes the metrics of the host, `node_*`. To be called once, since they would be exposed twice.
    ///
    /// A scrape then reads some thirty small files and asks each mounted file system how full it is,
    /// and waits two seconds at most for those that do not answer. Where there is no `/proc`, every
    /// collector says so in `node_scrape_collector_success`.
    pub fn register_host(&mut self, options: Options) {
        self.registry.register_collector(Box::new(Host::new(options)));
    }
}

#[derive(Debug)]
struct Host {
    tree: Tree,
    ticks_per_second: f64,
    page_bytes: f64,
    cpus: cpu::Cpus,
    asking: Asking,
    /// Collectors whose failure is logged already.
    failing: Mutex<BTreeSet<&'static str>>,
}

/// What several collectors of one scrape read.
struct Scrape<'a> {
    host: &'a Host,
    stat: OnceCell<Text>,
}

impl Scrape<'_> {
    /// `/proc/stat`, which is the most expensive of all on a machine with many CPUs.
    fn stat(&self) -> Result<&Text, Error> {
        match self.stat.get() {
            Some(text) => Ok(text),
            None => {
                let text = self.host.tree.proc("stat")?;
                Ok(self.stat.get_or_init(|| text))
            }
        }
    }
}

type Collect = fn(&Scrape<'_>) -> Result<Vec<Family>, Error>;

/// By the words that node_exporter has for them.
const COLLECTORS: [(&str, Collect); 18] = [
    ("conntrack", |scrape| network::conntrack(&scrape.host.tree)),
    ("cpu", |scrape| scrape.host.cpus.families(scrape.stat()?, scrape.host.ticks_per_second)),
    ("diskstats", |scrape| disk::diskstats(&scrape.host.tree)),
    ("entropy", |scrape| system::entropy(&scrape.host.tree)),
    ("filefd", |scrape| system::filefd(&scrape.host.tree.proc("sys/fs/file-nr")?)),
    ("filesystem", |scrape| filesystem::filesystem(&scrape.host.tree, &scrape.host.asking)),
    ("kernel_hung", |scrape| system::kernel_hung(&scrape.host.tree)),
    ("loadavg", |scrape| system::loadavg(&scrape.host.tree.proc("loadavg")?)),
    ("meminfo", |scrape| memory::meminfo(&scrape.host.tree.proc("meminfo")?)),
    ("netdev", |scrape| network::netdev(&scrape.host.tree)),
    ("netstat", |scrape| netstat::netstat(&scrape.host.tree)),
    ("pressure", |scrape| system::pressure(&scrape.host.tree)),
    ("sockstat", |scrape| network::sockstat(&scrape.host.tree, scrape.host.page_bytes)),
    ("softnet", |scrape| network::softnet(&scrape.host.tree.proc("net/softnet_stat")?)),
    ("stat", |scrape| cpu::stat(scrape.stat()?)),
    ("time", |scrape| system::time(&scrape.host.tree)),
    ("uname", |scrape| system::uname(&scrape.host.tree)),
    ("vmstat", |scrape| memory::vmstat(&scrape.host.tree.proc("vmstat")?)),
];

impl Host {
    fn new(options: Options) -> Self {
        Self {
            tree: Tree::new(options.proc, options.sys),
            ticks_per_second: rustix::param::clock_ticks_per_second() as f64,
            page_bytes: rustix::param::page_size() as f64,
            cpus: cpu::Cpus::default(),
            asking: Asking::default(),
            failing: Mutex::default(),
        }
    }

    /// Logs what begins to fail, once. What the kernel was built without is no news.
    fn tell(&self, collector: &'static str, error: Option<&Error>) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            None => {
                failing.remove(collector);
            }
            Some(error) if failing.insert(collector) && !error.is_absence() => {
                tracing::warn!(collector, error.cause = %error, "host metrics are incomplete");
            }
            Some(_) => {}
        }
    }
}

impl Collector for Host {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let scrape = Scrape { host: self, stat: OnceCell::new() };
        let mut duration = Family::gauge(names::NODE_SCRAPE_COLLECTOR_DURATION);
        let mut success = Family::gauge(names::NODE_SCRAPE_COLLECTOR_SUCCESS);
        for (name, collect) in COLLECTORS {
            let begun = Instant::now();
            let collected = collect(&scrape);
            let labels = label("collector", name);
            duration.push(&labels, begun.elapsed().as_secs_f64());
            success.push(&labels, f64::from(collected.is_ok()));
            self.tell(name, collected.as_ref().err());
            collected.unwrap_or_default().iter().try_for_each(|family| family.encode(&mut encoder))?;
        }
        [duration, success].iter().try_for_each(|family| family.encode(&mut encoder))
    }
}

#[cfg(test)]
mod tests;
