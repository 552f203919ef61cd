//! The host's metrics as a scrape shows them, over trees of files that tests write.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use prometheus_client::registry::Registry;
use proptest::prelude::*;

use super::super::family;
use super::*;

/// Families as lines of text.
pub(super) fn lines(families: &[Family]) -> Vec<String> {
    family::tests::text(families).lines().map(str::to_owned).collect()
}

/// Asserts that lines are there.
pub(super) fn told(lines: &[String], expected: &[&str]) {
    for line in expected {
        assert!(lines.iter().any(|told| told == line), "{line} is not in {lines:#?}");
    }
}

/// Every file that is read, with what it could hold.
const FILES: [(&str, &str); 34] = [
    (
        "proc/stat",
        "cpu0 100 0 0 0\nintr 1 0\nctxt 2\nbtime 1795600787\nprocesses 4\nprocs_running 5\nprocs_blocked 6\n",
    ),
    ("proc/diskstats", "254 0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"),
    ("proc/loadavg", "2.25 2.12 1.52 3/105 12106\n"),
    ("proc/meminfo", "MemTotal: 2 kB\nHugePages_Free: 3\n"),
    ("proc/vmstat", "pgfault 3\n"),
    ("proc/self/mountinfo", "27 1 254:0 / / rw - ext4 /dev/vda rw\n"),
    ("proc/pressure/cpu", "some avg10=0.00 total=1\nfull total=0\n"),
    ("proc/pressure/io", "some avg10=0.00 total=1\nfull total=0\n"),
    ("proc/pressure/memory", "some avg10=0.00 total=1\nfull total=0\n"),
    ("proc/pressure/irq", "full avg10=0.00 total=1\n"),
    ("proc/net/dev", "Inter-|\n face |\neth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"),
    ("proc/net/netstat", "TcpExt: ListenDrops\nTcpExt: 1\n"),
    ("proc/net/snmp", "Tcp: InErrs\nTcp: 1\n"),
    ("proc/net/snmp6", "Ip6InOctets 1\n"),
    ("proc/net/sockstat", "sockets: used 1\nTCP: inuse 3 mem 1\n"),
    ("proc/net/sockstat6", "TCP6: inuse 3\n"),
    ("proc/net/softnet_stat", "1 0 0 0 0 0 0 0 0 0 0 0 0\n"),
    ("proc/net/stat/nf_conntrack", "entries found\n0 1\n"),
    ("proc/sys/net/netfilter/nf_conntrack_count", "1\n"),
    ("proc/sys/net/netfilter/nf_conntrack_max", "2\n"),
    ("proc/sys/fs/file-nr", "495 0 1000\n"),
    ("proc/sys/kernel/random/entropy_avail", "256\n"),
    ("proc/sys/kernel/random/poolsize", "256\n"),
    ("proc/sys/kernel/hung_task_detect_count", "0\n"),
    ("proc/sys/kernel/ostype", "Linux\n"),
    ("proc/sys/kernel/osrelease", "6.12.9\n"),
    ("proc/sys/kernel/version", "#1 SMP\n"),
    ("proc/sys/kernel/hostname", "shop-1\n"),
    ("proc/sys/kernel/domainname", "(none)\n"),
    ("sys/block/vda/queue/rotational", "1\n"),
    ("sys/class/net/eth0/statistics/rx_nohandler", "7\n"),
    ("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet \n"),
    ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"),
    // Wanted before that of `self`.
    ("proc/1/mountinfo", "27 1 254:0 / / rw - ext4 /dev/vda rw\n"),
];

fn write(root: &Path, file: &str, content: &[u8]) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    FILES.iter().for_each(|(file, content)| write(folder.path(), file, content.as_bytes()));
    folder
}

fn scrape(root: &Path) -> Vec<String> {
    let mut metrics = Metrics::new("test", "1");
    metrics.register_host(Options { proc: root.join("proc"), sys: root.join("sys") });
    metrics.encode().unwrap().lines().map(str::to_owned).collect()
}

fn succeeded(lines: &[String], collector: &str) -> bool {
    let line = format!("node_scrape_collector_success{{collector=\"{collector}\"}} ");
    lines.iter().find_map(|told| told.strip_prefix(&line)).unwrap() == "1.0"
}

