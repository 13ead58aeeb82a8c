//! storm as a user meets it: a command with flags, reports and exit codes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod browser;
mod soak;
mod target;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

fn storm(args: &[&str]) -> Output {
    // Reports that nobody asked for go where nobody keeps anything.
    let folder = env!("CARGO_TARGET_TMPDIR");
    let mut command = Command::new(PROGRAM);
    command.args(args).current_dir(folder).output().unwrap()
}

#[test]
fn the_list_names_each_scenario_with_its_claim() {
    let output = storm(&["--list"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = text
        .lines()
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "garbage",
            "burst",
            "layers",
            "spoof",
            "many-keys",
            "forgery",
            "duplicates",
            "disconnect",
            "crash",
            "two-replicas",
            "store-outage",
            "slow-handler",
            "deadline",
            "outage",
            "partial",
            "slow-client",
            "probes",
            "drain",
            "leak",
            "crowd"
        ]
    );
    assert!(
        text.lines().all(|line| line.split_whitespace().count() > 5),
        "{text}"
    );
}

#[test]
fn bad_usage_is_one_line_and_exit_code_2() {
    for (args, named) in [
        (&["--only", "hail"][..], "hail"),
        (&["--seed", "x"], "--seed"),
        (&["--framework", "rocket"], "rocket"),
        (&["--target", "http://10.0.0.1:80"], "10.0.0.1"),
        (
            &["--html", "/proc/nowhere/report.html"],
            "/proc/nowhere/report.html",
        ),
    ] {
        let output = storm(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(
            stderr.contains(named) && stderr.contains("expected"),
            "{stderr}"
        );
    }
}

#[test]
fn the_bare_service_leaks_every_kind_and_the_reports_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (json, html) = (path("storm.json"), path("storm.html"));
    let output = storm(&[
        "--quick", "--only", "leak", "--json", &json, "--html", &html,
    ]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");

    let report: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let scenarios = report["scenarios"].as_array().unwrap();
    assert_eq!(scenarios.len(), 1);
    assert_eq!(scenarios[0]["name"], "leak");
    assert_eq!(
        scenarios[0]["bare"]["canary_kinds"]
            .as_array()
            .unwrap()
            .len(),
        6
    );
    assert_eq!(report["verdict"] == "held", output.status.code() == Some(0));
    assert!(
        fs::read_to_string(html)
            .unwrap()
            .contains("<section id=\"leak\">")
    );
}

/// A shop that does not know a framework refuses to start, and then nothing was shown.
#[test]
fn a_framework_is_run_or_refused_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (json, html) = (path("storm.json"), path("storm.html"));
    let output = storm(&[
        "--quick",
        "--only",
        "partial",
        "--framework",
        "actix",
        "--json",
        &json,
        "--html",
        &html,
    ]);
    if output.status.code() == Some(3) {
        let stderr = String::from_utf8(output.stderr).unwrap();
        let last = stderr.lines().last().unwrap();
        assert!(last.contains("the hardened shop does not start"), "{last}");
        assert!(last.contains("--framework `actix`"), "{last}");
        return;
    }
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    let report: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(report["framework"], "actix");
}

#[test]
fn an_interrupt_ends_the_children_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut storm = Command::new(PROGRAM)
        .args([
            "--only",
            "slow-handler",
            "--json",
            &path("a.json"),
            "--html",
            &path("a.html"),
        ])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let children = within_ten_seconds(|| {
        let children = children_of(storm.id());
        (children.len() == 2).then_some(children)
    });

    let sent = Command::new("kill")
        .args(["-INT", &storm.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    assert_eq!(storm.wait().unwrap().code(), Some(3));
    within_ten_seconds(|| {
        let gone = |pid: &u32| !Path::new(&format!("/proc/{pid}")).exists();
        children.iter().all(gone).then_some(())
    });
}

/// Asks again and again, as a process cannot be told to be quick.
fn within_ten_seconds<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "not within ten seconds");
        thread::sleep(Duration::from_millis(20));
    }
}

fn children_of(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok())
        .flat_map(|line| {
            line.split_whitespace()
                .map(|pid| pid.parse().unwrap())
                .collect::<Vec<_>>()
        })
        .collect()
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_storm");
