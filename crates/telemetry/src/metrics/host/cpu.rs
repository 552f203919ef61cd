//! `/proc/stat`: what each CPU does, and what the kernel has counted since it started.
//!
//! The form is in proc_pid_stat(5) and in the kernel's `Documentation/filesystems/proc.rst`.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use super::super::family::{Family, Labels};
use super::files::{Error, Text, whole};
use crate::names;

/// The modes in the order of the file. Guests come after them, and are counted in `user` and `nice`
/// as well.
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
const GUEST_MODES: [&str; 2] = ["user", "nice"];
const FIELDS: usize = MODES.len() + GUEST_MODES.len();
const IDLE: usize = 3;
/// A fall of `idle` by more than this is no correction by the kernel but a CPU that was taken out and
/// put in again, and counts anew. In seconds.
const FALL_MAX: f64 = 3.0;

type Times = [f64; FIELDS];

/// Keeps the times of CPUs from falling: the kernel now and then corrects `idle` and `iowait` downwards,
/// and whoever computes rates would take the next value for a restart and show a peak that never was.
#[derive(Debug, Default)]
pub(super) struct Cpus {
    last: Mutex<BTreeMap<u32, Times>>,
}

impl Cpus {
    pub(super) fn families(&self, stat: &Text, ticks_per_second: f64) -> Result<Vec<Family>, Error> {
        let now = times(stat, ticks_per_second)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // CPUs that are gone are forgotten.
        *last = now
            .into_iter()
            .map(|(cpu, now)| (cpu, last.get(&cpu).map_or(now, |last| never_falling(last, now))))
            .collect();
        let (mut seconds, mut guest) = (Family::counter(names::NODE_CPU), Family::counter(names::NODE_CPU_GUEST));
        for (cpu, times) in &*last {
            let labels = |mode: &str| -> Labels { Rc::new([("cpu", cpu.to_string()), ("mode", mode.to_owned())]) };
            MODES.iter().zip(times).for_each(|(mode, time)| seconds.push(&labels(mode), *time));
            let guests = times.iter().skip(MODES.len());
            GUEST_MODES.iter().zip(guests).for_each(|(mode, time)| guest.push(&labels(mode), *time));
        }
        Ok(vec![seconds, guest])
    }
}

fn never_falling(last: &Times, now: Times) -> Times {
    if last[IDLE] - now[IDLE] >= FALL_MAX {
        return now;
    }
    let mut times = now;
    times.iter_mut().zip(last).for_each(|(now, last)| *now = now.max(*last));
    times
}

/// The lines `cpu0 …`; the sum over all of them, `cpu …`, is left to whoever reads the metrics.
fn times(stat: &Text, ticks_per_second: f64) -> Result<BTreeMap<u32, Times>, Error> {
    let malformed = || stat.malformed("lines such as `cpu0 1 2 3 4`");
    let mut cpus = BTreeMap::new();
    for line in stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")) {
        let mut words = line.split_ascii_whitespace();
        let cpu = words.next().and_then(|name| name.strip_prefix("cpu")?.parse().ok()).ok_or_else(malformed)?;
        let mut times = Times::default();
        let mut count = 0;
        // Kernels from before a mode was invented have fewer fields, and later ones may have more.
        for (time, word) in times.iter_mut().zip(words) {
            *time = whole(word).ok_or_else(malformed)? / ticks_per_second;
            count += 1;
        }
        if count <= IDLE {
            return Err(malformed());
        }
        cpus.insert(cpu, times);
    }
    if cpus.is_empty() { Err(malformed()) } else { Ok(cpus) }
}

/// The other lines.
pub(super) fn stat(stat: &Text) -> Result<Vec<Family>, Error> {
    let number = |word: &str, expected: &'static str| {
        let first = stat.after(word).and_then(|rest| rest.split_ascii_whitespace().next());
        first.and_then(whole).ok_or_else(|| stat.malformed(expected))
    };
    Ok(vec![
        Family::counter(names::NODE_INTR).with(number("intr", "a line such as `intr 42 …`")?),
        Family::counter(names::NODE_CONTEXT_SWITCHES).with(number("ctxt", "a line such as `ctxt 42`")?),
        Family::gauge(names::NODE_BOOT_TIME).with(number("btime", "a line such as `btime 1764000000`")?),
        Family::counter(names::NODE_FORKS).with(number("processes", "a line such as `processes 42`")?),
        Family::gauge(names::NODE_PROCS_RUNNING).with(number("procs_running", "a line such as `procs_running 1`")?),
        Family::gauge(names::NODE_PROCS_BLOCKED).with(number("procs_blocked", "a line such as `procs_blocked 0`")?),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::tests::lines;
    use super::*;

    const STAT: &str = "cpu  300 0 0 0 0 0 0 0 0 0\n\
        cpu0 100 20 30 400 5 6 7 8 9 1\n\
        cpu12 200 0 0 0\n\
        intr 3831104 0 0 1\nctxt 11011410\nbtime 1795600787\nprocesses 77025\nprocs_running 3\nprocs_blocked 0\n\
        softirq 9627623 0 107132\n";

    #[test]
    fn times_are_seconds_and_guests_stand_apart() {
        let lines = lines(&Cpus::default().families(&Text::of(STAT), 100.0).unwrap());
        for line in [
            r#"node_cpu_seconds_total{cpu="0",mode="user"} 1.0"#,
            r#"node_cpu_seconds_total{cpu="0",mode="steal"} 0.08"#,
            r#"node_cpu_seconds_total{cpu="12",mode="user"} 2.0"#,
            r#"node_cpu_guest_seconds_total{cpu="0",mode="nice"} 0.01"#,
        ] {
            assert!(lines.contains(&line.to_owned()), "{line} is not in {lines:#?}");
        }
        assert_eq!(lines.iter().filter(|line| !line.starts_with('#')).count(), 2 * FIELDS);
    }

    #[test]
    fn a_correction_by_the_kernel_is_not_seen_and_a_new_cpu_is() {
        let cpus = Cpus::default();
        let idle = |text: &str| {
            let families = cpus.families(&Text::of(text), 100.0).unwrap();
            lines(&families).into_iter().find(|line| line.contains("idle")).unwrap()
        };
        assert!(idle("cpu0 0 0 0 500").ends_with(" 5.0"));
        assert!(idle("cpu0 0 0 0 499").ends_with(" 5.0"));
        assert!(idle("cpu0 0 0 0 501").ends_with(" 5.01"));
        assert!(idle("cpu0 0 0 0 100").ends_with(" 1.0"), "a fall of four seconds is a CPU that was put in again");
    }

    #[test]
    fn what_the_kernel_counts_is_told() {
        let lines = lines(&stat(&Text::of(STAT)).unwrap());
        for line in ["node_intr_total 3831104.0", "node_boot_time_seconds 1795600787.0", "node_procs_running 3.0"] {
            assert!(lines.contains(&line.to_owned()), "{line} is not in {lines:#?}");
        }
    }

    #[test]
    fn what_is_cut_off_or_garbled_is_an_error() {
        for text in ["", "cpu  1 2 3 4\n", "cpu0 1 2\n", "cpu0 1 2 x 4\n", "cpux 1 2 3 4\n", "cpu0 -1 0 0 0\n"] {
            assert!(Cpus::default().families(&Text::of(text), 100.0).is_err(), "{text:?}");
        }
        for cut in ["intr", "procs_blocked 0"] {
            let (text, _) = STAT.split_once(cut).unwrap();
            let error = stat(&Text::of(text)).unwrap_err().to_string();
            assert!(error.contains("a line such as"), "{error}");
        }
    }
}
