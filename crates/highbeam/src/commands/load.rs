//! `highbeam load`: hands the terminal, the clock and Ctrl-C to the traffic generator.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use super::Error;
use crate::process::wall_clock;
use crate::shutdown;

/// Sends traffic; the exit status is 0 when every objective is met, 1 when one is violated, 2 when the
/// arguments are wrong or nobody answers.
pub async fn run(arguments: &load::Arguments) -> Result<ExitCode, Error> {
    let mut stop = shutdown::requested()?;
    let outputs = load::Outputs {
        results: Box::new(io::stdout()),
        messages: Box::new(io::stderr()),
        progress: Box::new(io::stderr()),
        columns: columns(),
    };
    let cancel = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let outcome = load::execute(arguments, wall_clock(), outputs, cancel).await;
    Ok(ExitCode::from(outcome.code()))
}

/// The width of the terminal, `None` where there is none. Shells keep it in `COLUMNS`.
fn columns() -> Option<u16> {
    const USUAL: u16 = 100;
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    io::stderr().is_terminal().then(|| told.unwrap_or(USUAL))
}
