//! The metrics of this process under the names that all Prometheus client libraries use, read from
//! `/proc/self` when they are asked for. Where there is no `/proc` there are none.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::Metrics;
use super::family::Family;
use super::host::files::{Error, Text, whole};
use crate::names;

impl Metrics {
    /// Exposes the metrics of this process, `process_*`. To be called once, since they would be exposed
    /// twice.
    pub fn register_process(&mut self) {
        self.registry.register_collector(Box::new(Process::new(PathBuf::from("/proc"))));
    }
}

#[derive(Debug)]
struct Process {
    proc: PathBuf,
    ticks_per_second: f64,
    page_bytes: f64,
    /// In seconds since 1970. Read once: the kernel computes it anew from a clock that is corrected now
    /// and then, and a change would look like a restart.
    start_time: OnceLock<f64>,
}

impl Process {
    fn new(proc: PathBuf) -> Self {
        let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
        Self { proc, ticks_per_second, page_bytes: rustix::param::page_size() as f64, start_time: OnceLock::new() }
    }

    /// What can be read; each file stands for itself.
    fn families(&self) -> Vec<Family> {
        let folder = self.proc.join("self");
        let mut families = Text::read(folder.join("stat")).and_then(|stat| self.stat(&stat)).unwrap_or_default();
        families.extend(Text::read(folder.join("limits")).and_then(|limits| self::limits(&limits)).unwrap_or_default());
        families.extend(open_files(&folder.join("fd")).map(|count| Family::gauge(names::PROCESS_OPEN_FDS).with(count)));
        families
    }

    /// `/proc/self/stat`, see proc_pid_stat(5).
    fn stat(&self, stat: &Text) -> Result<Vec<Family>, Error> {
        let malformed = || stat.malformed("a line such as `42 (name) S …` with 24 fields or more");
        // The name is the program's to choose and may have spaces and brackets.
        let (_, fields) = stat.as_str().rsplit_once(')').ok_or_else(malformed)?;
        let fields: Vec<_> = fields.split_ascii_whitespace().collect();
        // Counted as in the manual, where the state behind the name is the third.
        let field = |number: usize| fields.get(number - 3).and_then(|digits| whole(digits)).ok_or_else(malformed);
        let ticks = field(14)? + field(15)?;
        let mut families = vec![
            Family::counter(names::PROCESS_CPU).with(ticks / self.ticks_per_second),
            Family::gauge(names::PROCESS_THREADS).with(field(20)?),
            Family::gauge(names::PROCESS_VIRTUAL_MEMORY).with(field(23)?),
            Family::gauge(names::PROCESS_RESIDENT_MEMORY).with(field(24)? * self.page_bytes),
        ];
        let since_boot = field(22)? / self.ticks_per_second;
        let start_time = self.start_time.get().copied().or_else(|| {
            let start_time = boot_time(&self.proc)? + since_boot;
            Some(*self.start_time.get_or_init(|| start_time))
        });
        families.extend(start_time.map(|seconds| Family::gauge(names::PROCESS_START_TIME).with(seconds)));
        Ok(families)
    }
}

/// In seconds since 1970.
fn boot_time(proc: &Path) -> Option<f64> {
    whole(Text::read(proc.join("stat")).ok()?.after("btime")?.trim())
}

/// `/proc/self/limits`, see proc_pid_limits(5).
fn limits(limits: &Text) -> Result<Vec<Family>, Error> {
    let soft = |name: &str, expected: &'static str| {
        let word = limits.after(name).and_then(|columns| columns.split_ascii_whitespace().next());
        let limit = word.and_then(|word| if word == "unlimited" { Some(u64::MAX as f64) } else { whole(word) });
        limit.ok_or_else(|| limits.malformed(expected))
    };
    let files = soft("Max open files", "a line such as `Max open files 1024 4096 files`")?;
    let memory = soft("Max address space", "a line such as `Max address space unlimited unlimited bytes`")?;
    Ok(vec![
        Family::gauge(names::PROCESS_MAX_FDS).with(files),
        Family::gauge(names::PROCESS_VIRTUAL_MEMORY_MAX).with(memory),
    ])
}

