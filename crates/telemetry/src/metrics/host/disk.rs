//! `/proc/diskstats`: what block devices do. The columns are in the kernel's
//! `Documentation/admin-guide/iostats.rst`; older kernels have fewer.

use std::rc::Rc;

use super::super::family::{Family, Labels, label};
use super::files::{Error, Text, Tree, optional, whole};
use crate::names;

/// Sectors in this file are of 512 bytes, whatever the device's own are.
const SECTOR: f64 = 512.0;
/// Times in this file are milliseconds.
const PER_SECOND: f64 = 1_000.0;
/// Columns after the device's name that every kernel has.
const COLUMNS_MIN: usize = 11;

enum Column {
    Count((&'static str, &'static str)),
    Now((&'static str, &'static str)),
    Sectors((&'static str, &'static str)),
    Time((&'static str, &'static str)),
}

/// In the order of the file.
const COLUMNS: [Column; 17] = [
    Column::Count(names::NODE_DISK_READS_COMPLETED),
    Column::Count(names::NODE_DISK_READS_MERGED),
    Column::Sectors(names::NODE_DISK_READ),
    Column::Time(names::NODE_DISK_READ_TIME),
    Column::Count(names::NODE_DISK_WRITES_COMPLETED),
    Column::Count(names::NODE_DISK_WRITES_MERGED),
    Column::Sectors(names::NODE_DISK_WRITTEN),
    Column::Time(names::NODE_DISK_WRITE_TIME),
    Column::Now(names::NODE_DISK_IO_NOW),
    Column::Time(names::NODE_DISK_IO_TIME),
    Column::Time(names::NODE_DISK_IO_TIME_WEIGHTED),
    Column::Count(names::NODE_DISK_DISCARDS_COMPLETED),
    Column::Count(names::NODE_DISK_DISCARDS_MERGED),
    // Its name says sectors.
    Column::Count(names::NODE_DISK_DISCARDED_SECTORS),
    Column::Time(names::NODE_DISK_DISCARD_TIME),
    Column::Count(names::NODE_DISK_FLUSH_REQUESTS),
    Column::Time(names::NODE_DISK_FLUSH_REQUESTS_TIME),
];

impl Column {
    fn family(&self) -> Family {
        match self {
            Self::Count(name) | Self::Sectors(name) | Self::Time(name) => Family::counter(*name),
            Self::Now(name) => Family::gauge(*name),
        }
    }

    fn value(&self, number: f64) -> f64 {
        match self {
            Self::Count(_) | Self::Now(_) => number,
            Self::Sectors(_) => number * SECTOR,
            Self::Time(_) => number / PER_SECOND,
        }
    }
}

/// A line of the file.
struct Device<'a> {
    major: &'a str,
    minor: &'a str,
    name: &'a str,
    values: Vec<f64>,
}

impl<'a> Device<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (major, minor, name) = (words.next()?, words.next()?, words.next()?);
        whole(major)?;
        whole(minor)?;
        let values: Vec<_> = words.map(whole).collect::<Option<_>>()?;
        (values.len() >= COLUMNS_MIN).then_some(Self { major, minor, name, values })
    }
}

pub(super) fn diskstats(tree: &Tree) -> Result<Vec<Family>, Error> {
    let text = tree.proc("diskstats")?;
    families(&text, |device| {
        let queue = optional(tree.sys(format!("block/{device}/queue/rotational")))?;
        Ok(queue.map(|queue| queue.as_str().trim().to_owned()))
    })
}

