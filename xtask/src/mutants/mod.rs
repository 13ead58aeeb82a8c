//! `cargo xtask mutants`: breaks the pure files on purpose, by cargo-mutants, and lists what no
//! test notices.

mod list;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use lexopt::Arg;
use list::{Entry, List};

use crate::{
    args,
    failure::Failure,
    process,
    steps::Steps,
    workspace::{Workspace, cargo},
};

pub(crate) const USAGE: &str = "mutants [--only CRATE]...
runs cargo-mutants over the pure files listed in mutants.toml and fails on every surviving mutant
that is not accepted there with a reason";

pub(crate) fn run(mut words: lexopt::Parser) -> Result<(), Failure> {
    let mut only = Vec::new();
    while let Some(word) = args::next(&mut words)? {
        match word {
            Arg::Long("only") => only.push(args::text(&mut words, "the name of a crate")?),
            other => return Err(args::unexpected(&other, "`--only CRATE` or nothing")),
        }
    }
    let workspace = Workspace::load()?;
    let list = List::read(&workspace.root)?;
    let entries = list.only(&only)?;
    if !installed("mutants") {
        return Err(Failure::broken(
            "cargo-mutants is not installed: `cargo install --locked cargo-mutants` brings it, in \
             a few minutes",
        ));
    }

    let mut steps = Steps::new("mutants", entries.len());
    for entry in entries {
        steps.run(&entry.name, || examine(&workspace, entry))?;
    }
    steps.finish()
}

fn installed(subcommand: &str) -> bool {
    let mut command = cargo();
    command
        .args([subcommand, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn examine(workspace: &Workspace, entry: &Entry) -> Result<(), Failure> {
    let output = workspace.target_directory.join("mutants").join(&entry.name);
    fs::create_dir_all(&output)
        .map_err(|error| Failure::broken(format!("{}: {error}", output.display())))?;
    let status = process::run(&mut command(&workspace.root, entry, &output), &mut |_| {})?;
    match status.code() {
        // 2: some survived. 3: some ran into the time limit, which is a way of being caught.
        Some(0 | 2 | 3) => {}
        Some(4) => return Err(Failure::broken("the tests fail without any mutant")),
        _ => return Err(Failure::broken(format!("cargo-mutants: {status}"))),
    }
    let survivors = fs::read_to_string(output.join("mutants.out/missed.txt"))
        .map_err(|error| Failure::broken(format!("missed.txt of cargo-mutants: {error}")))?;
    report(entry, &survivors)
}

fn command(root: &Path, entry: &Entry, output: &Path) -> Command {
    let mut command = cargo();
    command
        .current_dir(root)
        // Each mutant is compiled, run once and thrown away: nobody debugs it, and what a property
        // finds wrong with it need not be small.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("PROPTEST_MAX_SHRINK_ITERS", "0")
        .arg("mutants")
        .args(["--package", &entry.package()]);
    for file in entry.paths() {
        command.arg("--file").arg(file);
    }
    if installed("nextest") {
        command.arg("--test-tool=nextest");
    }
    command
        .args([
            "--all-features",
            "--no-shuffle",
            // Test modules under a `cfg` that it does not take for one.
            "--exclude-re=tests::",
            "--colors=never",
            "--output",
        ])
        .arg(output);
    if entry.unit_tests_only {
        command.args(["--", "--lib"]);
    }
    command
}

/// Compares what survived with what is accepted.
fn report(entry: &Entry, survivors: &str) -> Result<(), Failure> {
    let survivors: Vec<_> = survivors
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let found = entry.compare(&survivors);
    for (line, reason) in &found.accepted {
        eprintln!("    accepted: {line}\n              {reason}");
    }
    for line in &found.unexplained {
        eprintln!("    SURVIVED: {line}");
    }
    for mutant in &found.stale {
        eprintln!("    accepted in mutants.toml, but caught by now: {mutant}");
    }
    // An acceptance that is no longer needed would hide the next mutant of that name.
    match (found.unexplained.len(), found.stale.len()) {
        (0, 0) => Ok(()),
        (survived, stale) => Err(Failure::broken(format!(
            "{survived} survived without a reason, {stale} accepted without need"
        ))),
    }
}
