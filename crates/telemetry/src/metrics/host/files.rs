//! Reading and taking apart the small text files of `/proc` and `/sys`: bounded, and with errors that
//! say which file and what was expected. What the files mean is known by the collectors.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes that a file may have. The largest that is read, the list of mounts, has some 150 bytes for
/// each mount.
const BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Most files fit, so that one read gets them and a second one finds the end.
const BYTES_USUAL: usize = 8 * 1024;

/// Why a collector has nothing to say.
#[derive(Debug, thiserror::Error)]
pub(in crate::metrics) enum Error {
    /// It is not there, may not be read, or the kernel was built or started without it.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says, which is the end of every chain of causes.
        error: io::Error,
    },
    /// It is longer than anything that is known of it.
    #[error("{} has more than {BYTES_MAX} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// It is there, and is not what it should be.
    #[error("{} has not what was looked for: {expected}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was looked for, or an example of it.
        expected: &'static str,
    },
}

impl Error {
    /// It is not there, as on a kernel that was built without it: no fault of anyone.
    pub(in crate::metrics) fn is_absence(&self) -> bool {
        let kinds = [io::ErrorKind::NotFound, io::ErrorKind::Unsupported];
        matches!(self, Self::Unreadable { error, .. } if kinds.contains(&error.kind()))
    }
}

/// `None` for a file that is not there; other errors stay.
pub(super) fn optional<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_absence() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file that was read.
#[derive(Clone)]
pub(in crate::metrics) struct Text {
    path: PathBuf,
    text: String,
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

impl Text {
    /// Reads a file whole. Bytes that are no UTF-8, as a mount point may have, are replaced.
    pub(in crate::metrics) fn read(path: PathBuf) -> Result<Self, Error> {
        let mut bytes = Vec::with_capacity(BYTES_USUAL);
        let read = File::open(&path).and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes));
        match read {
            Err(error) => Err(Error::Unreadable { path, error }),
            Ok(length) if length as u64 > BYTES_MAX => Err(Error::TooLong { path }),
            Ok(_) => {
                let text = String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
                Ok(Self { path, text })
            }
        }
    }

    /// All of it.
    pub(in crate::metrics) fn as_str(&self) -> &str {
        &self.text
    }

    /// What is in it, line by line, without empty ones.
    pub(in crate::metrics) fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter(|line| !line.trim().is_empty())
    }

    /// What stands behind a word at the beginning of a line.
    pub(in crate::metrics) fn after(&self, word: &str) -> Option<&str> {
        self.lines().find_map(|line| line.strip_prefix(word).filter(|rest| rest.starts_with([' ', '\t'])))
    }

    /// The error for a file that is not as expected.
    pub(in crate::metrics) fn malformed(&self, expected: &'static str) -> Error {
        Error::Malformed { path: self.path.clone(), expected }
    }

    /// The only number of the file.
    pub(super) fn number(&self) -> Result<f64, Error> {
        whole(self.text.trim()).ok_or_else(|| self.malformed("a whole number"))
    }

    #[cfg(test)]
    pub(in crate::metrics) fn of(text: &str) -> Self {
        Self { path: PathBuf::from("test"), text: text.to_owned() }
    }
}

/// A whole number without sign, as a metric's value.
pub(in crate::metrics) fn whole(digits: &str) -> Option<f64> {
    digits.parse::<u64>().ok().map(|number| number as f64)
}

/// The same with a sign, where the kernel says -1 for "none".
pub(super) fn signed(digits: &str) -> Option<f64> {
    whole(digits).or_else(|| digits.parse::<i64>().ok().map(|number| number as f64))
}

/// A number such as `0.25`. The words that Rust takes for numbers, `inf` and `nan`, are none.
pub(super) fn decimal(digits: &str) -> Option<f64> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    digits.parse().ok().filter(|_| plain)
}

/// All numbers of a line, if that is what it is made of.
pub(super) fn wholes(line: &str) -> Option<Vec<f64>> {
    line.split_ascii_whitespace().map(whole).collect()
}

/// Where `/proc` and `/sys` are.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    proc: PathBuf,
    sys: PathBuf,
}

impl Tree {
    pub(super) fn new(proc: PathBuf, sys: PathBuf) -> Self {
        Self { proc, sys }
    }

    pub(super) fn proc(&self, file: impl AsRef<Path>) -> Result<Text, Error> {
        Text::read(self.proc.join(file))
    }

    pub(super) fn sys(&self, file: impl AsRef<Path>) -> Result<Text, Error> {
        Text::read(self.sys.join(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mountinfo");
        std::fs::write(&path, vec![b'1'; usize::try_from(BYTES_MAX).unwrap()]).unwrap();
        assert!(Text::read(path.clone()).is_ok());
        std::fs::write(&path, vec![b'1'; usize::try_from(BYTES_MAX).unwrap() + 1]).unwrap();
        assert!(matches!(Text::read(path), Err(Error::TooLong { .. })));
    }

    #[test]
    fn absence_is_told_from_failure() {
        let folder = tempfile::tempdir().unwrap();
        let absent = Text::read(folder.path().join("none"));
        assert!(optional(absent).is_ok_and(|text| text.is_none()));
        let a_folder = Text::read(folder.path().to_owned()).unwrap_err();
        assert!(!a_folder.is_absence());
        assert!(a_folder.to_string().contains(&folder.path().display().to_string()), "{a_folder}");
    }

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        assert_eq!(
            (whole("18446744073709551615"), whole("-1"), signed("-1")),
            (Some(1.8446744073709552e19), None, Some(-1.0))
        );
        assert_eq!((decimal("0.25"), decimal("inf"), decimal("nan"), decimal("1e9")), (Some(0.25), None, None, None));
        assert_eq!((wholes("1 2"), wholes("1 x")), (Some(vec![1.0, 2.0]), None));
    }
}
