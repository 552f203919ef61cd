//! The command line: what can be typed, not what it does (that is `commands`).

use std::collections::HashMap;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Parser, Subcommand};

use crate::roles::Role;
use crate::settings::table::SETTINGS;

/// Order delivery, and the observability around it.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Action,
}

/// What highbeam can do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Run everything in one process on embedded stores, with gentle demo traffic
    Up(Up),
    /// Run one production role, configured from the environment
    Serve(Serve),
    /// Run the console alone: OTLP in, pages and query APIs out
    Console(Console),
    /// Send traffic to an order service and measure how it answers
    Load(load::Arguments),
    /// Look after the projections of a running process
    Projections(Projections),
    /// Reach every configured engine and say what is wrong and what to do
    Check(Check),
    /// Ask a running process whether it lives, for a container's health check: exit status 0 or 1
    Health(Health),
    /// Copy an event store into another, and go on where an earlier copy stopped
    Copy(Copy),
}

/// `highbeam up`
#[derive(Debug, Args)]
pub struct Up {
    /// Send no demo traffic
    #[arg(long)]
    pub no_traffic: bool,
    /// Scenarios of demo traffic a second
    #[arg(long, default_value_t = 2.0, value_name = "RATE")]
    pub traffic_rate: f64,
    /// Run no console; telemetry goes to the collector that the settings name, if any
    #[arg(long)]
    pub no_console: bool,
    /// Where to tell that the process is ready
    #[command(flatten)]
    pub ready: ReadyFile,
    /// Settings
    #[command(flatten)]
    pub settings: Flags,
}

/// `highbeam console`
#[derive(Debug, Args)]
pub struct Console {
    /// Follow a log file (JSON, logfmt or plain; `*` for several); may be given more than once
    #[arg(long, value_name = "PATH")]
    pub tail: Vec<String>,
    /// Take in a file of OTLP JSON first; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub import: Vec<PathBuf>,
    /// Where to tell that the process is ready
    #[command(flatten)]
    pub ready: ReadyFile,
    /// Settings
    #[command(flatten)]
    pub settings: Flags,
}

/// `highbeam serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// The role to run
    #[arg(long, value_enum, default_value = "all")]
    pub role: Role,
    /// Where to tell that the process is ready
    #[command(flatten)]
    pub ready: ReadyFile,
    /// Settings
    #[command(flatten)]
    pub settings: Flags,
}

/// `--ready-file`
#[derive(Debug, Args)]
pub struct ReadyFile {
    /// Write the process's addresses to this file, as JSON, once it is ready
    #[arg(long = "ready-file", value_name = "PATH")]
    pub path: Option<PathBuf>,
}

/// `highbeam projections`
#[derive(Debug, Args)]
pub struct Projections {
    /// Where the process that runs the projections listens
    #[arg(long, global = true, default_value = "http://127.0.0.1:5007", value_name = "URL")]
    pub url: String,
    /// What to do
    #[command(subcommand)]
    pub action: ProjectionsAction,
}

/// What can be done about projections.
#[derive(Debug, Subcommand)]
pub enum ProjectionsAction {
    /// Show every projection: generations, head, lag, parked events, last error
    Status,
    /// Build a new generation beside the live one
    Rebuild {
        /// orders or search
        name: String,
        /// Leave the promotion to `projections promote`
        #[arg(long)]
        manual: bool,
    },
    /// Make a rebuilt generation the live one
    Promote {
        /// orders or search
        name: String,
    },
    /// Give a rebuild up
    Discard {
        /// orders or search
        name: String,
    },
    /// List the events that could not be applied
    Parked {
        /// orders or search
        name: String,
    },
    /// Apply a parked event again, and those of its order that wait behind it
    Replay {
        /// orders or search
        name: String,
        /// The event's position
        position: u64,
    },
    /// Go on without a parked event
    Skip {
        /// orders or search
        name: String,
        /// The event's position
        position: u64,
    },
}

/// `highbeam check`
#[derive(Debug, Args)]
pub struct Check {
    /// Read every page of every file, which takes its time
    #[arg(long)]
    pub full: bool,
    /// Settings
    #[command(flatten)]
    pub settings: Flags,
}

/// `highbeam health`
#[derive(Debug, Args)]
pub struct Health {
    /// Ask whether it can serve (/readyz: its engines, too), not only whether it lives (/livez)
    #[arg(long)]
    pub ready: bool,
    /// Where to ask; unset, this machine's PORT, or whether it lives at CONSOLE_PORT where nothing listens at PORT
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// How long to wait for the answer
    #[arg(long, default_value_t = 3, value_name = "SECONDS", value_parser = clap::value_parser!(u8).range(1..=60))]
    pub timeout: u8,
    /// Settings
    #[command(flatten)]
    pub settings: Flags,
}

/// `highbeam copy`
#[derive(Debug, Args)]
pub struct Copy {
    /// The event store to copy, such as sqlite:data/events.db
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// The event store to copy to: an empty one, or one that an earlier copy began, such as
    /// esdb://user:password@kurrentdb:2113
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// Copy only streams whose names start with it, and mind only those in the target
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub prefix: String,
    /// How many streams are written to at once; with 1, the order of all events stays as it is, with more,
    /// that of each stream does
    #[arg(long, default_value_t = 64, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,
}

/// One flag for each setting.
#[derive(Debug, Default)]
pub struct Flags(pub HashMap<String, String>);

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in SETTINGS {
            if let Some(value) = matches.get_one::<String>(setting.name) {
                self.0.insert(setting.name.to_owned(), value.clone());
            }
        }
        Ok(())
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        SETTINGS.iter().fold(command, |command, setting| {
            let default =
                if setting.default.is_empty() { String::new() } else { format!(" [default: {}]", setting.default) };
            command.arg(
                Arg::new(setting.name)
                    .long(setting.flag())
                    .value_name("VALUE")
                    .help(format!("{}{default}", setting.about))
                    .help_heading("Settings (also environment variables, in capitals)"),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_setting_is_a_flag_of_its_name() {
        let cli = Cli::try_parse_from(["highbeam", "up", "--port", "0", "--data-dir", "x"]).unwrap();
        let Action::Up(up) = cli.command else { panic!("not up") };
        assert_eq!(up.settings.0["PORT"], "0");
        assert_eq!(up.settings.0["DATA_DIR"], "x");
    }
}
