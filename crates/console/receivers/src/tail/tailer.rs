//! Which files are followed, round by round, and what happens when the sink does not take what was read. How
//! one file is read is `file`'s business.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eventsourcing::Clock;
use hashbrown::HashSet;
use tokio::sync::watch;

use super::batch::Batch;
use super::file::{Followed, From, Identity};
use super::positions::{self, Position};
use super::{FILE_BYTES_PER_ROUND, FILES_MAX, Options, glob};
use crate::Sink;

/// How often positions are written at most, milliseconds.
const SAVE_EVERY_MS: i64 = 1_000;
/// Files whose fault has been told, so that it is not told again in each round.
const TOLD_MAX: usize = 1_000;

/// What was done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Lines that the sink took.
    pub lines: u64,
    /// Lines that were cut, for they were longer than 1 MiB.
    pub lines_cut: u64,
    /// Lines that the sink refused too often.
    pub lines_dropped: u64,
    /// How often the sink refused lines, which were then read again.
    pub refusals: u64,
    /// Files that are followed.
    pub files: usize,
    /// Files that are not, for there are too many.
    pub files_over_limit: usize,
    /// How often a file could not be read.
    pub read_failures: u64,
    /// How often the positions could not be written.
    pub save_failures: u64,
}

/// Follows files, one round after another.
pub struct Tailer {
    options: Options,
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    files: Vec<Followed>,
    /// Positions of the last run that have not been taken up.
    earlier: Vec<Position>,
    is_first_round: bool,
    batch: Batch,
    chunk: Vec<u8>,
    attempts: u32,
    counts: Counts,
    told: HashSet<PathBuf>,
    saved_ms: i64,
    saved: Vec<Position>,
}

impl Tailer {
    /// Takes up the positions of the last run, if there are any. If they cannot be read, files are begun as
    /// if there were none.
    pub fn new(options: Options, sink: Arc<dyn Sink>, clock: Arc<dyn Clock>) -> Self {
        let earlier = options.positions.as_deref().map_or(Ok(Vec::new()), positions::load);
        let earlier = earlier.unwrap_or_else(|error| {
            tracing::warn!(error.cause = %error, "positions of log files could not be read");
            Vec::new()
        });
        Self {
            options,
            sink,
            clock,
            files: Vec::new(),
            saved: earlier.clone(),
            earlier,
            is_first_round: true,
            batch: Batch::default(),
            chunk: Vec::new(),
            attempts: 0,
            counts: Counts::default(),
            told: HashSet::new(),
            saved_ms: 0,
        }
    }

