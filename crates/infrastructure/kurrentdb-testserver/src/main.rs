//! The test server as a program, for clients that others wrote: prints its connection string and runs
//! until it is ended.
//!
//!   kurrentdb-testserver [--port PORT] [--nodes NODES] [--max-append-size BYTES]

use std::io::Write;
use std::process::ExitCode;

use kurrentdb_testserver::{Cluster, Options};

const USAGE: &str = "usage: kurrentdb-testserver [--port PORT] [--nodes NODES] [--max-append-size BYTES], all numbers; \
                     port 0 is a free one";

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            // There is nobody left to tell when that fails.
            let _ = writeln!(std::io::stderr(), "{complaint}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let mut options = Options::default();
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match name.as_str() {
            "--port" => options.port = value.parse().map_err(|_| USAGE)?,
            "--nodes" => options.nodes = value.parse().ok().filter(|nodes| (1..=9).contains(nodes)).ok_or(USAGE)?,
            "--max-append-size" => options.append_bytes_max = value.parse().map_err(|_| USAGE)?,
            _ => return Err(USAGE.to_owned()),
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let cluster = Cluster::start(options).map_err(|error| format!("the port cannot be listened on: {error}"))?;
        writeln!(std::io::stdout(), "{}", cluster.url()).map_err(|error| error.to_string())?;
        tokio::signal::ctrl_c().await.map_err(|error| error.to_string())
    })
}
