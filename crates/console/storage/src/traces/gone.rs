//! Memory of traces that were removed: the indexes of their segments stay for a while, so that "it was
//! here and is no more" can be told from "never seen".

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::Evicted;
use crate::shelf::{Segment, index_holds};

/// How many indexes are kept: each is looked into for a trace that is not there.
const KEPT_MAX: usize = 1_000;

/// See the module.
pub(crate) struct Gone {
    folder: PathBuf,
    bytes_max: u64,
    /// Oldest first.
    kept: Mutex<Vec<Kept>>,
}

struct Kept {
    path: PathBuf,
    bytes: u64,
    evicted: Evicted,
}

impl Gone {
    pub(crate) fn open(folder: PathBuf, bytes_max: u64) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut kept = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if let Some(evicted) = parse(&path) {
                kept.push(Kept { bytes: fs::metadata(&path)?.len(), path, evicted });
            }
        }
        kept.sort_by_key(|kept| kept.evicted.at_ms);
        Ok(Self { folder, bytes_max, kept: Mutex::new(kept) })
    }

    /// Where the index of a segment goes. The name says when and whose; the service is in hexadecimal, for
    /// it may hold anything, and is cut where file names have to end.
    pub(crate) fn path(&self, at_ms: i64, segment: &Segment) -> PathBuf {
        let service: String = segment.service().bytes().take(64).map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{at_ms}_{}_{service}.gone", segment.id()))
    }

    pub(crate) fn add(&self, path: PathBuf, at_ms: i64, service: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        kept.push(Kept { path, bytes, evicted: Evicted { at_ms, service: service.into() } });
        let mut total: u64 = kept.iter().map(|kept| kept.bytes).sum();
        while (total > self.bytes_max || kept.len() > KEPT_MAX) && !kept.is_empty() {
            let oldest = kept.remove(0);
            total -= oldest.bytes;
            let _ = fs::remove_file(oldest.path);
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|kept| kept.bytes).sum()
    }

    /// Who had something under this key, oldest removal first, each service once.
    pub(crate) fn holders(&self, key: u64) -> Vec<Evicted> {
        let kept: Vec<(PathBuf, Evicted)> = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.iter().map(|kept| (kept.path.clone(), kept.evicted.clone())).collect()
        };
        let mut holders: Vec<Evicted> = Vec::new();
        for (path, evicted) in kept {
            let known = holders.iter().any(|holder| holder.service == evicted.service);
            // An index that cannot be read remembers nothing.
            if !known && index_holds(&path, key).unwrap_or(false) {
                holders.push(evicted);
            }
        }
        holders
    }
}

fn parse(path: &Path) -> Option<Evicted> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".gone")?;
    let mut parts = stem.splitn(3, '_');
    let at_ms = parts.next()?.parse().ok()?;
    let _id: u64 = parts.next()?.parse().ok()?;
    let (digits, _) = parts.next()?.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Vec<u8> = digits.iter().map(byte).collect::<Option<_>>()?;
    Some(Evicted { at_ms, service: String::from_utf8_lossy(&bytes).as_ref().into() })
}
