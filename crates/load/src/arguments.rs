//! The command line of `highbeam load`, and its way into [`Options`].

use std::{path::PathBuf, time::Duration};

use crate::{
    duration,
    journey::WallClock,
    options::{Mode, Options},
    scenario::Mix,
    slo::Objective,
    target::Target,
};

/// Send believable traffic to the order service and measure what its customers feel.
///
/// Customers search, order, pay, change their minds, retry, and make mistakes. By default they come at
/// a fixed rate, whatever the answers do (open loop), and latency counts from when a request was meant
/// to be sent, so that a stalled service cannot hide its stall. Exit code: 0 every objective is met, 1
/// one is violated, 2 wrong usage or nobody answers.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Where the service is; without a path, the default base path /api is meant.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:5007/api")]
    pub target: Target,

    /// Requests a second.
    #[arg(long, value_name = "NUMBER", default_value_t = 50.0)]
    pub rate: f64,

    /// How long to measure: 500ms, 30s, 5m, 1h.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration::parse)]
    pub duration: Duration,

    /// How long traffic flows unmeasured before.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration::parse)]
    pub warm_up: Duration,

    /// Customers under way at once, at most; further ones wait, and are counted as late.
    #[arg(long, value_name = "NUMBER", default_value_t = 256)]
    pub max_in_flight: usize,

    /// How long a customer waits for his turn before he is dropped, and counted as such.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration::parse)]
    pub max_lateness: Duration,

    /// Send as fast as the answers come (closed loop): finds the highest throughput.
    #[arg(long, conflicts_with_all = ["rate", "max_in_flight", "max_lateness"])]
    pub closed: bool,

    /// Customers at once in the closed loop.
    #[arg(long, value_name = "NUMBER", default_value_t = 16, requires = "closed")]
    pub concurrency: usize,

    /// How long a customer waits for one answer.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration::parse)]
    pub timeout: Duration,

    /// Which customers come, by weight: browse=40,order=50,mistake=10. Also: abandon, cancel,
    /// impatient, `read_back`, history.
    #[arg(long, value_name = "SCENARIO=WEIGHT,...")]
    pub mix: Option<Mix>,

    /// The same seed brings the same customers with the same orders.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,

    /// What must hold, repeatable: 'p99<300ms', 'create.p99<50ms', 'errors<0.1%', 'dropped<=0%',
    /// 'rate>=45'.
    #[arg(long, value_name = "OBJECTIVE")]
    pub slo: Vec<Objective>,

    /// Write the report as JSON to a file, or to standard output with '-'.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Show no progress.
    #[arg(long)]
    pub quiet: bool,
}

impl Arguments {
    /// The options that the arguments mean; not checked yet.
    #[must_use]
    pub fn options(&self, clock: WallClock) -> Options {
        let mode = if self.closed {
            Mode::Closed { concurrency: self.concurrency }
        } else {
            Mode::Open {
                rate_per_second: self.rate,
                in_flight_max: self.max_in_flight,
                lateness_max: self.max_lateness,
            }
        };
        Options {
            target: self.target.clone(),
            mode,
            duration: self.duration,
            warm_up: self.warm_up,
            request_timeout: self.timeout,
            mix: self.mix.clone().unwrap_or_default(),
            seed: self.seed,
            objectives: self.slo.clone(),
            clock,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn parse(line: &str) -> Result<Arguments, String> {
        Program::try_parse_from(line.split(' ')).map(|program| program.arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_those_of_the_options() {
        use clap::CommandFactory;
        Program::command().debug_assert();
        let clock: WallClock = Arc::new(String::new);
        let options = parse("load").unwrap().options(Arc::clone(&clock));
        assert_eq!(format!("{options:?}"), format!("{:?}", Options::new(clock)));
    }

    #[test]
    fn objectives_repeat_and_modes_exclude_each_other() {
        let arguments = parse("load --closed --concurrency 4 --slo p99<300ms --slo errors<1% --mix order").unwrap();
        assert_eq!(arguments.slo.len(), 2);
        let options = arguments.options(Arc::new(String::new));
        assert_eq!(options.mode, Mode::Closed { concurrency: 4 });
        assert!(parse("load --closed --rate 5").is_err());
        assert!(parse("load --concurrency 5").is_err());
    }

    #[test]
    fn a_wrong_argument_is_explained_with_a_right_one() {
        for (line, right) in [
            ("load --slo p99", "p99<300ms"),
            ("load --duration 30", "500ms, 30s"),
            ("load --target https://a/", "http://127.0.0.1:5007/api"),
            ("load --mix buy=1", "browse=40"),
        ] {
            let message = parse(line).unwrap_err();
            assert!(message.contains(right), "{message}");
        }
    }
}