/// How many entries `/proc/self/fd` has. Since Linux 6.2 its size says so; before, they are counted,
/// and one of them is that of the counting itself.
fn open_files(folder: &Path) -> Option<f64> {
    match fs::metadata(folder).ok()?.len() {
        0 => Some(fs::read_dir(folder).ok()?.count().saturating_sub(1) as f64),
        count => Some(count as f64),
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.families().iter().try_for_each(|family| family.encode(&mut encoder))
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::tests::text;
    use super::*;

    /// The manual's example, with a name that a program could choose to confuse a reader.
    const STAT: &str = "42 (a) R (b) S 1 2 3 4 5 6 7 8 9 10 150 50 13 14 15 16 9 18 500 4096000 25 22 23\n";

    fn process(proc: &Path) -> Process {
        Process { ticks_per_second: 100.0, page_bytes: 4096.0, ..Process::new(proc.to_owned()) }
    }

    #[test]
    fn a_process_is_told_in_base_units() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("self");
        fs::create_dir(&own).unwrap();
        fs::write(folder.path().join("stat"), "cpu 1\nbtime 1795600787\n").unwrap();
        fs::write(own.join("stat"), STAT).unwrap();
        let limits = "Limit   Soft Limit  Hard Limit  Units\nMax open files 1024 4096 files\nMax address space unlimited unlimited bytes\n";
        fs::write(own.join("limits"), limits).unwrap();
        let process = process(folder.path());
        let told = text(&process.families());
        for line in [
            "process_cpu_seconds_total 2.0",
            "process_threads 9.0",
            "process_virtual_memory_bytes 4096000.0",
            "process_resident_memory_bytes 102400.0",
            "process_start_time_seconds 1795600792.0",
            "process_max_fds 1024.0",
            "process_virtual_memory_max_bytes 18446744073709553000.0",
        ] {
            assert!(told.lines().any(|told| told == line), "{line} is not in {told}");
        }
        fs::write(folder.path().join("stat"), "btime 1795600788\n").unwrap();
        assert!(
            text(&process.families()).contains("process_start_time_seconds 1795600792.0"),
            "a corrected clock is no restart"
        );
    }

    #[test]
    fn what_is_cut_off_or_garbled_is_an_error() {
        let process = process(Path::new("/none"));
        for line in ["", "42 (a", "42 (a) S 1 2 3", &STAT.replace("150", "x")] {
            assert!(process.stat(&Text::of(line)).is_err(), "{line:?}");
        }
        for text in ["", "Max open files 1024 4096 files\n", "Max open files x\nMax address space 1\n"] {
            assert!(limits(&Text::of(text)).is_err(), "{text:?}");
        }
        assert!(process.families().is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_very_process_is_told() {
        let mut metrics = Metrics::new("test", "1");
        metrics.register_process();
        let before = value(&metrics, "process_open_fds");
        let files: Vec<_> = (0..200).map(|_| fs::File::open("/proc/self/stat").unwrap()).collect();
        // Other tests of this process open and close files as well, but not as many.
        assert!(value(&metrics, "process_open_fds") > before + 100.0);
        drop(files);
        assert!(value(&metrics, "process_resident_memory_bytes") > 100_000.0);
        let age = wall_clock() - value(&metrics, "process_start_time_seconds");
        assert!((-2.0..86_400.0).contains(&age), "{age}");
    }

    #[expect(clippy::disallowed_methods, reason = "compared with the kernel's own")]
    fn wall_clock() -> f64 {
        jiff::Timestamp::now().as_duration().as_secs_f64()
    }

    fn value(metrics: &Metrics, name: &str) -> f64 {
        let text = metrics.encode().unwrap();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit_once(' ').unwrap().1.parse().unwrap()
    }
}
