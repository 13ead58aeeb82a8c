//! storm: throws the same abuse at the bare and at the hardened shop, and shows what happened.
//!
//! Both shops are child processes of this very program (the hidden `serve` command), so that they
//! have memory and threads of their own and nothing has to be built or found first.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program"
)]

mod answer;
mod audit;
mod bystander;
mod chronicle;
mod cli;
mod client;
mod dice;
mod figures;
mod leak;
mod progress;
mod report;
mod run;
mod scenario;
mod service;
mod soak;
mod store;
mod target;

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1).peekable();
    if args.next_if(|first| first == "serve").is_some() {
        return shop::run(args);
    }
    if args.next_if(|first| first == "count-keys").is_some() {
        return scenario::count_keys(args.next().as_deref());
    }
    if args.next_if(|first| first == "soak").is_some() {
        return soak::run(args);
    }
    match cli::parse(args) {
        Ok(cli::Command::Help) => {
            println!("{}", cli::HELP);
            ExitCode::SUCCESS
        }
        Ok(cli::Command::List) => {
            for scenario in scenario::all() {
                println!("{:<14} {}", scenario.name(), scenario.claim());
            }
            ExitCode::SUCCESS
        }
        Ok(cli::Command::Run(options)) => run::storm(&options),
        Ok(cli::Command::Aim(options)) => target::storm(&options),
        Err(usage) => {
            eprintln!("storm: {usage}");
            ExitCode::from(2)
        }
    }
}
