//! `/proc/meminfo` and `/proc/vmstat`: one metric for each field, by its name.

use super::super::family::Family;
use super::files::{Error, Text, whole};
use crate::names;

const KIBIBYTE: f64 = 1024.0;

/// `/proc/meminfo`. A field with a unit is in bytes and says so in its name.
pub(super) fn meminfo(text: &Text) -> Result<Vec<Family>, Error> {
    let malformed = || text.malformed("lines such as `MemTotal: 42 kB`");
    let mut families = Vec::new();
    for line in text.lines() {
        let (field, value) = line.split_once(':').ok_or_else(malformed)?;
        // `Active(anon)` is `Active_anon`.
        let field = field.replace('(', "_").replace(')', "");
        let mut words = value.split_ascii_whitespace();
        let number = words.next().and_then(whole).ok_or_else(malformed)?;
        let (declared, value) = match words.next() {
            Some("kB") => (names::NODE_MEMORY, number * KIBIBYTE),
            Some(_) => return Err(malformed()),
            None => (names::NODE_MEMORY_COUNT, number),
        };
        let family = Family::gauge(declared).named("{field}", &field).ok_or_else(malformed)?;
        families.push(family.with(value));
    }
    if families.is_empty() { Err(malformed()) } else { Ok(families) }
}

/// `/proc/vmstat`: what was swapped, paged and killed.
pub(super) fn vmstat(text: &Text) -> Result<Vec<Family>, Error> {
    let malformed = || text.malformed("lines such as `pgfault 42`");
    let mut families = Vec::new();
    for line in text.lines() {
        let (field, value) = line.split_once(' ').ok_or_else(malformed)?;
        let value = whole(value.trim()).ok_or_else(malformed)?;
        if is_exposed(field) {
            let family = Family::unknown(names::NODE_VMSTAT).named("{field}", field).ok_or_else(malformed)?;
            families.push(family.with(value));
        }
    }
    if families.is_empty() { Err(malformed()) } else { Ok(families) }
}

/// Those that node_exporter exposes unless told otherwise; there are some two hundred.
fn is_exposed(field: &str) -> bool {
    let fault = field.strip_prefix("pg").is_some_and(|rest| rest.contains("fault"));
    fault || ["oom_kill", "pgpg", "pswp"].iter().any(|start| field.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::super::tests::lines;
    use super::*;

    #[test]
    fn every_field_is_told_in_bytes_if_it_has_a_unit() {
        let text =
            "MemTotal:       24684092 kB\nActive(anon):       1568 kB\nHugePages_Free:        3\nDirectMap4k: 1 kB\n";
        let lines = lines(&meminfo(&Text::of(text)).unwrap());
        for line in [
            "node_memory_MemTotal_bytes 25276510208.0",
            "node_memory_Active_anon_bytes 1605632.0",
            "node_memory_HugePages_Free 3.0",
            "node_memory_DirectMap4k_bytes 1024.0",
        ] {
            assert!(lines.contains(&line.to_owned()), "{line} is not in {lines:#?}");
        }
    }

    #[test]
    fn a_memory_field_that_is_not_understood_leaves_nothing() {
        for text in ["", "MemTotal: 1 kB\nMemFree", "MemFree: kB", "MemFree: 1 MB", "Mem Free: 1 kB", "MemFree: -1 kB"]
        {
            assert!(meminfo(&Text::of(text)).is_err(), "{text:?}");
        }
    }

    #[test]
    fn faults_swapping_and_kills_are_told() {
        let text =
            "nr_free_pages 1\npgpgin 2\npgfault 3\npgmajfault 4\npgsteal_kswapd 5\npswpout 6\noom_kill 7\nnuma_hit 8\n";
        let lines = lines(&vmstat(&Text::of(text)).unwrap());
        let values: Vec<_> = lines.iter().filter(|line| !line.starts_with('#')).map(String::as_str).collect();
        assert_eq!(
            values,
            [
                "node_vmstat_pgpgin 2.0",
                "node_vmstat_pgfault 3.0",
                "node_vmstat_pgmajfault 4.0",
                "node_vmstat_pswpout 6.0",
                "node_vmstat_oom_kill 7.0"
            ]
        );
        assert!(lines.contains(&"# TYPE node_vmstat_pgfault unknown".to_owned()), "{lines:#?}");
    }

    #[test]
    fn a_count_that_is_not_understood_leaves_nothing() {
        for text in ["", "nr_free_pages 1\n", "pgfault\n", "pgfault x\n", "pgfault 1\npgpg"] {
            assert!(vmstat(&Text::of(text)).is_err(), "{text:?}");
        }
    }
}
