//! Addresses of the Internet: one, a range, or a network, and how they are found in lines.
//! <https://grafana.com/docs/loki/latest/query/ip/>

use std::net::IpAddr;

/// All addresses of one family from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AddressRange {
    is_v4: bool,
    first: u128,
    last: u128,
}

fn number(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (true, u128::from(u32::from(address))),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => (true, u128::from(u32::from(address))),
            None => (false, u128::from(address)),
        },
    }
}

impl AddressRange {
    pub(crate) fn parse(pattern: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "ip: invalid pattern {pattern:?}, which is an address, a range or a network, as in 192.168.0.1, \
                 192.168.0.1-192.168.0.23, 192.168.0.0/16"
            )
        };
        let address = |text: &str| text.trim().parse::<IpAddr>().map(number).map_err(|_| wrong());
        if let Some((first, last)) = pattern.split_once('-') {
            let ((is_v4, first), (is_last_v4, last)) = (address(first)?, address(last)?);
            return if is_v4 == is_last_v4 && first <= last { Ok(Self { is_v4, first, last }) } else { Err(wrong()) };
        }
        if let Some((network, bits)) = pattern.split_once('/') {
            let (is_v4, network) = address(network)?;
            let width: u32 = if is_v4 { 32 } else { 128 };
            let bits: u32 = bits.trim().parse().ok().filter(|bits| *bits <= width).ok_or_else(wrong)?;
            let hosts = if width == bits { 0 } else { u128::MAX >> (128 - (width - bits)) };
            return Ok(Self { is_v4, first: network & !hosts, last: network | hosts });
        }
        let (is_v4, one) = address(pattern)?;
        Ok(Self { is_v4, first: one, last: one })
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let (is_v4, number) = number(address);
        is_v4 == self.is_v4 && (self.first..=self.last).contains(&number)
    }

    /// Whether a line has such an address in it. What stands within a longer word is none.
    pub(crate) fn is_in(&self, line: &str) -> bool {
        let is_part = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_';
        let bytes = line.as_bytes();
        let mut at = 0;
        while let Some(from) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| is_part(*byte))) {
            let from = at + from;
            let length = bytes.get(from..).and_then(|rest| rest.iter().position(|byte| !is_part(*byte)));
            let to = length.map_or(bytes.len(), |length| from + length);
            at = to + 1;
            let before = from.checked_sub(1).and_then(|before| bytes.get(before));
            let apart = !before.is_some_and(|byte| is_word(*byte)) && !bytes.get(to).is_some_and(|byte| is_word(*byte));
            if apart && to - from >= 2 && line.get(from..to).is_some_and(|word| self.has(word)) {
                return true;
            }
        }
        false
    }

    /// A word of digits, points and colons: an address, perhaps with a port, or with what ends a sentence.
    fn has(&self, word: &str) -> bool {
        let trimmed = word.trim_end_matches('.');
        let fits = |text: &str| text.parse().is_ok_and(|address| self.contains(address));
        let without_port = trimmed.split_once(':').map(|(address, _)| address).filter(|address| address.contains('.'));
        fits(trimmed) || fits(trimmed.trim_end_matches(':')) || without_port.is_some_and(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::AddressRange;

    #[test]
    fn addresses_are_found_as_whole_words() {
        let is_in = |pattern: &str, line: &str| AddressRange::parse(pattern).unwrap().is_in(line);
        assert!(is_in("3.180.71.3", "3.180.71.3 - - [17/May/2015:08:05:32 +0000]"));
        assert!(!is_in("3.180.71.3", "93.180.71.3 - - [17/May/2015:08:05:26 +0000]"));
        assert!(is_in("192.168.4.5/16", "from 192.168.77.1:8080, then"));
        assert!(is_in("192.168.4.5-192.168.4.20", "addr=192.168.4.20."));
        assert!(!is_in("192.168.4.5-192.168.4.20", "addr=192.168.4.21"));
        assert!(is_in("2001:db8::/32", "peer [2001:db8::7]:443") && is_in("::1", "at ::1"));
        assert!(!is_in("::1", "a::1b") && !is_in("1.2.3.4", "1.2.3.4.5"));
    }

    #[test]
    fn what_is_no_pattern_is_told_with_examples() {
        for pattern in ["", "x", "1.2.3", "1.2.3.4/33", "1.2.3.4-", "2.0.0.0-1.0.0.0", "1.2.3.4-::1", "::/129"] {
            assert!(AddressRange::parse(pattern).unwrap_err().contains("192.168.0.0/16"), "{pattern}");
        }
        assert!(AddressRange::parse("0.0.0.0/0").unwrap().is_in("8.8.8.8"));
        assert!(AddressRange::parse("::/0").unwrap().is_in("fe80::1"));
    }
}
