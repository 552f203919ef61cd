//! What the files about the network become, and that a garbled one leaves nothing.

use super::super::tests::{lines, told};
use super::*;

const DEV: &str = "Inter-|   Receive                |  Transmit\n\
    \x20face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed\n\
    \x20   lo: 2701191068 7618018    0    0    0     0          0         0 2701191068 7618018    0    0    0     0       0          0\n\
    eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";

#[test]
fn each_column_of_a_device_is_a_counter() {
    let read = devices(&Text::of(DEV), |device| Ok((device == "eth0").then_some(17.0))).unwrap();
    told(
        &lines(&read),
        &[
            r#"node_network_receive_bytes_total{device="lo"} 2701191068.0"#,
            r#"node_network_receive_multicast_total{device="eth0"} 8.0"#,
            r#"node_network_transmit_compressed_total{device="eth0"} 16.0"#,
            r#"node_network_receive_nohandler_total{device="eth0"} 17.0"#,
        ],
    );
    assert!(!lines(&read).iter().any(|line| line.contains("nohandler") && line.contains("lo")));
}

#[test]
fn devices_that_are_not_understood_leave_nothing() {
    let heading = DEV.split("    lo:").next().unwrap();
    for rest in [
        "eth0: 1 2 3\n",
        "eth0 1\n",
        "../..: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
        "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 x",
    ] {
        assert!(devices(&Text::of(&format!("{heading}{rest}")), |_| Ok(None)).is_err(), "{rest:?}");
    }
    for text in ["", "Inter-|\n", "eth0: 1\neth1: 2\n"] {
        assert!(devices(&Text::of(text), |_| Ok(None)).is_err(), "{text:?}");
    }
}

#[test]
fn packets_are_counted_by_cpu_on_older_and_newer_kernels() {
    let newer = "0051debe 00000001 00000002 0 0 0 0 0 00000003 00000004 00000005 00000006 00000004 0 0\n";
    told(
        &lines(&softnet(&Text::of(newer)).unwrap()),
        &[
            r#"node_softnet_processed_total{cpu="4"} 5365438.0"#,
            r#"node_softnet_flow_limit_count_total{cpu="4"} 5.0"#,
            r#"node_softnet_backlog_len{cpu="4"} 6.0"#,
        ],
    );
    let older = lines(&softnet(&Text::of("0 0 0 0 0 0 0 0 0\n1 0 0 0 0 0 0 0 0\n")).unwrap());
    told(&older, &[r#"node_softnet_processed_total{cpu="1"} 1.0"#]);
    assert!(!older.iter().any(|line| line.contains("backlog_len")));
    for text in ["0 0 0\n", "0 0 0 0 0 0 0 0 g\n"] {
        assert!(softnet(&Text::of(text)).is_err(), "{text:?}");
    }
}

#[test]
fn what_is_tracked_is_summed_over_cpus() {
    let text = "entries  found invalid drop early_drop\n0000000a 1 2 3 4\n0000000a 10 0 0 1\n";
    let read = lines(&tracked(&Text::of(text)).unwrap());
    told(&read, &["node_nf_conntrack_stat_found 17.0", "node_nf_conntrack_stat_early_drop 5.0"]);
    assert!(!read.iter().any(|line| line.contains("entries")));
    for text in ["", "found drop\n1\n", "found drop\n1 x\n"] {
        assert!(tracked(&Text::of(text)).is_err(), "{text:?}");
    }
}

#[test]
fn sockets_are_told_by_protocol_and_state() {
    let text = "sockets: used 16\nTCP: inuse 3 orphan 0 tw 4 alloc 3 mem 211\nFRAG: inuse 0 memory 5\n";
    told(
        &lines(&sockets(&Text::of(text), 4096.0).unwrap()),
        &[
            "node_sockstat_sockets_used 16.0",
            "node_sockstat_TCP_tw 4.0",
            "node_sockstat_TCP_mem 211.0",
            "node_sockstat_TCP_mem_bytes 864256.0",
            "node_sockstat_FRAG_memory 5.0",
        ],
    );
    for text in ["TCP\n", "TCP: inuse\n", "TCP: inuse x\n", "T P: inuse 1\n"] {
        assert!(sockets(&Text::of(text), 4096.0).is_err(), "{text:?}");
    }
}
