//! Small things about the whole host, a file or two each: load, pressure, open files, randomness, hung
//! tasks, names, the clock.

use std::rc::Rc;
use std::time::SystemTime;

use super::super::family::{Family, Labels};
use super::files::{Error, Text, Tree, decimal, optional, whole, wholes};
use crate::names;

/// `/proc/loadavg`
pub(super) fn loadavg(text: &Text) -> Result<Vec<Family>, Error> {
    let mut words = text.as_str().split_ascii_whitespace().map(decimal);
    let mut next = || words.next().flatten().ok_or_else(|| text.malformed("three numbers such as `0.25 0.5 1.0`"));
    Ok(vec![
        Family::gauge(names::NODE_LOAD1).with(next()?),
        Family::gauge(names::NODE_LOAD5).with(next()?),
        Family::gauge(names::NODE_LOAD15).with(next()?),
    ])
}

/// `/proc/pressure`, which the kernel's `Documentation/accounting/psi.rst` explains.
pub(super) fn pressure(tree: &Tree) -> Result<Vec<Family>, Error> {
    let (cpu, io) = (tree.proc("pressure/cpu")?, tree.proc("pressure/io")?);
    let memory = tree.proc("pressure/memory")?;
    let mut families = vec![
        stalled(&cpu, "some", names::NODE_PRESSURE_CPU_WAITING)?,
        stalled(&io, "some", names::NODE_PRESSURE_IO_WAITING)?,
        stalled(&io, "full", names::NODE_PRESSURE_IO_STALLED)?,
        stalled(&memory, "some", names::NODE_PRESSURE_MEMORY_WAITING)?,
        stalled(&memory, "full", names::NODE_PRESSURE_MEMORY_STALLED)?,
    ];
    // Depends on how the kernel was built.
    if let Some(irq) = optional(tree.proc("pressure/irq"))? {
        families.push(stalled(&irq, "full", names::NODE_PRESSURE_IRQ_STALLED)?);
    }
    Ok(families)
}

fn stalled(text: &Text, line: &str, name: (&str, &'static str)) -> Result<Family, Error> {
    const PER_SECOND: f64 = 1_000_000.0;
    let total = text
        .after(line)
        .and_then(|fields| fields.split_ascii_whitespace().find_map(|field| field.strip_prefix("total=")));
    let microseconds = total.and_then(whole);
    let microseconds = microseconds.ok_or_else(|| text.malformed("a line such as `some avg10=0.00 total=42`"))?;
    Ok(Family::counter(name).with(microseconds / PER_SECOND))
}

/// `/proc/sys/fs/file-nr`: allocated, unused since Linux 2.6, allowed.
pub(super) fn filefd(text: &Text) -> Result<Vec<Family>, Error> {
    let Some(&[allocated, _, maximum]) = wholes(text.as_str()).as_deref() else {
        return Err(text.malformed("three numbers such as `495 0 100000`"));
    };
    Ok(vec![
        Family::gauge(names::NODE_FILEFD_ALLOCATED).with(allocated),
        Family::gauge(names::NODE_FILEFD_MAXIMUM).with(maximum),
    ])
}

pub(super) fn entropy(tree: &Tree) -> Result<Vec<Family>, Error> {
    let bits = |file: &str| tree.proc(format!("sys/kernel/random/{file}")).and_then(|text| text.number());
    Ok(vec![
        Family::gauge(names::NODE_ENTROPY_AVAILABLE).with(bits("entropy_avail")?),
        Family::gauge(names::NODE_ENTROPY_POOL_SIZE).with(bits("poolsize")?),
    ])
}

pub(super) fn kernel_hung(tree: &Tree) -> Result<Vec<Family>, Error> {
    let tasks = tree.proc("sys/kernel/hung_task_detect_count")?.number()?;
    Ok(vec![Family::counter(names::NODE_KERNEL_HUNG_TASKS).with(tasks)])
}

/// What `uname` says, by the files from which it has it.
pub(super) fn uname(tree: &Tree) -> Result<Vec<Family>, Error> {
    let word = |file: &str| tree.proc(format!("sys/kernel/{file}")).map(|text| text.as_str().trim_end().to_owned());
    let labels: Labels = Rc::new([
        ("sysname", word("ostype")?),
        ("release", word("osrelease")?),
        ("version", word("version")?),
        // The file with it came with Linux 6.1.
        ("machine", rustix::system::uname().machine().to_string_lossy().into_owned()),
        ("nodename", word("hostname")?),
        ("domainname", word("domainname")?),
    ]);
    let mut family = Family::gauge(names::NODE_UNAME_INFO);
    family.push(&labels, 1.0);
    Ok(vec![family])
}

/// The clock, and what it goes by.
pub(super) fn time(tree: &Tree) -> Result<Vec<Family>, Error> {
    const DEVICE: &str = "0";
    let sources = |file: &str, name: (&str, &'static str)| {
        let text = optional(tree.sys(format!("devices/system/clocksource/clocksource{DEVICE}/{file}")))?;
        let mut family = Family::gauge(name);
        for source in text.iter().flat_map(|text| text.as_str().split_ascii_whitespace()) {
            let labels: Labels = Rc::new([("clocksource", source.to_owned()), ("device", DEVICE.to_owned())]);
            family.push(&labels, 1.0);
        }
        Ok(family)
    };
    Ok(vec![
        Family::gauge(names::NODE_TIME).with(host_clock()),
        sources("available_clocksource", names::NODE_TIME_CLOCKSOURCE_AVAILABLE_INFO)?,
        sources("current_clocksource", names::NODE_TIME_CLOCKSOURCE_CURRENT_INFO)?,
    ])
}

#[expect(clippy::disallowed_methods, reason = "the metric is the host's own clock, for comparison with others")]
fn host_clock() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{lines, told};
    use super::*;

    #[test]
    fn loads_are_three_numbers() {
        told(
            &lines(&loadavg(&Text::of("2.25 2.12 1.52 3/105 12106\n")).unwrap()),
            &["node_load1 2.25", "node_load5 2.12", "node_load15 1.52"],
        );
        for text in ["", "2.25 2.12", "inf 1.0 1.0", "a b c"] {
            assert!(loadavg(&Text::of(text)).is_err(), "{text:?}");
        }
    }

    #[test]
    fn pressure_is_seconds() {
        let text =
            Text::of("some avg10=21.06 avg60=13.06 avg300=17.20 total=178162883\nfull avg10=0.00 total=2000000\n");
        let name = names::NODE_PRESSURE_IO_WAITING;
        let families = [stalled(&text, "some", name).unwrap(), stalled(&text, "full", name).unwrap()];
        told(
            &lines(&families),
            &["node_pressure_io_waiting_seconds_total 178.162883", "node_pressure_io_waiting_seconds_total 2.0"],
        );
        for text in ["", "some avg10=0.00\n", "some total=x\n", "sometotal=1\n"] {
            assert!(stalled(&Text::of(text), "some", name).is_err(), "{text:?}");
        }
    }

    #[test]
    fn open_files_are_three_numbers() {
        told(
            &lines(&filefd(&Text::of("495\t0\t2466177\n")).unwrap()),
            &["node_filefd_allocated 495.0", "node_filefd_maximum 2466177.0"],
        );
        for text in ["", "495 0\n", "495 0 x\n", "1 2 3 4\n"] {
            assert!(filefd(&Text::of(text)).is_err(), "{text:?}");
        }
    }
}
