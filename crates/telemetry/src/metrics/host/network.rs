//! Network devices: `/proc/net/dev`, `/proc/net/softnet_stat`, and what the firewall tracks.

use super::super::family::{Family, label};
use super::files::{Error, Text, Tree, optional, whole, wholes};
use crate::names;

/// The columns of `/proc/net/dev`.
const COLUMNS: [(&str, &str); 16] = [
    names::NODE_NETWORK_RECEIVE,
    names::NODE_NETWORK_RECEIVE_PACKETS,
    names::NODE_NETWORK_RECEIVE_ERRS,
    names::NODE_NETWORK_RECEIVE_DROP,
    names::NODE_NETWORK_RECEIVE_FIFO,
    names::NODE_NETWORK_RECEIVE_FRAME,
    names::NODE_NETWORK_RECEIVE_COMPRESSED,
    names::NODE_NETWORK_RECEIVE_MULTICAST,
    names::NODE_NETWORK_TRANSMIT,
    names::NODE_NETWORK_TRANSMIT_PACKETS,
    names::NODE_NETWORK_TRANSMIT_ERRS,
    names::NODE_NETWORK_TRANSMIT_DROP,
    names::NODE_NETWORK_TRANSMIT_FIFO,
    names::NODE_NETWORK_TRANSMIT_COLLS,
    names::NODE_NETWORK_TRANSMIT_CARRIER,
    names::NODE_NETWORK_TRANSMIT_COMPRESSED,
];

pub(super) fn netdev(tree: &Tree) -> Result<Vec<Family>, Error> {
    devices(&tree.proc("net/dev")?, |device| {
        let path = format!("class/net/{device}/statistics/rx_nohandler");
        optional(tree.sys(path).and_then(|text| text.number()))
    })
}

/// `nohandler` reads the one count that is in `/sys` only.
fn devices(text: &Text, nohandler: impl Fn(&str) -> Result<Option<f64>, Error>) -> Result<Vec<Family>, Error> {
    let malformed =
        || text.malformed("lines such as `eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16` after two of headings");
    let mut families: Vec<_> = COLUMNS.iter().map(|name| Family::counter(*name)).collect();
    let mut without_handler = Family::counter(names::NODE_NETWORK_RECEIVE_NOHANDLER);
    let mut lines = text.lines();
    if !(lines.next().is_some() && lines.next().is_some_and(|heading| heading.contains("face |"))) {
        return Err(malformed());
    }
    for line in lines {
        // Aliases such as `eth0:1` have a colon in their name.
        let (device, values) = line.rsplit_once(':').ok_or_else(malformed)?;
        let device = device.trim();
        let values = wholes(values).filter(|values| values.len() == COLUMNS.len()).ok_or_else(malformed)?;
        if device.is_empty() || device.contains(['/', ' ']) || device == ".." {
            return Err(malformed());
        }
        let labels = label("device", device);
        families.iter_mut().zip(values).for_each(|(family, value)| family.push(&labels, value));
        if let Some(count) = nohandler(device)? {
            without_handler.push(&labels, count);
        }
    }
    families.push(without_handler);
    Ok(families)
}

/// Columns of `/proc/net/softnet_stat`, which has a line of hexadecimal numbers for each CPU. Those
/// from 9 on came with later kernels.
pub(super) fn softnet(text: &Text) -> Result<Vec<Family>, Error> {
    /// Where newer kernels say which CPU the line is of.
    const CPU: usize = 12;
    let columns = [
        (0, names::NODE_SOFTNET_PROCESSED),
        (1, names::NODE_SOFTNET_DROPPED),
        (2, names::NODE_SOFTNET_TIMES_SQUEEZED),
        (8, names::NODE_SOFTNET_CPU_COLLISION),
        (9, names::NODE_SOFTNET_RECEIVED_RPS),
        (10, names::NODE_SOFTNET_FLOW_LIMIT_COUNT),
    ];
    let malformed = || text.malformed("lines of nine hexadecimal numbers or more");
    let mut families = columns.map(|(_, name)| Family::counter(name));
    let mut backlog = Family::gauge(names::NODE_SOFTNET_BACKLOG_LEN);
    for (line_number, line) in text.lines().enumerate() {
        let values = hexadecimals(line).filter(|values| values.len() >= 9).ok_or_else(malformed)?;
        let cpu = values.get(CPU).copied().unwrap_or(line_number as u64);
        let labels = label("cpu", cpu.to_string());
        for (family, (column, _)) in families.iter_mut().zip(columns) {
            if let Some(value) = values.get(column) {
                family.push(&labels, *value as f64);
            }
        }
        if let Some(length) = values.get(11) {
            backlog.push(&labels, *length as f64);
        }
    }
    Ok(families.into_iter().chain([backlog]).collect())
}

