//! The network stack's own counts: `/proc/net/netstat`, `snmp` and `snmp6`. There are hundreds; those
//! are exposed that node_exporter exposes unless told otherwise.

use super::super::family::Family;
use super::files::{Error, Text, Tree, optional, signed};
use crate::names;

pub(super) fn netstat(tree: &Tree) -> Result<Vec<Family>, Error> {
    let mut families = tables(&tree.proc("net/netstat")?)?;
    families.extend(tables(&tree.proc("net/snmp")?)?);
    // Without IPv6 there is none.
    if let Some(text) = optional(tree.proc("net/snmp6"))? {
        families.extend(list(&text)?);
    }
    Ok(families)
}

/// Two lines for each protocol: `Tcp: A B` and `Tcp: 1 2`.
fn tables(text: &Text) -> Result<Vec<Family>, Error> {
    let malformed = || text.malformed("pairs of lines such as `Tcp: InSegs OutSegs` and `Tcp: 1 2`");
    let mut families = Vec::new();
    let mut lines = text.lines();
    while let Some(headings) = lines.next() {
        let (protocol, headings) = headings.split_once(':').ok_or_else(malformed)?;
        let (same, values) = lines.next().and_then(|line| line.split_once(':')).ok_or_else(malformed)?;
        let (headings, values) = (headings.split_ascii_whitespace(), values.split_ascii_whitespace());
        if same != protocol || headings.clone().count() != values.clone().count() {
            return Err(malformed());
        }
        for (field, value) in headings.zip(values) {
            families.extend(family(protocol, field, value).ok_or_else(malformed)?);
        }
    }
    if text.as_str().trim().is_empty() { Err(malformed()) } else { Ok(families) }
}

/// `Ip6InReceives 1`, where the protocol ends with the 6.
fn list(text: &Text) -> Result<Vec<Family>, Error> {
    let malformed = || text.malformed("lines such as `Ip6InReceives 42`");
    let mut families = Vec::new();
    for line in text.lines() {
        let (name, value) = line.split_once([' ', '\t']).ok_or_else(malformed)?;
        if let Some((protocol, field)) = name.split_once('6') {
            families.extend(family(&format!("{protocol}6"), field, value.trim()).ok_or_else(malformed)?);
        }
    }
    Ok(families)
}

/// `Some(None)` for a field that is left out, `None` for one that is not understood.
fn family(protocol: &str, field: &str, value: &str) -> Option<Option<Family>> {
    let value = signed(value)?;
    if !is_exposed(protocol, field) {
        return Some(None);
    }
    let family = Family::unknown(names::NODE_NETSTAT).named("{protocol}", protocol)?.named("{field}", field)?;
    Some(Some(family.with(value)))
}

fn is_exposed(protocol: &str, field: &str) -> bool {
    const TCP: [&str; 7] = ["ActiveOpens", "InSegs", "OutSegs", "OutRsts", "PassiveOpens", "RetransSegs", "CurrEstab"];
    const TCP_EXT: [&str; 4] = ["TCPSynRetrans", "TCPTimeouts", "TCPOFOQueue", "TCPRcvQDrop"];
    const UDP: [&str; 5] = ["InDatagrams", "OutDatagrams", "NoPorts", "RcvbufErrors", "SndbufErrors"];
    if ["InErrors", "InErrs"].contains(&field) {
        return true;
    }
    match protocol {
        "Ip" => field == "Forwarding",
        "Ip6" | "IpExt" => ["InOctets", "OutOctets"].contains(&field),
        "Icmp" | "Icmp6" => ["InMsgs", "OutMsgs"].contains(&field),
        "Tcp" => TCP.contains(&field),
        "TcpExt" => field.starts_with("Listen") || field.starts_with("Syncookies") || TCP_EXT.contains(&field),
        "Udp" | "Udp6" => UDP.contains(&field),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{lines, told};
    use super::*;

    #[test]
    fn tables_and_lists_are_read() {
        let text =
            "TcpExt: SyncookiesSent ListenDrops TW\nTcpExt: 1 2 3\nTcp: MaxConn RetransSegs InErrs\nTcp: -1 4 5\n";
        let read = lines(&tables(&Text::of(text)).unwrap());
        told(
            &read,
            &[
                "# TYPE node_netstat_TcpExt_SyncookiesSent unknown",
                "node_netstat_TcpExt_ListenDrops 2.0",
                "node_netstat_Tcp_RetransSegs 4.0",
                "node_netstat_Tcp_InErrs 5.0",
            ],
        );
        assert!(!read.iter().any(|line| line.contains("TW") || line.contains("MaxConn")), "{read:#?}");
        let text = "Ip6InOctets                     \t128\nUdpLite6InErrors \t2\nIp6InMcastOctets 3\n";
        told(
            &lines(&list(&Text::of(text)).unwrap()),
            &["node_netstat_Ip6_InOctets 128.0", "node_netstat_UdpLite6_InErrors 2.0"],
        );
    }

    #[test]
    fn what_is_cut_off_or_garbled_is_an_error() {
        for text in ["", "Tcp: A B\n", "Tcp: A B\nTcp: 1\n", "Tcp: A B\nUdp: 1 2\n", "Tcp: A B\nTcp: 1 x\n", "Tcp\n"] {
            assert!(tables(&Text::of(text)).is_err(), "{text:?}");
        }
        for text in ["Ip6InOctets\n", "Ip6InOctets x\n"] {
            assert!(list(&Text::of(text)).is_err(), "{text:?}");
        }
    }
}
