//! The settings of the console: where it listens, how much it keeps, what it scrapes.

use std::time::Duration;

use super::read::{Reader, port};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// `CONSOLE_PORT`
    pub port: u16,
    /// `OTLP_GRPC_PORT`
    pub otlp_grpc_port: u16,
    /// `OTLP_HTTP_PORT`
    pub otlp_http_port: u16,
    /// `RETENTION_BYTES`
    pub retention_bytes: u64,
    /// `RETENTION_AGE`; zero keeps data of any age.
    pub retention_age: Duration,
    /// `SCRAPE_TARGETS`
    pub scrape_targets: Vec<String>,
    /// `SCRAPE_INTERVAL`
    pub scrape_interval: Duration,
    /// `RULE_FILES`
    pub rule_files: Vec<String>,
    /// `EVALUATION_INTERVAL`
    pub evaluation_interval: Duration,
    /// `ALERT_WEBHOOKS`
    pub alert_webhooks: Vec<String>,
    /// `ALERTMANAGER_URLS`
    pub alertmanager_urls: Vec<String>,
    /// `EXTERNAL_URL`, without a slash at its end; `None` is the console's own address.
    pub external_url: Option<String>,
}

/// Below this, segments would be too small to be worth a file.
const RETENTION_BYTES_MIN: u64 = 16 << 20;

impl Console {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let told = |reader: &mut Reader<'_>, name, detail: String| {
            if reader.retract(name) {
                reader.fault(name, detail);
            }
        };
        let retention_bytes = reader.value("RETENTION_BYTES", bytes, 0);
        told(reader, "RETENTION_BYTES", "must be 16MiB or more, in KiB, MiB, GiB, KB, MB, GB or bytes".to_owned());
        let retention_age = reader.value("RETENTION_AGE", duration, Duration::ZERO);
        told(reader, "RETENTION_AGE", "must be 0 or a number with d, h, m or s".to_owned());
        let whole_second = |text: &str| duration(text).filter(|interval| *interval >= Duration::from_secs(1));
        let scrape_interval = reader.value("SCRAPE_INTERVAL", whole_second, Duration::from_secs(5));
        told(reader, "SCRAPE_INTERVAL", "must be one second or more, as a number with d, h, m or s".to_owned());
        let scrape_targets = reader.text("SCRAPE_TARGETS").unwrap_or_default();
        let scrape_targets: Vec<String> =
            scrape_targets.split(',').map(str::trim).filter(|url| !url.is_empty()).map(str::to_owned).collect();
        if scrape_targets.iter().any(|url| !is_target(url)) {
            reader.fault(
                "SCRAPE_TARGETS",
                "must be URLs that begin with http:// and name a host, or files as file:PATH, with commas between them",
            );
        }
        let evaluation_interval = reader.value("EVALUATION_INTERVAL", whole_second, Duration::from_secs(15));
        told(reader, "EVALUATION_INTERVAL", "must be one second or more, as a number with d, h, m or s".to_owned());
        let external_url = urls(reader, "EXTERNAL_URL", "must be one URL that begins with http:// or https://").pop();
        let web = "must be URLs that begin with http:// or https:// and name a host, with commas between them";
        Self {
            rule_files: listed(reader, "RULE_FILES"),
            evaluation_interval,
            alert_webhooks: urls(reader, "ALERT_WEBHOOKS", web),
            alertmanager_urls: urls(reader, "ALERTMANAGER_URLS", web),
            external_url: external_url.map(|url| url.trim_end_matches('/').to_owned()),
            port: reader.value("CONSOLE_PORT", port, 0),
            otlp_grpc_port: reader.value("OTLP_GRPC_PORT", port, 0),
            otlp_http_port: reader.value("OTLP_HTTP_PORT", port, 0),
            retention_bytes,
            retention_age,
            scrape_targets,
            scrape_interval,
        }
    }
}

/// What stands between commas.
fn listed(reader: &Reader<'_>, name: &'static str) -> Vec<String> {
    let text = reader.text(name).unwrap_or_default();
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn urls(reader: &mut Reader<'_>, name: &'static str, wrong: &str) -> Vec<String> {
    let urls = listed(reader, name);
    if urls.iter().any(|url| !is_web(url)) {
        reader.fault(name, wrong);
    }
    urls
}

/// `http://` or `https://`, and a host.
fn is_web(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
    !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace)
}

/// A URL, or `file:PATH` for a file that lists them.
fn is_target(url: &str) -> bool {
    if let Some(path) = url.strip_prefix("file:") {
        return !path.is_empty();
    }
    let host = url.strip_prefix("http://").unwrap_or_default();
    !host.is_empty() && !host.starts_with('/') && !host.contains(char::is_whitespace)
}

/// `500MiB`, `2GB`, `1073741824`.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|bytes| *bytes >= RETENTION_BYTES_MIN)
}

/// `7d`, `36h`, `90m`, `15s`, `0`.
fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    // A hundred years are as good as any age, and stay clear of the ends of time.
    let longest = 100 * 365 * 86_400;
    number.parse::<u64>().ok()?.checked_mul(seconds).filter(|age| *age <= longest).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_are_read_with_their_units() {
        assert_eq!(bytes("1GiB"), Some(1 << 30));
        assert_eq!(bytes("500 mb"), Some(500_000_000));
        assert_eq!(bytes("16777216"), Some(16 << 20));
        for wrong in ["", "1", "1TiB", "GiB", "-1GiB", "99999999999GiB", "é"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
        assert_eq!(duration("7d"), Some(Duration::from_secs(604_800)));
        assert_eq!(duration("0"), Some(Duration::ZERO));
        for wrong in ["", "7", "d", "7w", "99999999999999999999d", "101000d", "é"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn receivers_of_alerts_are_urls_of_either_kind() {
        assert!(is_web("http://localhost:9000/hook") && is_web("https://alerts.test"));
        for wrong in ["localhost:9093", "ftp://host", "http://", "https:///path", "http://a b"] {
            assert!(!is_web(wrong), "{wrong}");
        }
    }

    #[test]
    fn targets_are_plain_http() {
        assert!(is_target("http://localhost:9100/metrics") && is_target("file:targets.json"));
        for wrong in ["file:", "localhost:9100", "https://localhost", "http://", "http:///metrics", "http://a b"] {
            assert!(!is_target(wrong), "{wrong}");
        }
    }
}
