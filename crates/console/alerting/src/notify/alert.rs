//! An alert as Alertmanager knows it: labels that are its identity, and from when to when it fires.

use std::fmt;

use serde::Deserialize;

use super::Notice;
use crate::rules::Texts;
use crate::time;

/// Labels and annotations of one alert at most, and bytes of all of them.
const TEXTS_MAX: usize = 128;
const BYTES_MAX: usize = 64 << 10;

/// The identity of an alert: a hash of its labels, the one that Alertmanager's API shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// FNV-1a over names and values in order of names, each ended by a byte that is in no text.
    pub fn of(labels: &Texts) -> Self {
        let end = [0xff];
        let parts = labels.iter().flat_map(|(name, value)| [name.as_bytes(), &end, value.as_bytes(), &end]);
        let hash = parts
            .flatten()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        Self(hash)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// An alert. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What it is of.
    pub labels: Texts,
    /// What is told with it.
    pub annotations: Texts,
    /// When it began.
    pub starts_at_ms: i64,
    /// When it was over, or when it will be unless somebody says more.
    pub ends_at_ms: i64,
    /// When somebody last said something of it.
    pub updated_at_ms: i64,
    /// Where its query can be seen; may be empty.
    pub generator_url: String,
    /// Nobody said when it ends, so that the end is but a guess.
    pub is_end_guessed: bool,
}

impl Alert {
    /// Whether it is over.
    pub const fn is_resolved(&self, now_ms: i64) -> bool {
        self.ends_at_ms <= now_ms
    }

    /// What is known after something newer was said.
    pub(super) fn merged(self, newer: Self, now_ms: i64) -> Self {
        let overlap = (self.ends_at_ms > newer.starts_at_ms && self.ends_at_ms < newer.ends_at_ms)
            || (self.starts_at_ms > newer.starts_at_ms && self.starts_at_ms < newer.ends_at_ms)
            || (newer.starts_at_ms >= self.starts_at_ms && newer.starts_at_ms <= self.ends_at_ms);
        if !overlap {
            return newer;
        }
        let is_later = self.ends_at_ms > newer.ends_at_ms;
        let keeps_end = if newer.is_resolved(now_ms) {
            // Of two ends that were said the later one holds.
            self.is_resolved(now_ms) && is_later
        } else {
            is_later && !self.is_end_guessed
        };
        let ends_at_ms = if keeps_end { self.ends_at_ms } else { newer.ends_at_ms };
        Self { starts_at_ms: self.starts_at_ms.min(newer.starts_at_ms), ends_at_ms, ..newer }
    }
}

impl Alert {
    /// What a rule has said.
    pub(super) fn of_notice(notice: Notice, now_ms: i64) -> Self {
        Self {
            labels: notice.labels,
            annotations: notice.annotations,
            starts_at_ms: notice.starts_at_ms,
            ends_at_ms: notice.ends_at_ms,
            updated_at_ms: now_ms,
            generator_url: notice.generator_url,
            is_end_guessed: false,
        }
    }
}

/// An alert as it is sent to Alertmanager's API.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Posted {
    #[serde(default)]
    labels: Texts,
    #[serde(default)]
    annotations: Texts,
    #[serde(default)]
    starts_at: Option<String>,
    #[serde(default)]
    ends_at: Option<String>,
    #[serde(default, rename = "generatorURL")]
    generator_url: String,
}

