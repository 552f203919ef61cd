//! What the store did that a reader has to know: removed, repaired, refused. Facts outlive what they are
//! about; their number is bounded.

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use console_model::Text;

use crate::codec::{Damaged, Reader, put_i64, put_str, put_u64};
use crate::disk::Disk;
use crate::frame;

/// A kind of telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Signal {
    /// Spans.
    Traces = 1,
    /// Log records.
    Logs = 2,
    /// Samples.
    Metrics = 3,
    /// Spans of traces that were pinned when their segment was removed.
    Pinned = 4,
}

impl Signal {
    /// The word for it, which is also the name of its folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
            Self::Pinned => "pinned",
        }
    }

    pub(crate) const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Traces),
            2 => Some(Self::Logs),
            3 => Some(Self::Metrics),
            4 => Some(Self::Pinned),
            _ => None,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FactKind {
    /// Removed because the store was over its limit of bytes, or, as the detail then says, of series.
    EvictedForSize = 1,
    /// Removed because it was older than the store keeps.
    EvictedForAge = 2,
    /// Cut off when the store was opened, because it was not whole.
    Repaired = 3,
    /// Left out of an answer, because its bytes have changed on disk.
    Damaged = 4,
}

impl FactKind {
    const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::EvictedForSize),
            2 => Some(Self::EvictedForAge),
            3 => Some(Self::Repaired),
            4 => Some(Self::Damaged),
            _ => None,
        }
    }
}

/// Something the store did. `from_ns` to `to_ns` is the time of the data, not of the deed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// When it was done, milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// What was done.
    pub kind: FactKind,
    /// To what.
    pub signal: Signal,
    /// Whose it was; empty if not known.
    pub service: Text,
    /// The oldest it held, nanoseconds since the Unix epoch; 0 if not known.
    pub from_ns: i64,
    /// The newest it held, nanoseconds since the Unix epoch; 0 if not known.
    pub to_ns: i64,
    /// How many spans, lines or samples; 0 if not known.
    pub items: u64,
    /// How many bytes on disk.
    pub bytes: u64,
    /// More about it; empty if there is nothing to say.
    pub detail: Text,
}

impl Fact {
    /// That bytes were cut off or passed over on opening.
    pub(crate) fn repaired(signal: Signal, service: &str, bytes: u64, now_ms: i64, detail: &str) -> Self {
        Self {
            at_ms: now_ms,
            kind: FactKind::Repaired,
            signal,
            service: service.into(),
            from_ns: 0,
            to_ns: 0,
            items: 0,
            bytes,
            detail: detail.into(),
        }
    }
}

const FACTS_MAX: usize = 2_000;

/// The facts, in memory and in a file.
#[derive(Debug)]
pub(crate) struct Facts {
    path: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    facts: VecDeque<Fact>,
    unwritten: Vec<u8>,
    in_file: usize,
    file_bytes: u64,
}

impl Facts {
    /// Reads what is there. A damaged file costs facts, never the store.
    pub(crate) fn open(path: PathBuf) -> Self {
        let bytes = std::fs::read(&path).unwrap_or_default();
        let mut frames = frame::Frames::new(&bytes);
        let facts: VecDeque<Fact> = frames.by_ref().filter_map(|(_, payload)| decode(payload).ok()).collect();
        // A torn end would hide what is written after it, so the file is written anew at the next flush.
        let torn = frames.whole() < bytes.len();
        let in_file = if torn { FACTS_MAX * 2 } else { facts.len() };
        let mut kept = Kept { facts, unwritten: Vec::new(), in_file, file_bytes: bytes.len() as u64 };
        while kept.facts.len() > FACTS_MAX {
            kept.facts.pop_front();
        }
        Self { path, kept: Mutex::new(kept) }
    }

    pub(crate) fn add(&self, fact: Fact) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if fact.kind == FactKind::Damaged && kept.facts.iter().any(|known| same_damage(known, &fact)) {
            return;
        }
        frame::put(&mut kept.unwritten, |out| encode(out, &fact));
        kept.in_file += 1;
        kept.facts.push_back(fact);
        if kept.facts.len() > FACTS_MAX {
            kept.facts.pop_front();
        }
    }

    /// Oldest first.
    pub(crate) fn all(&self) -> Vec<Fact> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).facts.iter().cloned().collect()
    }

    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).file_bytes
    }

    pub(crate) fn flush(&self, disk: &Disk) -> std::io::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.in_file >= FACTS_MAX * 2 {
            let mut all = Vec::new();
            kept.facts.iter().for_each(|fact| frame::put(&mut all, |out| encode(out, fact)));
            disk.replace(&self.path, &all)?;
            (kept.in_file, kept.file_bytes) = (kept.facts.len(), all.len() as u64);
        } else if !kept.unwritten.is_empty() {
            disk.append(&self.path, &kept.unwritten)?;
            kept.file_bytes += kept.unwritten.len() as u64;
        }
        kept.unwritten.clear();
        Ok(())
    }
}

fn same_damage(a: &Fact, b: &Fact) -> bool {
    a.kind == b.kind && a.signal == b.signal && a.detail == b.detail
}

fn encode(out: &mut Vec<u8>, fact: &Fact) {
    put_i64(out, fact.at_ms);
    out.push(fact.kind as u8);
    out.push(fact.signal as u8);
    put_str(out, &fact.service);
    put_i64(out, fact.from_ns);
    put_i64(out, fact.to_ns);
    put_u64(out, fact.items);
    put_u64(out, fact.bytes);
    put_str(out, &fact.detail);
}

fn decode(payload: &[u8]) -> Result<Fact, Damaged> {
    let mut reader = Reader::new(payload);
    Ok(Fact {
        at_ms: reader.i64()?,
        kind: FactKind::from_number(reader.u8()?).ok_or(Damaged)?,
        signal: Signal::from_number(reader.u8()?).ok_or(Damaged)?,
        service: reader.text()?,
        from_ns: reader.i64()?,
        to_ns: reader.i64()?,
        items: reader.u64()?,
        bytes: reader.u64()?,
        detail: reader.text()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(number: u64) -> Fact {
        Fact {
            at_ms: -5,
            kind: FactKind::EvictedForSize,
            signal: Signal::Logs,
            service: "noisy".into(),
            from_ns: 1,
            to_ns: i64::MAX,
            items: number,
            bytes: 7,
            detail: "".into(),
        }
    }

    #[test]
    fn facts_outlive_a_restart_and_their_number_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("facts.log");
        let disk = Disk::default();
        let facts = Facts::open(path.clone());
        for number in 0..3 * FACTS_MAX as u64 {
            facts.add(fact(number));
            if number % 500 == 0 {
                facts.flush(&disk).unwrap();
            }
        }
        facts.flush(&disk).unwrap();
        let again = Facts::open(path.clone()).all();
        assert_eq!(again, facts.all());
        assert_eq!(again.len(), FACTS_MAX);
        assert_eq!(again.last(), Some(&fact(3 * FACTS_MAX as u64 - 1)));
        assert!(std::fs::metadata(&path).unwrap().len() < 200_000);
    }

    #[test]
    fn a_torn_end_costs_one_fact_and_hides_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("facts.log");
        let disk = Disk::default();
        let facts = Facts::open(path.clone());
        (0..3).for_each(|number| facts.add(fact(number)));
        facts.flush(&disk).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let facts = Facts::open(path.clone());
        facts.add(fact(9));
        facts.flush(&disk).unwrap();
        let items: Vec<u64> = Facts::open(path).all().iter().map(|fact| fact.items).collect();
        assert_eq!(items, [0, 1, 9]);
    }
}