fn hexadecimals(line: &str) -> Option<Vec<u64>> {
    line.split_ascii_whitespace().map(|word| u64::from_str_radix(word, 16).ok()).collect()
}

pub(super) fn conntrack(tree: &Tree) -> Result<Vec<Family>, Error> {
    let file = |name: &str| tree.proc(format!("sys/net/netfilter/{name}")).and_then(|text| text.number());
    let mut families = vec![
        Family::gauge(names::NODE_NF_CONNTRACK_ENTRIES).with(file("nf_conntrack_count")?),
        Family::gauge(names::NODE_NF_CONNTRACK_ENTRIES_LIMIT).with(file("nf_conntrack_max")?),
    ];
    // Kernels can be built without it.
    if let Some(text) = optional(tree.proc("net/stat/nf_conntrack"))? {
        families.extend(tracked(&text)?);
    }
    Ok(families)
}

/// A line of headings, and a line of hexadecimal numbers for each CPU.
fn tracked(text: &Text) -> Result<Vec<Family>, Error> {
    const EXPOSED: [&str; 8] =
        ["found", "invalid", "ignore", "insert", "insert_failed", "drop", "early_drop", "search_restart"];
    let malformed = || text.malformed("a line of headings, and lines of as many hexadecimal numbers");
    let mut lines = text.lines();
    let headings: Vec<_> = lines.next().ok_or_else(malformed)?.split_ascii_whitespace().collect();
    let mut sums = vec![0.0; headings.len()];
    for line in lines {
        let values = hexadecimals(line).filter(|values| values.len() == sums.len()).ok_or_else(malformed)?;
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value as f64);
    }
    let named = headings.iter().zip(sums).filter(|(heading, _)| EXPOSED.contains(heading));
    let family = |(heading, sum): (&&str, f64)| {
        let family = Family::gauge(names::NODE_NF_CONNTRACK_STAT).named("{field}", heading);
        family.map(|family| family.with(sum)).ok_or_else(malformed)
    };
    named.map(family).collect()
}

/// `/proc/net/sockstat` and its twin for IPv6. Without either of the protocols there is a file less.
pub(super) fn sockstat(tree: &Tree, page_bytes: f64) -> Result<Vec<Family>, Error> {
    let mut families = Vec::new();
    for file in ["net/sockstat", "net/sockstat6"] {
        if let Some(text) = optional(tree.proc(file))? {
            families.extend(sockets(&text, page_bytes)?);
        }
    }
    Ok(families)
}

fn sockets(text: &Text, page_bytes: f64) -> Result<Vec<Family>, Error> {
    const STATES: [&str; 6] = ["inuse", "orphan", "tw", "alloc", "mem", "memory"];
    let malformed = || text.malformed("lines such as `TCP: inuse 3 orphan 0`");
    let mut families = Vec::new();
    for line in text.lines() {
        let (protocol, pairs) = line.split_once(':').ok_or_else(malformed)?;
        let words: Vec<_> = pairs.split_ascii_whitespace().collect();
        for pair in words.chunks(2) {
            let [state, value] = pair else { return Err(malformed()) };
            let value = whole(value).ok_or_else(malformed)?;
            if (protocol, *state) == ("sockets", "used") {
                families.push(Family::gauge(names::NODE_SOCKSTAT_SOCKETS_USED).with(value));
            }
            if !STATES.contains(state) {
                continue;
            }
            let named = |declared| Family::gauge(declared).named("{protocol}", protocol).ok_or_else(malformed);
            let family = named(names::NODE_SOCKSTAT)?.named("{state}", state).ok_or_else(malformed)?;
            families.push(family.with(value));
            if *state == "mem" {
                families.push(named(names::NODE_SOCKSTAT_MEM)?.with(value * page_bytes));
            }
        }
    }
    Ok(families)
}

#[cfg(test)]
mod tests;
