//! Opening a shelf: segments, then the log on top of them, and what had to be repaired on the way.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use hashbrown::HashMap;

use super::segment::{Segment, index_path};
use super::wal::{self, Wal};
use super::{Options, Rows, Shelf, State};
use crate::disk::Disk;
use crate::facts::{Fact, Facts, Signal};
use crate::frame;

impl<R: Rows> Shelf<R> {
    /// Opens the folder, or makes it.
    pub(crate) fn open(
        folder: PathBuf,
        signal: Signal,
        options: &Options,
        disk: Arc<Disk>,
        facts: Arc<Facts>,
        now_ms: i64,
    ) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let repaired = |service: &str, bytes: u64, detail: &str| {
            facts.add(Fact::repaired(signal, service, bytes, now_ms, detail));
        };
        let mut files = segment_files(&folder)?;
        files.sort_unstable();
        let (wal, log, cut) = Wal::open(&folder, options.log_growth_max())?;
        let mut state = State {
            partitions: Vec::new(),
            by_service: HashMap::new(),
            wal,
            dirty: BTreeSet::new(),
            failing: None,
            open_bytes: 0,
            next_segment: files.last().map_or(1, |(id, _)| id + 1),
        };
        for (id, path) in &files {
            let opened = Segment::open(path, *id)?;
            let service = opened.segment.as_ref().map_or("", |segment| segment.service());
            if opened.cut + opened.damaged > 0 {
                repaired(service, opened.cut + opened.damaged, &format!("{} was not whole", name(path)));
            }
            match opened.segment.filter(|segment| !segment.blocks().is_empty()) {
                Some(segment) => state.adopt(segment),
                None => remove(path)?,
            }
        }
        if cut > 0 {
            repaired("", cut, "the log was not whole");
        }
        let refused = state.replay(&log, options.services_max, now_ms);
        if refused > 0 {
            repaired("", refused, "records of the log could not be read");
        }
        Ok(Self {
            signal,
            folder,
            disk,
            facts,
            segment_bytes: options.segment_bytes(),
            open_bytes_max: options.open_bytes(),
            services_max: options.services_max,
            log_growth_max: options.log_growth_max(),
            state: Mutex::new(state),
        })
    }
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn remove(path: &Path) -> io::Result<()> {
    let _ = fs::remove_file(index_path(path));
    fs::remove_file(path)
}

fn segment_files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("seg") => {
                let id = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
                files.extend(id.map(|id| (id, path)));
            }
            Some("new") => fs::remove_file(path)?,
            _ => {}
        }
    }
    Ok(files)
}

impl<R: Rows> State<R> {
    fn adopt(&mut self, segment: Segment) {
        // Whoever was given a partition once gets it again.
        let index = self.partition(segment.service(), usize::MAX);
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.first_seq = partition.first_seq.max(segment.next_seq());
            partition.segments.push(Arc::new(segment));
        }
    }

    /// Opens the rows of the log that are in no block. Gives the bytes of records that could not be read.
    fn replay(&mut self, log: &[u8], services_max: usize, now_ms: i64) -> u64 {
        let mut refused = 0;
        for (_, payload) in frame::Frames::new(log) {
            let Ok(record) = wal::read(payload) else {
                refused += payload.len() as u64;
                continue;
            };
            let index = self.partition(record.service, services_max);
            let Some(partition) = self.partitions.get_mut(index) else { continue };
            let next = partition.first_seq + partition.open.len() as u64;
            // Records and blocks have the same boundaries: a record is in a block whole or not at all.
            if record.first_seq + record.rows <= next {
                continue;
            }
            // After a rotation that was cut short, the new log repeats what the old one may have lost a part of.
            if record.first_seq < next && record.first_seq == partition.first_seq {
                self.open_bytes = self.open_bytes.saturating_sub(partition.open.bytes());
                partition.open = R::default();
            }
            if partition.open.len() == 0 {
                partition.first_seq = record.first_seq;
                partition.opened_ms = now_ms;
            }
            let before = partition.open.bytes();
            if partition.open.absorb(record.body).is_err() {
                refused += payload.len() as u64;
                continue;
            }
            partition.logged = partition.open.len();
            self.open_bytes += partition.open.bytes().saturating_sub(before);
        }
        refused
    }
}