/// What is wrong with an alert that was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Posted {
    /// The alert it says. Without an end it is over after so long.
    ///
    /// # Errors
    /// When it has no labels, too many, or times that are none.
    pub fn read(self, now_ms: i64, resolve_timeout_ms: i64) -> Result<Alert, Invalid> {
        let time = |name: &str, text: Option<String>| match text.filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => time::parse(&text).map(|at| Some(at).filter(|at| *at > time::ZERO_MS)).ok_or_else(|| {
                let shown: String = text.chars().take(60).collect();
                Invalid(format!("{name} is {shown:?}; it has to be a time, as in 2026-11-29T20:00:00Z"))
            }),
        };
        let (starts_at, ends_at) = (time("startsAt", self.starts_at)?, time("endsAt", self.ends_at)?);
        let starts_at_ms = starts_at.unwrap_or_else(|| ends_at.map_or(now_ms, |end| end.min(now_ms)));
        let mut labels = self.labels;
        labels.retain(|_, value| !value.is_empty());
        let texts = [&labels, &self.annotations];
        let bytes: usize = texts.iter().flat_map(|texts| texts.iter()).map(|(a, b)| a.len() + b.len()).sum();
        if labels.is_empty() {
            return Err(Invalid("at least one label pair required, as in {\"alertname\": \"ApiDown\"}".to_owned()));
        }
        if labels.contains_key("") || texts.iter().any(|texts| texts.len() > TEXTS_MAX) || bytes > BYTES_MAX {
            return Err(Invalid(format!(
                "labels and annotations have names, there are {TEXTS_MAX} of each at most, and {BYTES_MAX} bytes in all"
            )));
        }
        let ends_at_ms = ends_at.unwrap_or_else(|| now_ms.saturating_add(resolve_timeout_ms));
        if ends_at_ms < starts_at_ms {
            return Err(Invalid("start time must be before end time".to_owned()));
        }
        Ok(Alert {
            labels,
            annotations: self.annotations,
            starts_at_ms,
            ends_at_ms,
            updated_at_ms: now_ms,
            generator_url: self.generator_url.chars().take(4_096).collect(),
            is_end_guessed: ends_at.is_none(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(starts_at_ms: i64, ends_at_ms: i64, is_end_guessed: bool) -> Alert {
        let labels = Texts::from([("alertname".to_owned(), "Down".to_owned())]);
        let (annotations, generator_url) = (Texts::new(), String::new());
        Alert { labels, annotations, starts_at_ms, ends_at_ms, updated_at_ms: 0, generator_url, is_end_guessed }
    }

    #[test]
    fn an_identity_is_the_hash_that_alertmanager_shows() {
        // The empty set is the offset of FNV-1a.
        assert_eq!(Fingerprint::of(&Texts::new()).to_string(), "cbf29ce484222325");
        let of = |labels: &[(&str, &str)]| {
            Fingerprint::of(&labels.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
        };
        assert_ne!(of(&[("a", "bc")]), of(&[("ab", "c")]));
    }

    #[test]
    fn the_earliest_begin_and_the_latest_word_on_the_end_hold() {
        let now = 100;
        // It goes on.
        let merged = alert(10, 150, false).merged(alert(20, 250, false), now);
        assert_eq!((merged.starts_at_ms, merged.ends_at_ms), (10, 250));
        // It is over.
        let merged = alert(10, 150, false).merged(alert(10, 90, false), now);
        assert_eq!((merged.starts_at_ms, merged.ends_at_ms), (10, 90));
        // A guess gives way to a word, a word does not give way to a guess.
        let merged = alert(10, 300, true).merged(alert(10, 200, false), now);
        assert_eq!(merged.ends_at_ms, 200);
        let merged = alert(10, 300, false).merged(alert(10, 200, true), now);
        assert_eq!(merged.ends_at_ms, 300);
        // It had been over, and begins anew.
        let merged = alert(10, 20, false).merged(alert(90, 200, false), now);
        assert_eq!((merged.starts_at_ms, merged.ends_at_ms), (90, 200));
    }

    #[test]
    fn what_is_posted_without_times_is_now_and_ends_by_itself() {
        let read = |json: &str| serde_json::from_str::<Posted>(json).unwrap().read(1_000_000, 300_000);
        let alert = read(r#"{"labels": {"alertname": "Down", "empty": ""}}"#).unwrap();
        assert_eq!((alert.starts_at_ms, alert.ends_at_ms, alert.is_end_guessed), (1_000_000, 1_300_000, true));
        assert_eq!(alert.labels.len(), 1);
        let alert = read(r#"{"labels": {"a": "b"}, "endsAt": "1970-01-01T00:00:05Z"}"#).unwrap();
        assert_eq!((alert.starts_at_ms, alert.ends_at_ms, alert.is_end_guessed), (5_000, 5_000, false));
        // What Go sends for no time at all.
        let alert = read(r#"{"labels": {"a": "b"}, "endsAt": "0001-01-01T00:00:00Z"}"#).unwrap();
        assert!(alert.is_end_guessed);
        assert!(read(r#"{"labels": {}}"#).unwrap_err().0.contains("at least one label"));
        assert!(read(r#"{"labels": {"a": "b"}, "startsAt": "soon"}"#).unwrap_err().0.contains("startsAt is \"soon\""));
        let backwards =
            r#"{"labels": {"a": "b"}, "startsAt": "1970-01-01T00:00:09Z", "endsAt": "1970-01-01T00:00:05Z"}"#;
        assert_eq!(read(backwards).unwrap_err().0, "start time must be before end time");
    }
}
