//! Instructions an operation, counted by callgrind: they do not depend on what else the machine
//! does, so they can be compared from one day to the next.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    failure::Failure,
    process,
    workspace::{Workspace, cargo},
};

/// Prints a row a side. Waiting, threads and figures have no instructions an operation.
pub(super) fn run(workspace: &Workspace, only: &[String]) -> Result<(), Failure> {
    if !valgrind_is_installed() {
        return Err(Failure::broken(
            "valgrind is not installed: install the package `valgrind`, or leave --instructions out",
        ));
    }
    let mut build = cargo();
    build.args([
        "build",
        "--quiet",
        "--profile=bench",
        "-p",
        "seawall-benches",
    ]);
    let status = process::run(&mut build, &mut |_| {})?;
    if !status.success() {
        return Err(Failure::broken(format!(
            "the benches do not build: {status}"
        )));
    }
    let program = workspace.target_directory.join("release/compare");

    println!(
        "{:<44} {:<28} {:>14}  of the peer",
        "case", "side", "instructions"
    );
    for (case, peers) in listed(&program, only)? {
        let Some(ours) = an_operation(&program, &case, "ours")? else {
            continue;
        };
        println!("{case:<44} {:<28} {ours:>14.1}", "ours");
        for peer in peers {
            if let Some(theirs) = an_operation(&program, &case, &peer)? {
                println!("{case:<44} {peer:<28} {theirs:>14.1}  {:.2}", ours / theirs);
            }
        }
    }
    Ok(())
}

fn valgrind_is_installed() -> bool {
    let mut command = Command::new("valgrind");
    command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn listed(program: &Path, only: &[String]) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let mut command = Command::new(program);
    command.arg("--list");
    for area in only {
        command.args(["--only", area]);
    }
    let mut cases = Vec::new();
    let status = process::run_reading_stdout(&mut command, &mut |line| {
        if let Some((case, peers)) = line.trim_end().split_once(": ") {
            cases.push((
                case.to_owned(),
                peers.split(", ").map(str::to_owned).collect(),
            ));
        }
    })?;
    match status.code() {
        Some(0) => Ok(cases),
        Some(2) => Err(Failure::usage(
            "the benches refused the command line, see above",
        )),
        _ => Err(Failure::broken(status.to_string())),
    }
}

/// The difference between a long and a short run is free of the setup. `None`: no loop of one
/// thread.
fn an_operation(program: &Path, case: &str, side: &str) -> Result<Option<f64>, Failure> {
    let Some(short) = collected(program, case, side, SHORT)? else {
        return Ok(None);
    };
    let Some(long) = collected(program, case, side, LONG)? else {
        return Ok(None);
    };
    Ok(Some((long - short) / f64::from(LONG - SHORT)))
}

const SHORT: u32 = 500;
const LONG: u32 = 1500;

fn collected(
    program: &Path,
    case: &str,
    side: &str,
    operations: u32,
) -> Result<Option<f64>, Failure> {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program);
    command.args(["run", case, side, &operations.to_string()]);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::broken(format!("valgrind did not start: {error}")))?;
    process::check_interrupt()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    match (output.status.code(), total(&stderr)) {
        (Some(0), Some(total)) => Ok(Some(total)),
        (Some(3), _) => Ok(None),
        _ => Err(Failure::broken(format!(
            "{case}, {side}, under callgrind:\n{}",
            stderr.trim_end()
        ))),
    }
}

/// The figure of the line `==123== Collected : 456`.
fn total(stderr: &str) -> Option<f64> {
    stderr
        .lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_from_callgrinds_summary() {
        let summary = "==7== Events    : Ir\n==7== Collected : 1234567\n==7== \n";
        assert_eq!(total(summary), Some(1_234_567.0));
        assert_eq!(total("==7== Command: x\n"), None);
    }
}