#[test]
fn a_whole_host_is_told() {
    let lines = scrape(tree().path());
    for (collector, _) in COLLECTORS {
        assert!(succeeded(&lines, collector), "{collector}");
    }
    told(
        &lines,
        &[
            r#"node_cpu_seconds_total{cpu="0",mode="user"} 1.0"#,
            "# TYPE node_boot_time_seconds gauge",
            r#"node_disk_info{device="vda",major="254",minor="0",rotational="1"} 1.0"#,
            r#"node_network_receive_nohandler_total{device="eth0"} 7.0"#,
            r#"node_filesystem_device_error{device="/dev/vda",fstype="ext4",mountpoint="/"} 0.0"#,
            r#"node_time_clocksource_available_info{clocksource="hpet",device="0"} 1.0"#,
            "node_netstat_Ip6_InOctets 1.0",
        ],
    );
    let uname = lines.iter().find(|line| line.starts_with("node_uname_info")).unwrap();
    assert!(uname.contains(r#"nodename="shop-1""#) && uname.contains(r#"domainname="(none)""#), "{uname}");
    assert!(lines.iter().any(|line| line.starts_with("node_scrape_collector_duration_seconds{collector=\"cpu\"}")));
}

/// The tests run on Linux, macOS has no `/proc`.
#[cfg(target_os = "linux")]
#[test]
fn this_very_host_is_told() {
    let mut metrics = Metrics::new("test", "1");
    metrics.register_host(Options::default());
    let lines: Vec<_> = metrics.encode().unwrap().lines().map(str::to_owned).collect();
    for collector in ["cpu", "diskstats", "filesystem", "loadavg", "meminfo", "netdev", "stat", "uname", "vmstat"] {
        assert!(succeeded(&lines, collector), "{collector}: {lines:#?}");
    }
}

/// Which collector reads a file, and whether it can do without.
fn reader(file: &str) -> (&'static [&'static str], bool) {
    let file = file.split_once('/').unwrap().1;
    match file {
        "stat" => (&["cpu", "stat"], false),
        "diskstats" => (&["diskstats"], false),
        "block/vda/queue/rotational" => (&["diskstats"], true),
        "loadavg" => (&["loadavg"], false),
        "meminfo" => (&["meminfo"], false),
        "vmstat" => (&["vmstat"], false),
        "self/mountinfo" | "1/mountinfo" => (&["filesystem"], true),
        "pressure/irq" => (&["pressure"], true),
        "net/dev" => (&["netdev"], false),
        "class/net/eth0/statistics/rx_nohandler" => (&["netdev"], true),
        "net/netstat" | "net/snmp" => (&["netstat"], false),
        "net/snmp6" => (&["netstat"], true),
        "net/sockstat" | "net/sockstat6" => (&["sockstat"], true),
        "net/softnet_stat" => (&["softnet"], false),
        "net/stat/nf_conntrack" => (&["conntrack"], true),
        "sys/fs/file-nr" => (&["filefd"], false),
        "sys/kernel/hung_task_detect_count" => (&["kernel_hung"], false),
        file if file.starts_with("pressure/") => (&["pressure"], false),
        file if file.starts_with("sys/net/netfilter/") => (&["conntrack"], false),
        file if file.starts_with("sys/kernel/random/") => (&["entropy"], false),
        file if file.starts_with("sys/kernel/") => (&["uname"], false),
        _ => (&["time"], true),
    }
}

#[test]
fn a_file_that_is_not_there_leaves_its_collector_out_and_no_other() {
    for (file, _) in FILES {
        let tree = tree();
        fs::remove_file(tree.path().join(file)).unwrap();
        let lines = scrape(tree.path());
        let (readers, can_do_without) = reader(file);
        for (collector, _) in COLLECTORS {
            let expected = !readers.contains(&collector) || can_do_without;
            assert_eq!(succeeded(&lines, collector), expected, "{collector} without {file}");
        }
    }
}

#[test]
fn a_garbled_file_leaves_nothing_of_its_collector() {
    let tree = tree();
    write(tree.path(), "proc/meminfo", b"MemTotal: 2 kB\nMemFree: \xff\xfe\n");
    let lines = scrape(tree.path());
    assert!(!succeeded(&lines, "meminfo") && succeeded(&lines, "vmstat"));
    assert!(!lines.iter().any(|line| line.starts_with("node_memory")), "{lines:#?}");
}

#[test]
fn what_begins_to_fail_is_logged_once_and_what_was_never_there_is_not() {
    let tree = tree();
    let host = Host::new(Options { proc: tree.path().join("proc"), sys: tree.path().join("sys") });
    let absent = Text::read(tree.path().join("none")).unwrap_err();
    let garbled = Text::of("x").malformed("y");
    let logged = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let subscriber = {
        let logged = std::sync::Arc::clone(&logged);
        tracing_subscriber::fmt().with_writer(move || Shared(std::sync::Arc::clone(&logged))).finish()
    };
    tracing::subscriber::with_default(subscriber, || {
        host.tell("cpu", Some(&garbled));
        host.tell("cpu", Some(&garbled));
        host.tell("conntrack", Some(&absent));
        host.tell("cpu", None);
        host.tell("cpu", Some(&garbled));
    });
    let text = String::from_utf8(logged.lock().unwrap().clone()).unwrap();
    assert_eq!(text.matches("host metrics are incomplete").count(), 2, "{text}");
    assert!(!text.contains("conntrack"), "{text}");
}

struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The rows of the reference, by exposed name: type and labels.
fn reference() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/telemetry/README.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, _unit, labels, ..] = cells[..] else { return None };
        let labels = labels.split_whitespace().map(|label| label.trim_matches('`').to_owned()).collect();
        Some((name.trim_matches('`').to_owned(), (kind.to_owned(), labels)))
    })
    .collect()
}

