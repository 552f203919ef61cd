//! The store: one folder, three signals, and two threads: one that writes what was taken, which bounds what
//! a crash costs, and one that may take longer: it syncs, and removes what is too much.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use eventsourcing::Clock;

use crate::counts::{Counters, Counts, ServiceEvictions};
use crate::disk::{Disk, sync_file, sync_folder};
use crate::error::OpenError;
use crate::facts::{Fact, Facts, Signal};
use crate::logs::Logs;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::pins::Pins;
use crate::traces::Traces;

/// What the file `FORMAT` says.
const FORMAT: u32 = 3;
/// A format that is this one without what it added, native histograms: what is in it is read as it is, and the
/// file says the newer number from then on.
const FORMAT_BEFORE: u32 = 2;

/// The oldest of each signal that is kept, nanoseconds since the Unix epoch; `None` where nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Oldest {
    /// The oldest start of a span, those of pinned traces included.
    pub spans_ns: Option<i64>,
    /// The oldest log record.
    pub log_records_ns: Option<i64>,
    /// The oldest sample.
    pub samples_ns: Option<i64>,
}

/// Who may be in trouble; one that is well again does not hide that another is not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Task {
    Write,
    Keep,
    MakeRoom,
}

/// A store that is open. It is shared by reference; dropping it flushes.
pub struct Store {
    inner: Arc<Inner>,
    threads: Vec<JoinHandle<()>>,
}

pub(crate) struct Inner {
    pub(crate) traces: Traces,
    pub(crate) logs: Logs,
    pub(crate) metrics: Metrics,
    pub(crate) options: Options,
    pub(crate) facts: Arc<Facts>,
    pub(crate) disk: Arc<Disk>,
    pub(crate) counters: Counters,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) pins: Pins,
    /// What the writer, the keeper and those who made room could not do.
    pub(crate) trouble: Mutex<[Option<String>; 3]>,
    pub(crate) metric_evictions: AtomicU64,
    /// How much had been written when it was last looked whether something has to go.
    pub(crate) looked_at: AtomicU64,
    /// Held while something goes.
    pub(crate) removing: Mutex<()>,
    stop: Mutex<bool>,
    stopped: Condvar,
    root: PathBuf,
    _lock: File,
}

impl Store {
    /// Opens the store in a folder, or makes one in an empty or missing folder.
    pub fn open(path: impl Into<PathBuf>, options: Options, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open_on(path.into(), options, clock, Arc::default())
    }

    /// Says whether [`Store::open`] would refuse the folder, and changes nothing. What is torn inside is for the
    /// opening to repair.
    pub fn check(path: &Path) -> Result<(), OpenError> {
        let failed = |source| OpenError::io(path, source);
        let missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let found = match fs::read(path.join("FORMAT")) {
            Ok(found) => found,
            Err(error) if missing(&error) && !path.exists() => return Ok(()),
            Err(error) if missing(&error) && only(path, &["LOCK", "lost+found"]).map_err(failed)? => return Ok(()),
            Err(error) if missing(&error) => return Err(OpenError::Foreign { path: path.to_owned() }),
            Err(error) => return Err(failed(error)),
        };
        let text = String::from_utf8_lossy(&found);
        match text.trim().strip_prefix("highbeam console store ") {
            Some(number) if [FORMAT, FORMAT_BEFORE].iter().any(|known| number == known.to_string()) => {}
            Some(number) => {
                let found = number.chars().take(32).collect();
                return Err(OpenError::Version { path: path.to_owned(), found, expected: FORMAT });
            }
            None => return Err(OpenError::Foreign { path: path.to_owned() }),
        }
        match File::open(path.join("LOCK")).map(|file| file.try_lock()) {
            Ok(Err(TryLockError::WouldBlock)) => Err(OpenError::InUse { path: path.to_owned() }),
            _ => Ok(()),
        }
    }

    pub(crate) fn open_on(
        root: PathBuf,
        options: Options,
        clock: Arc<dyn Clock>,
        disk: Arc<Disk>,
    ) -> Result<Self, OpenError> {
        let lock = claim(&root)?;
        let now_ms = clock.now().as_millisecond();
        let facts = Arc::new(Facts::open(root.join("facts.log")));
        let (pins, damaged) = Pins::open(root.join("pins"));
        if damaged > 0 {
            facts.add(Fact::repaired(Signal::Pinned, "", damaged, now_ms, "the file of pins was not whole"));
        }
        let counters = Counters::new(options.services_max);
        let failed = |source| OpenError::io(root.clone(), source);
        let traces = Traces::open(&root, &options, &disk, &facts, now_ms).map_err(failed)?;
        let logs = Logs::open(&root, &options, &disk, &facts, now_ms).map_err(failed)?;
        let metrics = Metrics::open(&root, &options, &disk, &facts, now_ms).map_err(failed)?;
        let interval = options.flush_interval;
        let inner = Arc::new(Inner {
            traces,
            logs,
            metrics,
            options,
            facts,
            disk,
            counters,
            clock,
            pins,
            trouble: Mutex::default(),
            metric_evictions: AtomicU64::new(0),
            looked_at: AtomicU64::new(0),
            removing: Mutex::new(()),
            stop: Mutex::new(false),
            stopped: Condvar::new(),
            root: root.clone(),
            _lock: lock,
        });
        let mut store = Self { inner, threads: Vec::new() };
        store.spawn(Task::Write, "store-writer", interval, |inner| inner.write()).map_err(failed)?;
        store
            .spawn(Task::Keep, "store-keeper", interval, |inner| {
                [inner.sync(), inner.keep_within_bounds()].into_iter().collect()
            })
            .map_err(failed)?;
        Ok(store)
    }

