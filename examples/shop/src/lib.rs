//! The example service: one small business, served bare or hardened.
//!
//! [`domain`] is the business and knows no framework. [`bare`] serves it the way most teams ship a
//! first version; [`hardened`] serves the same routes through Seawall. Everything else is what both
//! need around them: the command line, the configuration, the sockets, the admin listener.
//!
//! [`run`] is the whole program. It is a library function, so that another program (storm) can run
//! the shop as a child process of itself.

#![allow(
    clippy::exhaustive_structs,
    clippy::exhaustive_enums,
    reason = "an unpublished example has no callers outside this workspace"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program"
)]

mod admin;
pub mod bare;
mod cli;
pub mod config;
pub mod domain;
mod drain;
pub mod hardened;
mod index;
pub mod ledger;
mod server;
mod state;
pub mod store;
mod telemetry;

use std::ffi::OsString;
use std::process::ExitCode;

pub use cli::UsageError;
pub use drain::Drain;
pub use state::{AppState, Shared};
pub use telemetry::{Observer, Telemetry};

/// Runs the shop with these command line arguments (without the program's name) until it has been
/// told to stop, and returns the exit code of the process.
///
/// Bad input of any kind is one line on stderr and exit code 2.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match cli::parse(args) {
        Ok(cli::Command::Help) => {
            println!("{}", cli::HELP);
            ExitCode::SUCCESS
        }
        Ok(cli::Command::Serve(options)) => server::run(*options),
        Err(usage) => usage.report(),
    }
}
