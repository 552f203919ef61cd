//! Traces that somebody refers to, kept when their segments are removed, and over a restart. Exemplars pin
//! too, but for as long as they are kept themselves: see `metrics`.
//!
//! The file holds all pins in one frame and is replaced whole.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use console_model::{Text, TraceId};

use crate::codec::{Damaged, Reader, put_str, put_u64};
use crate::disk::Disk;
use crate::frame;

/// Pins at a time; the oldest gives way.
const PINS_MAX: usize = 10_000;
/// A name longer than this is cut: whoever makes up names without end gains nothing by it.
const NAME_BYTES_MAX: usize = 256;

/// See the module.
#[derive(Debug)]
pub(crate) struct Pins {
    path: PathBuf,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// Who pins what, oldest first.
    pins: VecDeque<(Text, TraceId)>,
    is_changed: bool,
}

impl Pins {
    /// Reads what is there. Gives the bytes that could not be read: a damaged file costs pins, never the
    /// store.
    pub(crate) fn open(path: PathBuf) -> (Self, u64) {
        let bytes = std::fs::read(&path).unwrap_or_default();
        let read = if bytes.is_empty() { Ok(VecDeque::new()) } else { decode(&bytes) };
        let damaged = if read.is_err() { bytes.len() as u64 } else { 0 };
        let held = Held { pins: read.unwrap_or_default(), is_changed: damaged > 0 };
        (Self { path, held: Mutex::new(held) }, damaged)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, by: &str, id: TraceId) {
        let by = cut(by);
        let mut held = self.lock();
        if held.pins.iter().any(|(known, trace)| *trace == id && known == by) {
            return;
        }
        if held.pins.len() >= PINS_MAX {
            held.pins.pop_front();
        }
        held.pins.push_back((by.into(), id));
        held.is_changed = true;
    }

    pub(crate) fn release(&self, by: &str) {
        let by = cut(by);
        let mut held = self.lock();
        let before = held.pins.len();
        held.pins.retain(|(known, _)| known != by);
        held.is_changed |= held.pins.len() != before;
    }

    pub(crate) fn all(&self) -> Vec<(Text, TraceId)> {
        self.lock().pins.iter().cloned().collect()
    }

    /// Brings changes to the file, if there are any.
    pub(crate) fn flush(&self, disk: &Disk) -> io::Result<()> {
        let mut held = self.lock();
        if held.is_changed {
            disk.exchange(&self.path, &encode(&held.pins))?;
            held.is_changed = false;
        }
        Ok(())
    }
}

fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME_BYTES_MAX)).unwrap_or(name)
}

fn encode(pins: &VecDeque<(Text, TraceId)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::put(&mut bytes, |out| {
        put_u64(out, pins.len() as u64);
        for (by, id) in pins {
            put_str(out, by);
            out.extend_from_slice(&id.to_bytes());
        }
    });
    bytes
}

fn decode(bytes: &[u8]) -> Result<VecDeque<(Text, TraceId)>, Damaged> {
    let (payload, _) = frame::first(bytes)?;
    let mut reader = Reader::new(payload);
    (0..reader.count()?)
        .map(|_| Ok((reader.text()?, TraceId::from_bytes(reader.take(16)?).map_err(|_| Damaged)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> TraceId {
        TraceId::new(number).unwrap()
    }

    #[test]
    fn pins_are_by_name_outlive_a_restart_and_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pins");
        let (pins, damaged) = Pins::open(path.clone());
        assert_eq!(damaged, 0);
        pins.add("alert HighLatency", id(1));
        pins.add("alert HighLatency", id(1));
        pins.add("alert HighLatency", id(2));
        pins.add("alert Errors", id(1));
        pins.flush(&Disk::default()).unwrap();
        let (again, _) = Pins::open(path.clone());
        assert_eq!(again.all().len(), 3);
        again.release("alert HighLatency");
        assert_eq!(again.all(), [("alert Errors".into(), id(1))]);
        for number in 0..2 * PINS_MAX as u128 {
            again.add(&"x".repeat(1_000), id(number + 10));
        }
        assert_eq!(again.all().len(), PINS_MAX);
        again.flush(&Disk::default()).unwrap();
        assert_eq!(Pins::open(path).0.all(), again.all());
    }

    #[test]
    fn a_damaged_file_costs_the_pins_and_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pins");
        let (pins, _) = Pins::open(path.clone());
        pins.add("alert", id(1));
        pins.flush(&Disk::default()).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[10] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let (pins, damaged) = Pins::open(path);
        assert_eq!((pins.all().len(), damaged), (0, bytes.len() as u64));
    }
}
