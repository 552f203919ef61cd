//! Asks file systems how full they are without ever waiting long for one. A network file system whose
//! server is gone lets `statvfs` hang, for minutes or for good, and the thread that asked cannot be
//! called back.
//!
//! So a thread that lives for one scrape asks, and the scrape waits for each answer a while. A mount
//! that does not answer in time is told as failed, its thread is left to it, another one goes on with
//! the rest, and the mount is not asked again until that answer has come. There is never more than one
//! thread left behind for a mount, and never more than [`HANGING_MAX`] in all.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long one mount may take.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a scrape may wait for all of them.
const BUDGET: Duration = Duration::from_secs(2);
/// Mounts that may hang at once, each with a thread of its own. With more, none is asked.
const HANGING_MAX: usize = 64;

/// What a file system says of itself, in bytes and inodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Space {
    pub(super) size: f64,
    /// With what is reserved for root.
    pub(super) free: f64,
    pub(super) available: f64,
    pub(super) files: f64,
    pub(super) files_free: f64,
}

type Answer = Result<Space, String>;
type Question = dyn Fn(&Path) -> Answer + Send + Sync;

/// Asks, and remembers which mounts hang.
pub(in crate::metrics::host) struct Asking {
    question: Arc<Question>,
    patience: Duration,
    budget: Duration,
    hanging: Arc<Mutex<BTreeSet<PathBuf>>>,
    /// One scrape asks at a time, so that a mount that hangs costs one thread.
    turn: Mutex<()>,
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").field("hanging", &self.hanging).finish_non_exhaustive()
    }
}

impl Default for Asking {
    fn default() -> Self {
        Self::new(Arc::new(statvfs), PATIENCE, BUDGET)
    }
}

impl Asking {
    fn new(question: Arc<Question>, patience: Duration, budget: Duration) -> Self {
        Self { question, patience, budget, hanging: Arc::default(), turn: Mutex::default() }
    }

    /// One answer for each path, in order.
    pub(super) fn ask(&self, paths: Vec<PathBuf>) -> Vec<Answer> {
        let _turn = locked(&self.turn);
        let begun = Instant::now();
        let timeout = || Err("mountpoint timeout".to_owned());
        let mut answers = vec![timeout(); paths.len()];
        let mut open: Vec<_> = (0..paths.len()).collect();
        loop {
            let hanging = {
                let hanging = locked(&self.hanging);
                open.retain(|index| !hanging.contains(&paths[*index]));
                hanging.len()
            };
            if open.is_empty() || begun.elapsed() >= self.budget {
                return answers;
            }
            let mut refuse = |why: &str| open.iter().for_each(|index| answers[*index] = Err(why.to_owned()));
            if hanging >= HANGING_MAX {
                refuse("too many mountpoints hang");
                return answers;
            }
            let mut asked = match self.start(open.iter().map(|index| paths[*index].clone()).collect()) {
                Ok(receiver) => Some(receiver),
                Err(error) => {
                    refuse(&words(&error));
                    return answers;
                }
            };
            let mut done = 0;
            for index in &open {
                done += 1;
                match self.wait(&mut asked, &paths[*index], begun) {
                    Some(answer) => answers[*index] = answer,
                    // Another thread goes on with the rest.
                    None => break,
                }
            }
            open.drain(..done);
        }
    }

    /// Starts a thread that asks one path after the other.
    fn start(&self, paths: Vec<PathBuf>) -> std::io::Result<Receiver<Answer>> {
        let (sender, receiver) = mpsc::channel();
        let (question, hanging) = (Arc::clone(&self.question), Arc::clone(&self.hanging));
        thread::Builder::new().name("statvfs".to_owned()).spawn(move || {
            for path in paths {
                let answer = question(&path);
                // Under the lock an answer is either in time or the path is among the hanging.
                let mut hanging = locked(&hanging);
                if sender.send(answer).is_err() {
                    hanging.remove(&path);
                    return;
                }
            }
        })?;
        Ok(receiver)
    }