/// `rotational` says what `/sys` knows of a device, which is nothing for partitions.
fn families(text: &Text, rotational: impl Fn(&str) -> Result<Option<String>, Error>) -> Result<Vec<Family>, Error> {
    let mut info = Family::gauge(names::NODE_DISK_INFO);
    let mut families: Vec<_> = COLUMNS.iter().map(Column::family).collect();
    for line in text.lines() {
        let device = Device::read(line)
            .filter(|device| !device.name.contains(".."))
            .ok_or_else(|| text.malformed("lines such as `254 0 vda 1 2 3 4 5 6 7 8 9 10 11`"))?;
        if is_excluded(device.name) {
            continue;
        }
        // A `/` in a device's name is a `!` in `/sys`.
        let rotational = rotational(&device.name.replace('/', "!"))?.unwrap_or_else(|| "0".to_owned());
        let owned = str::to_owned;
        let labels: Labels = Rc::new([
            ("device", owned(device.name)),
            ("major", owned(device.major)),
            ("minor", owned(device.minor)),
            ("rotational", rotational),
        ]);
        info.push(&labels, 1.0);
        let labels = label("device", device.name);
        for ((family, column), value) in families.iter_mut().zip(&COLUMNS).zip(device.values) {
            family.push(&labels, column.value(value));
        }
    }
    families.insert(0, info);
    Ok(families)
}

/// What node_exporter leaves out unless told otherwise: RAM disks, loops, floppies, and partitions,
/// whose device has the same counts in all.
fn is_excluded(device: &str) -> bool {
    let stem = device.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() == device.len() {
        return false;
    }
    let disk = ["h", "s", "v", "xv"].iter().any(|kind| {
        let letters = stem.strip_prefix(kind).and_then(|rest| rest.strip_prefix('d'));
        letters.is_some_and(|letters| letters.len() == 1 && letters.bytes().all(|letter| letter.is_ascii_lowercase()))
    });
    let namespace = || {
        let (controller, namespace) = stem.strip_suffix('p')?.strip_prefix("nvme")?.split_once('n')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        Some(digits(controller) && digits(namespace))
    };
    ["ram", "zram", "loop", "fd"].contains(&stem) || disk || namespace().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::super::tests::lines;
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, Error> {
        families(&Text::of(text), |device| Ok((device == "sda").then(|| "1".to_owned())))
            .map(|families| lines(&families))
    }

    #[test]
    fn counts_become_bytes_and_seconds() {
        let lines = read("   8       0 sda 1 2 3 4000 5 6 7 8000 9 10 11 12 13 14 15 16 17000\n").unwrap();
        for line in [
            r#"node_disk_info{device="sda",major="8",minor="0",rotational="1"} 1.0"#,
            r#"node_disk_reads_completed_total{device="sda"} 1.0"#,
            r#"node_disk_read_bytes_total{device="sda"} 1536.0"#,
            r#"node_disk_write_time_seconds_total{device="sda"} 8.0"#,
            r#"node_disk_io_now{device="sda"} 9.0"#,
            r#"node_disk_discarded_sectors_total{device="sda"} 14.0"#,
            r#"node_disk_flush_requests_time_seconds_total{device="sda"} 17.0"#,
        ] {
            assert!(lines.contains(&line.to_owned()), "{line} is not in {lines:#?}");
        }
    }

    #[test]
    fn an_older_kernel_has_fewer_columns_and_a_later_one_more() {
        let lines = read("8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n").unwrap();
        assert!(!lines.iter().any(|line| line.contains("discard")), "{lines:#?}");
        assert!(read("8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19\n").is_ok());
    }

    #[test]
    fn partitions_and_what_is_no_disk_are_left_out() {
        for device in ["ram0", "zram0", "loop12", "fd0", "sda1", "vdb12", "xvda1", "hdc3", "nvme0n1p2"] {
            assert!(is_excluded(device), "{device}");
        }
        for device in [
            "sda",
            "vda",
            "xvda",
            "nvme0n1",
            "dm-0",
            "md127",
            "sr0",
            "mmcblk0",
            "mmcblk0p1",
            "sdaa1",
            "zram",
            "nvmen1p1",
        ] {
            assert!(!is_excluded(device), "{device}");
        }
    }

    #[test]
    fn a_line_that_is_not_understood_leaves_nothing() {
        for text in [
            "8 0 sda 1 2 3 4 5 6 7 8 9 10",
            "8 0 sda 1 2 3 4 5 6 7 8 9 10 x",
            "8 x sda",
            "8 0 ../../x 1 2 3 4 5 6 7 8 9 10 11",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
        assert!(read("").is_ok(), "a machine without disks");
    }
}
