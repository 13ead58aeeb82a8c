//! `cargo xtask test`: every test of the workspace, with throw-away servers where stores need them.

mod plan;
mod runner;

use std::{io::IsTerminal as _, process::Command};

use lexopt::Arg;
use plan::Plan;
use runner::Runner;

use crate::{
    args,
    counts::Counts,
    failure::Failure,
    process,
    servers::Running,
    steps::Steps,
    workspace::{Workspace, cargo},
};

pub(crate) const USAGE: &str = "test [--without-servers] [-p CRATE]...
runs all tests and doc tests; starts a Redis and a PostgreSQL on free ports if a store crate is
among the tested ones, and stops them at the end";

pub(crate) fn run(mut words: lexopt::Parser) -> Result<(), Failure> {
    let mut without_servers = false;
    let mut names = Vec::new();
    while let Some(word) = args::next(&mut words)? {
        match word {
            Arg::Long("without-servers") => without_servers = true,
            Arg::Short('p') | Arg::Long("package") => {
                names.push(args::text(&mut words, "the name of a crate")?);
            }
            other => {
                return Err(args::unexpected(
                    &other,
                    "`--without-servers` or `-p CRATE`",
                ));
            }
        }
    }
    let workspace = Workspace::load()?;
    let plan = Plan::new(&workspace, &names)?;
    process::hold_interrupts()?;

    let servers_wanted = !without_servers && !plan.servers.is_empty();
    let mut steps = Steps::new(
        "test",
        2 + usize::from(servers_wanted) + usize::from(plan.has_doc_tests()),
    );
    let mut servers = Vec::new();
    if servers_wanted {
        steps.run("servers", || start_servers(&plan, &mut servers))?;
    }
    let environment = Environment {
        plan: &plan,
        servers: &servers,
    };
    let runner = Runner::choose(&workspace);

    let mut counts = Counts::default();
    let built = steps.run("build", || {
        environment.run(runner.build(&plan), &mut counts)
    })?;
    if built.is_some() {
        let name = format!("tests ({runner})");
        steps.run(&name, || environment.run(runner.run(&plan), &mut counts))?;
        if plan.has_doc_tests() {
            steps.run("doc tests", || environment.doc_tests(&mut counts))?;
        }
    }
    drop(servers);

    eprintln!("==> test: {}", steps.elapsed());
    if counts.reported > 0 {
        println!("{counts}");
    }
    steps.finish()
}

fn start_servers(plan: &Plan, running: &mut Vec<(&'static str, Running)>) -> Result<(), Failure> {
    let mut missing = Vec::new();
    for &kind in &plan.servers {
        if std::env::var_os(kind.variable()).is_some() {
            eprintln!("    {} is set: using that server", kind.variable());
            continue;
        }
        // Without this one the rest still runs, and the task ends badly all the same.
        match kind.start() {
            Ok(server) => running.push((kind.variable(), server)),
            Err(Failure::Broken(reason)) => missing.push(reason),
            Err(other) => return Err(other),
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Failure::broken(missing.join("; ")))
    }
}

/// What the tests are told through their environment.
struct Environment<'a> {
    plan: &'a Plan,
    servers: &'a [(&'static str, Running)],
}

impl Environment<'_> {
    fn run(&self, mut command: Command, counts: &mut Counts) -> Result<(), Failure> {
        for (variable, server) in self.servers {
            command.env(variable, server.url());
        }
        let present = |variable: &str| {
            std::env::var_os(variable).is_some() || self.servers.iter().any(|(v, _)| *v == variable)
        };
        // A store test that finds no server must fail where all of them are meant to be there,
        // and skip visibly where one could not be had.
        let all = self
            .plan
            .servers
            .iter()
            .all(|kind| present(kind.variable()));
        if all && !self.plan.servers.is_empty() {
            command.env("SEAWALL_REQUIRE_SERVERS", "1");
        } else {
            command.env_remove("SEAWALL_REQUIRE_SERVERS");
        }
        // The output comes through a pipe, so cargo would not colour it for a terminal.
        if std::env::var_os("CARGO_TERM_COLOR").is_none() && std::io::stderr().is_terminal() {
            command.env("CARGO_TERM_COLOR", "always");
        }
        let status = process::run(&mut command, &mut |line| counts.read(line))?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::broken(status.to_string()))
        }
    }

    /// The doc tests, which have no runner of their own: where nextest is told to try a failed test
    /// again, they are tried again, too, all of them, and only the last try counts.
    fn doc_tests(&self, counts: &mut Counts) -> Result<(), Failure> {
        let mut retries = retries(std::env::var("NEXTEST_RETRIES").ok().as_deref());
        let mut failed_before = false;
        loop {
            let mut these = Counts::default();
            let result = self.run(doc_tests_command(self.plan), &mut these);
            match result {
                Err(Failure::Broken(reason)) if retries > 0 => {
                    eprintln!("    doc tests: {reason}, trying them again");
                    retries -= 1;
                    failed_before = true;
                }
                result => {
                    if failed_before && result.is_ok() {
                        println!("   FLAKY doc tests");
                    }
                    counts.add(&these);
                    return result;
                }
            }
        }
    }
}

/// How often a failed test is tried again; nothing unless the variable is a number.
fn retries(variable: Option<&str>) -> u32 {
    variable
        .and_then(|count| count.parse().ok())
        .unwrap_or_default()
}

fn doc_tests_command(plan: &Plan) -> Command {
    let mut command = cargo();
    command.args([
        "test",
        "--doc",
        "--no-fail-fast",
        "--quiet",
        "--all-features",
    ]);
    command.args(plan.doc_selection());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_tried_again_only_where_a_number_says_so() {
        assert_eq!(retries(None), 0);
        assert_eq!(retries(Some("")), 0);
        assert_eq!(retries(Some("often")), 0);
        assert_eq!(retries(Some("1")), 1);
    }
}
