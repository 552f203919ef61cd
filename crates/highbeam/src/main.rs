//! The `highbeam` program: reads the command line, runs one command, turns its end into an exit status
//! (0 done, 1 failed, 2 wrong usage).

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use highbeam::cli::{Action, Cli};
use highbeam::commands::{self, Error};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tell(&Error::Output(error)),
    };
    let done = runtime.block_on(async {
        match &cli.command {
            Action::Up(arguments) => commands::up::run(arguments).await.map(|()| ExitCode::SUCCESS),
            Action::Serve(arguments) => commands::serve::run(arguments).await.map(|()| ExitCode::SUCCESS),
            Action::Console(arguments) => commands::console::run(arguments).await.map(|()| ExitCode::SUCCESS),
            Action::Load(arguments) => commands::load::run(arguments).await,
            Action::Projections(arguments) => commands::projections::run(arguments).await.map(|()| ExitCode::SUCCESS),
            Action::Check(arguments) => commands::check::run(arguments).await.map(|()| ExitCode::SUCCESS),
            Action::Health(arguments) => commands::health::run(arguments).await.map(|()| ExitCode::SUCCESS),
            Action::Copy(arguments) => commands::copy::run(arguments).await.map(|()| ExitCode::SUCCESS),
        }
    });
    done.unwrap_or_else(|error| tell(&error))
}

fn tell(error: &Error) -> ExitCode {
    // When even standard error is gone, the exit status has to do.
    let _ = writeln!(io::stderr(), "highbeam: {error}");
    match error {
        Error::Settings(_) | Error::File(_) => ExitCode::from(2),
        Error::Failed(_) | Error::Output(_) => ExitCode::FAILURE,
    }
}
