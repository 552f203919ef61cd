//! Which targets there are, and a worker for each. How one is scraped is the worker's business.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use eventsourcing::Clock;
use hashbrown::HashMap;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::target::Target;
use super::worker::{Shared, Worker, fresh_status};
use super::{Configuration, Invalid, Job, Source, TargetStatus, discovery, fetch, target};
use crate::Sink;

type Statuses = Arc<Mutex<Vec<Arc<Mutex<TargetStatus>>>>>;

/// Scrapes, until it is shut down. Dropping it ends the scrapes as well, without anybody waiting for the
/// marks that end the series.
#[derive(Debug)]
pub struct Scraper {
    stop: watch::Sender<bool>,
    manager: JoinHandle<()>,
    statuses: Statuses,
}

impl Scraper {
    /// Begins to scrape. Has to be called within a tokio runtime. An error names all that is wrong with the
    /// configuration; a file of targets that is wrong or not there is looked at again instead.
    pub fn start(configuration: Configuration, sink: Arc<dyn Sink>, clock: Arc<dyn Clock>) -> Result<Self, Invalid> {
        let Configuration { jobs, limits } = configuration;
        let mut faults = Vec::new();
        for job in &jobs {
            if job.name.is_empty() {
                faults.push("a job has no name, as in node".to_owned());
            }
            if job.interval.as_millis() == 0 || job.timeout.is_zero() {
                let name = &job.name;
                faults
                    .push(format!("the job {name:?} has an interval or timeout of nothing; it has to be 1ms or more"));
            }
            if let Source::Static(endpoints) = &job.source {
                faults.extend(endpoints.iter().filter_map(|endpoint| target::over_http(job, endpoint).err()));
            }
        }
        if !faults.is_empty() {
            return Err(Invalid(faults));
        }
        let (stop, stopped) = watch::channel(false);
        let statuses = Statuses::default();
        let shared = Arc::new(Shared { sink, clock, limits, client: fetch::client() });
        let jobs = jobs.into_iter().map(|job| Known { job, file: None, targets: Vec::new() }).collect();
        let manager = Manager { jobs, shared, statuses: Arc::clone(&statuses), running: HashMap::new(), over_limit: 0 };
        let manager = tokio::spawn(manager.run(stopped));
        Ok(Self { stop, manager, statuses })
    }

    /// What is known of each target, in the order of jobs.
    pub fn status(&self) -> Vec<TargetStatus> {
        told(&self.statuses)
    }

    /// Tells the same to somebody who has no scraper. After its end it tells what was known then.
    pub fn status_reader(&self) -> impl Fn() -> Vec<TargetStatus> + Send + Sync + 'static {
        let statuses = Arc::clone(&self.statuses);
        move || told(&statuses)
    }

    /// Ends all scrapes, and marks all series as ended before it returns.
    pub async fn shutdown(self) {
        let _ = self.stop.send(true);
        // It can only fail by a panic, which has been told where it happened.
        let _ = self.manager.await;
    }
}

