//! The composition root: it alone knows every crate, reads the settings and ties adapters to ports.
//! Nothing here decides about orders, speaks HTTP to clients or touches a database itself.

mod alerting;
pub mod cli;
pub mod client;
pub mod commands;
mod console;
mod control;
mod customers;
mod divergence;
mod lock;
mod observability;
mod probes;
mod process;
pub mod ready;
pub mod roles;
mod secret;
pub mod settings;
mod shutdown;
mod wiring;
