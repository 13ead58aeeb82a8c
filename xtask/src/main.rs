//! The workspace's own tasks, run as `cargo xtask TASK`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool prints"
)]

mod args;
mod arrows;
mod compare;
mod contract;
mod counts;
mod failure;
mod features;
mod install;
mod interleavings;
mod mutants;
mod process;
mod readme;
mod release;
mod servers;
mod shop;
mod slow;
mod soak;
mod steps;
mod test;
mod tree;
mod wasm;
mod workspace;

use std::process::ExitCode;

use failure::Failure;

/// The tasks, in the order in which a newcomer meets them.
const TASKS: &[Task] = &[
    Task {
        name: "test",
        usage: test::USAGE,
        run: test::run,
    },
    Task {
        name: "arrows",
        usage: arrows::USAGE,
        run: arrows::run,
    },
    Task {
        name: "tree",
        usage: tree::USAGE,
        run: tree::run,
    },
    Task {
        name: "features",
        usage: features::USAGE,
        run: features::run,
    },
    Task {
        name: "wasm",
        usage: wasm::USAGE,
        run: wasm::run,
    },
    Task {
        name: "loom",
        usage: interleavings::LOOM_USAGE,
        run: interleavings::loom,
    },
    Task {
        name: "shuttle",
        usage: interleavings::SHUTTLE_USAGE,
        run: interleavings::shuttle,
    },
    Task {
        name: "mutants",
        usage: mutants::USAGE,
        run: mutants::run,
    },
    Task {
        name: "contract",
        usage: contract::USAGE,
        run: contract::run,
    },
    Task {
        name: "slow",
        usage: slow::USAGE,
        run: slow::run,
    },
    Task {
        name: "soak",
        usage: soak::USAGE,
        run: soak::run,
    },
    Task {
        name: "compare",
        usage: compare::USAGE,
        run: compare::run,
    },
    Task {
        name: "release",
        usage: release::USAGE,
        run: release::run,
    },
];

struct Task {
    name: &'static str,
    /// Its command line and, after a line break, what it does.
    usage: &'static str,
    run: fn(lexopt::Parser) -> Result<(), Failure>,
}

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            failure.exit_code()
        }
    }
}

fn dispatch() -> Result<(), Failure> {
    let mut words = lexopt::Parser::from_env();
    let name = match args::next(&mut words)? {
        Some(lexopt::Arg::Value(name)) => name.to_string_lossy().into_owned(),
        Some(lexopt::Arg::Long("help") | lexopt::Arg::Short('h')) => {
            print!("{}", usage());
            return Ok(());
        }
        Some(other) => return Err(args::unexpected(&other, &task_names())),
        None => return Err(Failure::usage(format!("no task given\n\n{}", usage()))),
    };
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        return Err(Failure::usage(format!(
            "unknown task `{name}`; expected {}",
            task_names()
        )));
    };
    (task.run)(words)
}

fn task_names() -> String {
    let names: Vec<_> = TASKS.iter().map(|task| task.name).collect();
    format!("one of {}", names.join(", "))
}

fn usage() -> String {
    let mut text = String::from("usage: cargo xtask TASK\n\n");
    for task in TASKS {
        for (index, line) in task.usage.lines().enumerate() {
            let indent = if index == 0 { "  " } else { "      " };
            text.push_str(&format!("{indent}{line}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usage_opens_each_task_with_its_own_name() {
        for task in TASKS {
            assert!(
                task.usage.starts_with(task.name),
                "{}: {}",
                task.name,
                task.usage
            );
            assert!(usage().contains(task.usage.lines().next().unwrap()));
        }
    }
}
