//! What is wrong with an input, and where: one entry per fault, so that a client can mend all of
//! them at once.

use std::fmt;

/// One fault of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer (RFC 6901) to the field, for instance `/shopItems/0/price`.
    pub pointer: String,
    /// What is wrong and what would be right. Never repeats the value: it may be personal.
    pub detail: String,
}

/// All faults of an input; never empty when it is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations(pub Vec<Violation>);

impl Violations {
    /// A single fault.
    pub fn one(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut violations = Self::default();
        violations.push(pointer, detail);
        violations
    }

    /// Adds a fault.
    pub fn push(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Violation { pointer: pointer.into(), detail: detail.into() });
    }

    /// Takes the value of a checked part, or keeps its faults and goes on.
    pub fn collect<T>(&mut self, part: Result<T, Self>) -> Option<T> {
        match part {
            Ok(value) => Some(value),
            Err(Self(faults)) => {
                self.0.extend(faults);
                None
            }
        }
    }

    /// `value` when there is no fault.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Violation { pointer, detail }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{pointer}: {detail}")?;
        }
        Ok(())
    }
}
