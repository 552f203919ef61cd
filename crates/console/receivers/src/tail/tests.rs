//! Following files, round by round, and reading lines.

mod lines;
mod rotation;