fn told(statuses: &Statuses) -> Vec<TargetStatus> {
    let statuses = statuses.lock().unwrap_or_else(PoisonError::into_inner);
    statuses.iter().map(|status| status.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect()
}

struct Known {
    job: Job,
    /// The text of the file as it was read last, or what was wrong.
    file: Option<Result<String, String>>,
    targets: Vec<Arc<Target>>,
}

struct Running {
    target: Arc<Target>,
    stop: watch::Sender<bool>,
    status: Arc<Mutex<TargetStatus>>,
}

struct Manager {
    jobs: Vec<Known>,
    shared: Arc<Shared>,
    statuses: Statuses,
    running: HashMap<String, Running>,
    over_limit: usize,
}

impl Manager {
    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let mut workers = JoinSet::new();
        let has_files = self.jobs.iter().any(|known| matches!(known.job.source, Source::File(_)));
        loop {
            self.discover().await;
            self.apply(&mut workers);
            let reload = tokio::time::sleep(self.shared.limits.reload_interval);
            tokio::select! {
                () = reload, if has_files => {}
                _ = stopped.wait_for(|stop| *stop) => break,
            }
            while workers.try_join_next().is_some() {}
        }
        // Each worker ends its series when its sender is gone.
        self.running.clear();
        while workers.join_next().await.is_some() {}
    }

    async fn discover(&mut self) {
        for known in &mut self.jobs {
            match &known.job.source {
                Source::File(path) => {
                    let read = read(path.clone()).await;
                    if known.file.as_ref() == Some(&read) {
                        continue;
                    }
                    match read.as_ref().map_err(Clone::clone).and_then(|text| from_file(&known.job, path, text)) {
                        Ok((targets, faults)) => {
                            known.targets = targets;
                            faults.iter().for_each(|fault| warn(fault));
                        }
                        // What was there before is scraped on: a file is often half written.
                        Err(fault) => warn(&fault),
                    }
                    known.file = Some(read);
                }
                Source::Static(endpoints) if known.targets.is_empty() => {
                    let targets = endpoints.iter().filter_map(|endpoint| target::over_http(&known.job, endpoint).ok());
                    known.targets = targets.collect();
                }
                Source::InProcess(place) if known.targets.is_empty() => {
                    known.targets = vec![target::in_process(&known.job, place)];
                }
                _ => {}
            }
        }
    }

    /// Starts and stops workers, so that there is one for each target.
    fn apply(&mut self, workers: &mut JoinSet<()>) {
        let targets_max = self.shared.limits.targets_max;
        let mut wanted = HashMap::new();
        let mut statuses = Vec::new();
        let mut over_limit = 0;
        for target in self.jobs.iter().flat_map(|known| &known.targets) {
            let key = target.key();
            if wanted.contains_key(&key) {
                continue;
            }
            if wanted.len() >= targets_max {
                over_limit += 1;
                continue;
            }
            // Another interval or timeout is another target, as far as its worker goes.
            let same = self.running.remove(&key).filter(|running| {
                running.target.interval == target.interval && running.target.timeout == target.timeout
            });
            let running = same.unwrap_or_else(|| {
                let (stop, stopped) = watch::channel(false);
                let status = Arc::new(Mutex::new(fresh_status(target)));
                let worker = Worker::new(Arc::clone(target), Arc::clone(&self.shared), Arc::clone(&status));
                workers.spawn(worker.run(stopped));
                Running { target: Arc::clone(target), stop, status }
            });
            statuses.push(Arc::clone(&running.status));
            wanted.insert(key, running);
        }
        for running in self.running.values() {
            let _ = running.stop.send(true);
        }
        self.running = wanted;
        *self.statuses.lock().unwrap_or_else(PoisonError::into_inner) = statuses;
        if over_limit != self.over_limit {
            self.over_limit = over_limit;
            warn(&format!("{over_limit} targets are not scraped, for there are more than {targets_max}"));
        }
    }
}

async fn read(path: PathBuf) -> Result<String, String> {
    let read = tokio::task::spawn_blocking(move || discovery::text(&path)).await;
    read.unwrap_or_else(|error| Err(error.to_string()))
}

/// The targets of a file, and what is wrong with single ones.
fn from_file(job: &Job, path: &Path, text: &str) -> Result<(Vec<Arc<Target>>, Vec<String>), String> {
    let (mut targets, mut faults) = (Vec::new(), Vec::new());
    for endpoint in discovery::parse(path, text)? {
        match target::over_http(job, &endpoint) {
            Ok(target) => targets.push(target),
            Err(fault) if faults.len() < 10 => faults.push(fault),
            Err(_) => {}
        }
    }
    Ok((targets, faults))
}

fn warn(fault: &str) {
    tracing::warn!(error.cause = fault, "scrape targets could not all be read");
}