    /// The next answer; `None` when it does not come in time, and then the path counts as hanging.
    fn wait(&self, asked: &mut Option<Receiver<Answer>>, path: &Path, begun: Instant) -> Option<Answer> {
        let receiver = asked.as_ref()?;
        let left = self.budget.saturating_sub(begun.elapsed());
        match receiver.recv_timeout(self.patience.min(left)) {
            Ok(answer) => return Some(answer),
            // The thread is gone, and with it whoever would say that the path hangs no longer.
            Err(RecvTimeoutError::Disconnected) => {
                *asked = None;
                return None;
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let mut hanging = locked(&self.hanging);
        // It may have come in the meantime.
        let answer = receiver.try_recv().ok();
        if answer.is_none() {
            hanging.insert(path.to_owned());
            *asked = None;
        }
        answer
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn statvfs(path: &Path) -> Answer {
    let space = rustix::fs::statvfs(path).map_err(|error| words(&error.into()))?;
    // Block counts are in units of the fragment size, says POSIX.
    let bytes = |blocks: u64| blocks as f64 * space.f_frsize as f64;
    Ok(Space {
        size: bytes(space.f_blocks),
        free: bytes(space.f_bfree),
        available: bytes(space.f_bavail),
        files: space.f_files as f64,
        files_free: space.f_ffree as f64,
    })
}

/// The system's words for an error: `permission denied`.
fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const SPACE: Space = Space { size: 5.0, free: 4.0, available: 3.0, files: 2.0, files_free: 1.0 };
    /// Longer than any test waits: what takes this long has hung.
    const LONG: Duration = Duration::from_secs(60);

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    /// Answers at once, but for paths that begin with `hang`, which wait for a word from the test.
    fn with_hanging(patience: Duration, budget: Duration) -> (Asking, mpsc::Sender<()>, Arc<AtomicUsize>) {
        let (release, released) = mpsc::channel();
        let (released, asked) = (Mutex::new(released), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        let question = move |path: &Path| {
            count.fetch_add(1, Ordering::SeqCst);
            if path.starts_with("hang") {
                let _ = locked(&released).recv_timeout(LONG);
            }
            Ok(SPACE)
        };
        (Asking::new(Arc::new(question), patience, budget), release, asked)
    }

    #[test]
    fn a_real_folder_answers_and_one_that_is_not_there_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let answers = Asking::default().ask(vec![folder.path().to_owned(), folder.path().join("none")]);
        let space = answers[0].clone().unwrap();
        assert!(space.size > 0.0 && space.available <= space.free && space.free <= space.size, "{space:?}");
        assert_eq!(answers[1], Err("no such file or directory".to_owned()));
    }

    #[test]
    fn a_mount_that_hangs_delays_a_scrape_once_and_hides_no_other() {
        // Long enough for a busy machine to start a thread.
        let (asking, release, asked) = with_hanging(Duration::from_secs(1), LONG);
        let all = paths(&["a", "hang", "hang", "b"]);
        let expected =
            vec![Ok(SPACE), Err("mountpoint timeout".to_owned()), Err("mountpoint timeout".to_owned()), Ok(SPACE)];
        assert_eq!(asking.ask(all.clone()), expected);
        assert_eq!(asked.load(Ordering::SeqCst), 3, "the same path is not asked while it hangs");
        assert_eq!(asking.ask(all.clone()), expected);
        assert_eq!(asked.load(Ordering::SeqCst), 5);

        release.send(()).unwrap();
        drop(release);
        while !locked(&asking.hanging).is_empty() {
            thread::yield_now();
        }
        assert_eq!(asking.ask(all), vec![Ok(SPACE); 4], "once it answers, it is asked again");
    }

    #[test]
    fn many_that_hang_take_no_longer_than_a_scrape_may() {
        let (asking, _release, asked) = with_hanging(Duration::from_millis(20), Duration::from_millis(100));
        let names: Vec<_> = (0..200).map(|number| format!("hang/{number}")).collect();
        let all: Vec<_> = names.iter().map(PathBuf::from).collect();
        let begun = Instant::now();
        assert!(asking.ask(all.clone()).iter().all(Result::is_err));
        assert!(begun.elapsed() < LONG / 2);
        assert!(asked.load(Ordering::SeqCst) <= 6, "{asked:?}");
    }

    #[test]
    fn threads_that_are_left_behind_have_an_end() {
        let (asking, _release, asked) = with_hanging(Duration::from_millis(1), LONG);
        let all: Vec<_> = (0..HANGING_MAX + 10).map(|number| PathBuf::from(format!("hang/{number}"))).collect();
        let answers = asking.ask(all);
        assert_eq!(answers.last(), Some(&Err("too many mountpoints hang".to_owned())));
        assert_eq!(locked(&asking.hanging).len(), HANGING_MAX);
        assert!(asked.load(Ordering::SeqCst) <= HANGING_MAX);
    }
}