    /// What it follows, and how.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        Counts { files: self.files.len(), ..self.counts }
    }

    /// Looks at all files once, and hands in what was appended. Blocks for as long as files and sink do. Gives
    /// whether there is more to be read at once, for no file has more than its turn.
    pub fn poll(&mut self) -> bool {
        let named = self.discover();
        let has_more = self.read_all(&named);
        let now_ms = self.clock.now().as_millisecond();
        if now_ms.saturating_sub(self.saved_ms) >= SAVE_EVERY_MS {
            self.save();
            self.saved_ms = now_ms;
        }
        has_more
    }

    /// Writes the positions, so that a restart goes on where this ended.
    pub fn save(&mut self) {
        let Some(path) = &self.options.positions else { return };
        let positions: Vec<_> = self.files.iter().map(Position::of).collect();
        if positions == self.saved {
            return;
        }
        match positions::save(path, positions.clone()) {
            Ok(()) => self.saved = positions,
            Err(error) => {
                self.counts.save_failures += 1;
                if self.told.insert(path.clone()) {
                    tracing::warn!(error.cause = %error, "positions of log files could not be written");
                }
            }
        }
    }

    /// Opens files that are new, and gives those that have a name.
    fn discover(&mut self) -> HashSet<Identity> {
        let mut named = HashSet::new();
        let paths = self.options.paths.iter().flat_map(|path| glob::expand(path, FILES_MAX * 2));
        let paths: Vec<_> = paths.collect();
        self.counts.files_over_limit = 0;
        for path in paths {
            let Ok(metadata) = std::fs::metadata(&path) else { continue };
            let identity = Identity::of(&metadata);
            if !named.insert(identity) || self.files.iter().any(|file| file.identity == identity) {
                continue;
            }
            if self.files.len() >= FILES_MAX {
                self.counts.files_over_limit += 1;
                continue;
            }
            let from = self.beginning(&path, identity);
            self.open(&path, from);
        }
        if self.is_first_round {
            self.take_up_renamed();
            self.is_first_round = false;
        }
        named
    }

    /// Where a file that has not been followed yet begins.
    fn beginning(&mut self, path: &Path, identity: Identity) -> From {
        if let Some(at) = self.earlier.iter().position(|earlier| earlier.is_of(identity)) {
            let earlier = self.earlier.swap_remove(at);
            // Another file with the inode of one that is gone, or one that was cut to nothing, begins anew.
            return if earlier.fits(path) { From::Offset(earlier.offset) } else { From::Start };
        }
        let was_followed = self.earlier.iter().any(|earlier| earlier.path == path);
        if self.is_first_round && !was_followed && !self.options.from_start { From::End } else { From::Start }
    }

    /// Files that were renamed while nobody was here: what was appended before is read, if they are found
    /// beside their old name.
    fn take_up_renamed(&mut self) {
        for earlier in std::mem::take(&mut self.earlier) {
            let folder = earlier.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let Ok(entries) = std::fs::read_dir(folder.unwrap_or(Path::new("."))) else { continue };
            let found = entries.flatten().take(20_000).map(|entry| entry.path()).find(|path| earlier.fits(path));
            if let Some(path) = found.filter(|_| self.files.len() < FILES_MAX)
                && let Some(file) = self.open(&path, From::Offset(earlier.offset))
            {
                file.path = earlier.path;
            }
        }
    }

    fn open(&mut self, path: &Path, from: From) -> Option<&mut Followed> {
        match Followed::open(path, from) {
            Ok(file) => {
                self.files.push(file);
                self.files.last_mut()
            }
            Err(error) => {
                self.counts.read_failures += 1;
                if self.told.len() < TOLD_MAX && self.told.insert(path.to_owned()) {
                    tracing::warn!(file.path = %path.display(), error.cause = %error, "log file could not be read");
                }
                None
            }
        }
    }

    /// Reads each file until its end or until it was its turn long enough; stops where the sink refuses.
    fn read_all(&mut self, named: &HashSet<Identity>) -> bool {
        let mut files = std::mem::take(&mut self.files);
        let (mut is_refused, mut has_more) = (false, false);
        for at in 0..files.len() {
            let read = match files.get_mut(at) {
                Some(file) => self.read_one(file, named),
                None => break,
            };
            match read {
                Ok(is_at_end) => has_more |= !is_at_end,
                Err(_) => self.counts.read_failures += 1,
            }
            let is_full = self.batch.records >= self.options.batch_records_max
                || self.batch.bytes >= self.options.batch_bytes_max;
            if is_full && !self.hand_in(&mut files) {
                is_refused = true;
                break;
            }
        }
        if !is_refused {
            is_refused = !self.hand_in(&mut files);
        }
        if !is_refused {
            files.retain(|file| file.rounds_gone <= self.options.rounds_after_removal);
        }
        self.files = files;
        has_more && !is_refused
    }

    /// Gives whether the file was read until its end.
    fn read_one(&mut self, file: &mut Followed, named: &HashSet<Identity>) -> std::io::Result<bool> {
        let arrival_ns = u64::try_from(self.clock.now().as_nanosecond()).unwrap_or(0);
        let (path, identity) = (file.path.clone(), file.identity);
        let Self { batch, chunk, options, counts, .. } = self;
        let mut emit = |line: &[u8], is_cut: bool| {
            counts.lines_cut += u64::from(is_cut);
            batch.push(&path, identity, line, arrival_ns, options);
        };
        file.look(&mut emit)?;
        let mut total = 0;
        // A batch may become larger than it should be by what is in one chunk, not by what is in a file.
        let is_at_end = loop {
            let length = file.read(chunk, &mut emit)?;
            total += length;
            if length == 0 || total >= FILE_BYTES_PER_ROUND.min(options.batch_bytes_max) {
                break length == 0;
            }
        };
        if named.contains(&identity) || total > 0 {
            file.rounds_gone = 0;
        } else {
            file.rounds_gone += 1;
            if file.rounds_gone > options.rounds_after_removal {
                file.end(&mut emit);
            }
        }
        Ok(is_at_end)
    }

    /// Hands in what was read. If the sink refuses it, it is read again in the next round, unless it was
    /// refused too often. Gives whether to go on.
    fn hand_in(&mut self, files: &mut [Followed]) -> bool {
        let records = self.batch.records as u64;
        if records > 0 {
            match self.sink.logs(self.batch.take()) {
                Ok(()) => self.counts.lines += records,
                Err(refused) => {
                    self.attempts += 1;
                    self.counts.refusals += 1;
                    if self.attempts == 1 {
                        tracing::warn!(error.cause = %refused, "log lines were refused");
                    }
                    if self.attempts < self.options.attempts_max {
                        files.iter_mut().for_each(Followed::rewind);
                        return false;
                    }
                    self.counts.lines_dropped += records;
                }
            }
            self.attempts = 0;
        }
        files.iter_mut().for_each(Followed::accept);
        true
    }
}

/// Follows files until told to stop, and then writes the positions. The work is done on a thread that may
/// block.
pub async fn run(mut tailer: Tailer, mut stop: watch::Receiver<bool>) {
    let interval = tailer.options.poll_interval;
    loop {
        let round = tokio::task::spawn_blocking(move || {
            let has_more = tailer.poll();
            (tailer, has_more)
        });
        // It fails where the sink panics, which has been told there, or where the runtime ends.
        let Ok((back, has_more)) = round.await else { return };
        tailer = back;
        let pause = if has_more { std::time::Duration::ZERO } else { interval };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    let _ = tokio::task::spawn_blocking(move || tailer.save()).await;
}
