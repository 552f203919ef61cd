//! The table of keys of an index: sorted, searched on disk and never loaded. What the keys are of is none
//! of its business.
//!
//! Pages of 4 KiB, each with the CRC-32 of its entries first, so that whatever is read is checked. An entry
//! is a key (8 bytes) and the number of a block that holds it (4).

use std::fs::File;
use std::io;
use std::path::Path;

use crate::codec::Reader;
use crate::disk::read_at;

const ENTRY: usize = 12;
const CRC: usize = 4;
/// Entries of a page.
const ENTRIES: usize = 341;
const PAGE: u64 = (CRC + ENTRIES * ENTRY) as u64;

/// Where a table is in its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) at: u64,
    pub(crate) entries: u64,
}

/// Adds a table of sorted entries.
pub(crate) fn put(out: &mut Vec<u8>, entries: &[(u64, u32)]) {
    let mut page = Vec::with_capacity(ENTRIES * ENTRY);
    for part in entries.chunks(ENTRIES) {
        page.clear();
        for (key, number) in part {
            page.extend_from_slice(&key.to_le_bytes());
            page.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&crc32fast::hash(&page).to_le_bytes());
        out.extend_from_slice(&page);
    }
}

impl Table {
    const fn pages(&self) -> u64 {
        self.entries.div_ceil(ENTRIES as u64)
    }

    /// Its length, bytes; absurd numbers of entries give absurd lengths, never a panic.
    pub(crate) const fn bytes(&self) -> u64 {
        self.entries.saturating_mul(ENTRY as u64).saturating_add(self.pages().saturating_mul(CRC as u64))
    }

    /// One page. Bytes that have changed or are missing are [`io::ErrorKind::InvalidData`].
    fn page(&self, file: &File, number: u64) -> io::Result<Vec<(u64, u32)>> {
        let first = number * ENTRIES as u64;
        let entries = self.entries.saturating_sub(first).min(ENTRIES as u64) as usize;
        let bytes = match read_at(file, self.at + number * PAGE, CRC + entries * ENTRY) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(io::ErrorKind::InvalidData.into()),
            other => other,
        }?;
        let mut reader = Reader::new(&bytes);
        if reader.fixed_u32().ok() != Some(crc32fast::hash(reader.rest())) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(reader.rest().chunks_exact(ENTRY).filter_map(entry).collect())
    }

    /// The numbers of the blocks that hold one of the keys, sorted, each once.
    pub(crate) fn find(&self, path: &Path, keys: &[u64]) -> io::Result<Vec<usize>> {
        let file = File::open(path)?;
        let mut found = Vec::new();
        keys.iter().try_for_each(|key| self.find_one(&file, *key, &mut found))?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Keys are hashes, spread evenly, so a guess lands near.
    fn find_one(&self, file: &File, key: u64, found: &mut Vec<usize>) -> io::Result<()> {
        let (mut low, mut high) = (0, self.pages());
        let mut guess = u64::try_from((u128::from(key) * u128::from(high)) >> 64).unwrap_or(0);
        while low < high {
            let page = self.page(file, guess)?;
            let (Some(first), Some(last)) = (page.first(), page.last()) else { break };
            if key < first.0 {
                high = guess;
            } else if last.0 < key {
                low = guess + 1;
            } else {
                let begins_before = first.0 == key;
                let ends_behind = last.0 == key;
                take(&page, key, found);
                // Entries with this key may go on beyond either end of the page.
                let before = (low..guess).rev().take_while(|_| begins_before);
                self.go_on(file, before, key, found)?;
                let behind = (guess + 1..high).take_while(|_| ends_behind);
                self.go_on(file, behind, key, found)?;
                break;
            }
            guess = low + (high - low) / 2;
        }
        Ok(())
    }

    fn go_on(&self, file: &File, pages: impl Iterator<Item = u64>, key: u64, found: &mut Vec<usize>) -> io::Result<()> {
        for number in pages {
            let page = self.page(file, number)?;
            take(&page, key, found);
            // Only a page that is full of the key can be followed by more of it.
            if !page.iter().all(|(candidate, _)| *candidate == key) {
                break;
            }
        }
        Ok(())
    }

    /// All entries.
    pub(crate) fn all(&self, path: &Path) -> io::Result<Vec<(u64, u32)>> {
        let file = File::open(path)?;
        let mut all = Vec::new();
        for number in 0..self.pages() {
            all.append(&mut self.page(&file, number)?);
        }
        Ok(all)
    }
}

fn take(page: &[(u64, u32)], key: u64, found: &mut Vec<usize>) {
    let from = page.partition_point(|(candidate, _)| *candidate < key);
    let same = page.get(from..).unwrap_or_default().iter().take_while(|(candidate, _)| *candidate == key);
    found.extend(same.map(|(_, number)| *number as usize));
}

fn entry(bytes: &[u8]) -> Option<(u64, u32)> {
    let mut reader = Reader::new(bytes);
    Some((reader.fixed_u64().ok()?, reader.fixed_u32().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash;

    fn table(entries: &[(u64, u32)]) -> (tempfile::TempDir, std::path::PathBuf, Table) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        let mut bytes = b"head".to_vec();
        put(&mut bytes, entries);
        std::fs::write(&path, &bytes).unwrap();
        let table = Table { at: 4, entries: entries.len() as u64 };
        assert_eq!(bytes.len() as u64, 4 + table.bytes());
        (folder, path, table)
    }

    #[test]
    fn every_key_is_found_with_all_its_blocks_and_no_other() {
        // One key fills more than two pages; the others are spread.
        let often = hash::mix(500);
        let mut entries: Vec<(u64, u32)> = (0..3_000).map(|number| (hash::mix(number), number as u32)).collect();
        entries.extend((0..800).map(|number| (often, 10_000 + number)));
        entries.sort_unstable();
        let (_folder, path, table) = table(&entries);
        for number in (0..3_000).filter(|number| *number != 500) {
            assert_eq!(table.find(&path, &[hash::mix(number)]).unwrap(), [number as usize]);
            assert!(table.find(&path, &[hash::mix(number) ^ 1]).unwrap().is_empty());
        }
        assert_eq!(table.find(&path, &[often]).unwrap().len(), 801);
        assert_eq!(table.all(&path).unwrap(), entries);
        let (_folder, path, empty) = self::table(&[]);
        assert!(empty.find(&path, &[7]).unwrap().is_empty());
    }

    #[test]
    fn a_changed_byte_is_noticed_by_whoever_reads_it() {
        let entries: Vec<(u64, u32)> = (0..1_000_u32).map(|number| (u64::from(number) << 54, number)).collect();
        let (_folder, path, table) = table(&entries);
        let whole = std::fs::read(&path).unwrap();
        for at in (4..whole.len()).step_by(97) {
            let mut changed = whole.clone();
            changed[at] ^= 4;
            std::fs::write(&path, &changed).unwrap();
            assert_eq!(table.all(&path).unwrap_err().kind(), io::ErrorKind::InvalidData, "byte {at}");
            for (key, number) in entries.iter().step_by(9) {
                match table.find(&path, &[*key]) {
                    Ok(found) => assert_eq!(found, [*number as usize]),
                    Err(error) => assert_eq!(error.kind(), io::ErrorKind::InvalidData),
                }
            }
        }
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(table.all(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