    fn spawn(
        &mut self,
        task: Task,
        name: &str,
        interval: std::time::Duration,
        work: impl Fn(&Inner) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let inner = self.inner.clone();
        let name = name.to_owned();
        let run = move || inner.run(task, interval, work);
        self.threads.push(std::thread::Builder::new().name(name).spawn(run)?);
        Ok(())
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Brings everything that was taken to the disk, now.
    pub fn flush(&self) -> io::Result<()> {
        self.inner.write()?;
        self.inner.sync()
    }

    /// What the store did that readers have to know, oldest first.
    pub fn facts(&self) -> Vec<Fact> {
        self.inner.facts.all()
    }

    /// Counts since the store was opened.
    pub fn counts(&self) -> Counts {
        self.inner.counters.counts()
    }

    /// What each service lost to stay within the bounds since the store was opened, those who lost the most
    /// bytes first.
    pub fn evictions(&self) -> Vec<ServiceEvictions> {
        self.inner.counters.evictions()
    }

    /// What the last flush could not do, in the system's words; `None` if all is well.
    pub fn trouble(&self) -> Option<String> {
        self.inner.trouble.lock().unwrap_or_else(PoisonError::into_inner).iter().flatten().next().cloned()
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.inner.bytes()
    }

    /// The bounds it was opened with.
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.inner.root
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        *self.inner.stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.inner.stopped.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        let done = self.flush();
        self.inner.note(Task::Write, &done);
    }
}

impl Inner {
    /// Does the work once every interval, however long it takes, until the store is closed.
    fn run(&self, task: Task, interval: std::time::Duration, work: impl Fn(&Self) -> io::Result<()>) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = interval;
        while !*stop {
            (stop, _) = self.stopped.wait_timeout(stop, rest).unwrap_or_else(PoisonError::into_inner);
            if *stop {
                return;
            }
            drop(stop);
            let began = std::time::Instant::now();
            let done = work(self);
            self.note(task, &done);
            rest = interval.saturating_sub(began.elapsed());
            stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn note(&self, task: Task, done: &io::Result<()>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = trouble.get_mut(task as usize) {
            *last = done.as_ref().err().map(ToString::to_string);
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Each signal is written even if another cannot be.
    pub(crate) fn write(&self) -> io::Result<()> {
        let now_ms = self.now_ms();
        self.make_room_for(self.metrics.rotation_bytes());
        let results = [
            self.traces.shelf.write(now_ms),
            self.traces.pinned.write(now_ms),
            self.logs.shelf.write(now_ms),
            self.metrics.write(now_ms),
            self.facts.flush(&self.disk),
            self.pins.flush(&self.disk),
        ];
        self.make_room();
        results.into_iter().collect()
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        let results =
            [self.traces.shelf.sync(), self.traces.pinned.sync(), self.logs.shelf.sync(), self.metrics.sync()];
        results.into_iter().collect()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.traces.bytes() + self.logs.shelf.bytes() + self.metrics.bytes() + self.facts.bytes()
    }

    pub(crate) fn count_metric_eviction(&self) {
        self.metric_evictions.fetch_add(1, Ordering::Relaxed);
    }
}

/// Makes sure that the folder is a store's and nobody else's at the moment. Gives the lock.
fn claim(root: &Path) -> Result<File, OpenError> {
    let failed = |source| OpenError::io(root, source);
    fs::create_dir_all(root).map_err(failed)?;
    let format = root.join("FORMAT");
    let expected = format!("highbeam console store {FORMAT}\n");
    match fs::read(&format) {
        Ok(found) if found == expected.as_bytes() => {}
        Ok(found) if found == format!("highbeam console store {FORMAT_BEFORE}\n").as_bytes() => {
            let lock = lock(root)?;
            // In one step: a torn file would be taken for somebody else's folder.
            let newer = root.join("FORMAT.new");
            fs::write(&newer, &expected).and_then(|()| sync_file(&newer)).map_err(failed)?;
            fs::rename(&newer, &format).and_then(|()| sync_folder(root)).map_err(failed)?;
            return Ok(lock);
        }
        Ok(found) => {
            let text = String::from_utf8_lossy(&found);
            return match text.trim().strip_prefix("highbeam console store ") {
                Some(found) => {
                    let found = found.chars().take(32).collect();
                    Err(OpenError::Version { path: root.to_owned(), found, expected: FORMAT })
                }
                // The file is written first of all, so a torn one is all there can be.
                None if expected.as_bytes().starts_with(&found)
                    && only(root, &["FORMAT", "LOCK"]).map_err(failed)? =>
                {
                    fs::write(&format, &expected).map_err(failed)?;
                    lock(root)
                }
                None => Err(OpenError::Foreign { path: root.to_owned() }),
            };
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if !only(root, &["LOCK", "lost+found"]).map_err(failed)? {
                return Err(OpenError::Foreign { path: root.to_owned() });
            }
            fs::write(&format, &expected).map_err(failed)?;
        }
        Err(error) => return Err(failed(error)),
    }
    lock(root)
}

fn only(root: &Path, names: &[&str]) -> io::Result<bool> {
    for entry in fs::read_dir(root)? {
        if !names.iter().any(|name| entry.as_ref().is_ok_and(|entry| entry.file_name() == **name)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn lock(root: &Path) -> Result<File, OpenError> {
    let failed = |source| OpenError::io(root, source);
    let file = OpenOptions::new().create(true).append(true).open(root.join("LOCK")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: root.to_owned() }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
