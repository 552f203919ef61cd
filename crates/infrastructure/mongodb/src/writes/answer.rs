//! What the engine says to an `update` command. What is done about it belongs to those who sent it.

use mongodb::bson::{Bson, Document};

use crate::failure::{DUPLICATE_KEY, Failure};

/// What became of the statements.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// How many found a document or inserted one.
    pub(super) done: usize,
    /// Those that failed on a key, by their index.
    pub(super) guarded: Vec<usize>,
}

impl Answer {
    /// Reads an answer. A failure other than one on a key is one of the whole.
    pub(super) fn read(answer: &Document) -> Result<Self, Failure> {
        let mut guarded = Vec::new();
        for error in answer.get_array("writeErrors").into_iter().flatten().filter_map(Bson::as_document) {
            match number(error, "index") {
                Some(index) if code(error) == DUPLICATE_KEY => guarded.push(index),
                _ => return Err(refused(error)),
            }
        }
        if let Ok(error) = answer.get_document("writeConcernError") {
            return Err(refused(error));
        }
        Ok(Self { done: number(answer, "n").unwrap_or_default(), guarded })
    }

    /// Of how many statements it says what became of them.
    pub(super) const fn told(&self) -> usize {
        self.done.saturating_add(self.guarded.len())
    }
}

fn refused(error: &Document) -> Failure {
    Failure::Refused { code: code(error), name: error.get_str("codeName").unwrap_or_default().to_owned() }
}

fn code(error: &Document) -> i32 {
    number(error, "code").unwrap_or_default()
}

/// Servers choose the width of a number by its size.
fn number<N: TryFrom<i64>>(document: &Document, field: &str) -> Option<N> {
    let number = match document.get(field)? {
        Bson::Int32(number) => i64::from(*number),
        Bson::Int64(number) => *number,
        #[expect(clippy::cast_possible_truncation, reason = "counts, indexes and codes are small")]
        Bson::Double(number) => *number as i64,
        _ => return None,
    };
    number.try_into().ok()
}

#[cfg(test)]
mod tests {
    use mongodb::bson::doc;

    use super::*;

    #[test]
    fn only_a_key_that_is_there_is_no_failure() {
        let error = |code: i32| doc! {"index": 3, "code": code, "errmsg": "jane@example.com"};
        assert_eq!(Answer::read(&doc! {"ok": 1, "n": 2}).unwrap(), Answer { done: 2, guarded: Vec::new() });
        let answer = Answer::read(&doc! {"ok": 1, "n": 1.0, "writeErrors": [error(11_000)]}).unwrap();
        assert_eq!((answer.told(), answer.guarded), (2, vec![3]));
        let failure = Answer::read(&doc! {"ok": 1, "writeErrors": [error(11_000), error(121)]}).unwrap_err();
        assert_eq!(failure.to_string(), "the engine answered with error 121");
        let answer = doc! {"ok": 1, "n": 1, "writeConcernError": {"code": 64, "codeName": "WriteConcernTimeout"}};
        let failure = Answer::read(&answer).unwrap_err();
        assert_eq!(failure.to_string(), "the engine answered with error 64 (WriteConcernTimeout)");
    }

    #[test]
    fn an_answer_that_no_engine_gives_is_read_without_a_panic() {
        for answer in [
            doc! {},
            doc! {"n": -1, "writeErrors": 7},
            doc! {"n": f64::NAN, "writeErrors": ["x", {"index": -1, "code": "x"}]},
            doc! {"n": i64::MAX, "writeErrors": [{"index": i64::MAX, "code": 11_000}]},
        ] {
            let _ = Answer::read(&answer).map(|answer| answer.told());
        }
    }
}
