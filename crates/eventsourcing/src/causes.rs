//! How an error is told where one line has to do: in a log, in an answer of a check. Which errors there are is not
//! known here.

use std::error::Error;

/// An error and its causes in one line.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_told_behind_what_it_led_to() {
        #[derive(Debug, thiserror::Error)]
        #[error("{told}")]
        struct Told {
            told: &'static str,
            source: Option<Box<Told>>,
        }
        let cause = Told { told: "no route to host", source: None };
        let error = Told { told: "the engine cannot be reached", source: Some(Box::new(cause)) };
        assert_eq!(with_causes(&error), "the engine cannot be reached: no route to host");
    }
}