/// `node_memory_{field}_bytes` fits `node_memory_MemFree_bytes`.
fn fits(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split(['{', '}']).step_by(2);
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let pieces: Vec<_> = pieces.collect();
    let Some((last, between)) = pieces.split_last() else { return rest.is_empty() };
    for piece in between {
        match rest.split_once(piece) {
            Some((word, after)) if !word.is_empty() => rest = after,
            _ => return false,
        }
    }
    rest.strip_suffix(last).is_some_and(|word| !word.is_empty())
}

#[test]
fn everything_is_declared_with_its_type_and_labels() {
    let reference = reference();
    let declared = |name: &str| {
        let exact = reference.get(name);
        exact.or_else(|| reference.iter().find(|(pattern, _)| fits(pattern, name)).map(|(_, row)| row))
    };
    let lines = scrape(tree().path());
    let mut kinds = BTreeMap::new();
    for line in lines.iter().filter_map(|line| line.strip_prefix("# TYPE node_")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let name = if kind == "counter" { format!("node_{name}_total") } else { format!("node_{name}") };
        let (declared_kind, _) = declared(&name).unwrap_or_else(|| panic!("{name} is not declared"));
        assert_eq!(declared_kind, kind, "{name}");
        kinds.insert(name, kind);
    }
    assert!(kinds.len() > 80, "{kinds:#?}");
    for line in lines.iter().filter(|line| line.starts_with("node_")) {
        let name = line.split(['{', ' ']).next().unwrap();
        let labels = line.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).map_or("", |(labels, _)| labels);
        let told: BTreeSet<_> =
            labels.split("\",").filter_map(|label| Some(label.split_once('=')?.0.to_owned())).collect();
        let (_, declared) = declared(name).unwrap();
        // Only a failure has this one.
        let expected: BTreeSet<_> = declared.iter().filter(|label| *label != "device_error").cloned().collect();
        assert_eq!(told, expected, "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Nothing that could stand in `/proc` or `/sys` makes a scrape fail, panic, or break its form.
    #[test]
    fn whatever_the_files_hold_a_scrape_is_well_formed(
        garbage in prop::collection::vec((0..FILES.len(), prop::collection::vec(any::<u8>(), 0..60), 0..200_usize), 1..8)
    ) {
        let tree = tree();
        for (index, bytes, at) in garbage {
            let (file, content) = FILES[index];
            let at = at.min(content.len());
            let content = [content.as_bytes().get(..at).unwrap(), &bytes].concat();
            write(tree.path(), file, &content);
        }
        let lines = scrape(tree.path());
        prop_assert_eq!(lines.last().map(String::as_str), Some("# EOF"));
        for line in lines.iter().filter(|line| !line.starts_with("# ")) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            prop_assert!(value.parse::<f64>().is_ok(), "{}", line);
            let name = series.split('{').next().unwrap();
            prop_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{}", line);
        }
    }
}

#[test]
fn two_scrapes_do_not_share_what_they_read() {
    let tree = tree();
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Host::new(Options {
        proc: tree.path().join("proc"),
        sys: tree.path().join("sys"),
    })));
    let read = || {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    };
    assert!(read().contains("node_forks_total 4.0"));
    let stat = FILES[0].1.replace("processes 4", "processes 5");
    write(tree.path(), "proc/stat", stat.as_bytes());
    assert!(read().contains("node_forks_total 5.0"));
}
