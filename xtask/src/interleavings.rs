//! `cargo xtask loom` and `cargo xtask shuttle`: the crates whose lock-free code is explored
//! schedule by schedule, each tool under its own cfg.

use std::process::Command;

use crate::{
    args,
    counts::Counts,
    failure::Failure,
    process,
    steps::Steps,
    workspace::{Package, Workspace, cargo},
};

pub(crate) const LOOM_USAGE: &str = "loom [CRATE]
runs the loom models (test targets and unit tests named loom*) of the crates that depend on loom;
LOOM_MAX_PREEMPTIONS bounds models that set no bound themselves (default 3)";

pub(crate) const SHUTTLE_USAGE: &str = "shuttle [CRATE]
runs the shuttle tests (test targets and unit tests named shuttle*) of the crates that depend on
shuttle";

pub(crate) fn loom(words: lexopt::Parser) -> Result<(), Failure> {
    run(words, "loom")
}

pub(crate) fn shuttle(words: lexopt::Parser) -> Result<(), Failure> {
    run(words, "shuttle")
}

fn run(mut words: lexopt::Parser, tool: &'static str) -> Result<(), Failure> {
    let chosen = args::at_most_one(&mut words, "one crate")?;
    let workspace = Workspace::load()?;
    let packages = match chosen {
        Some(name) => {
            let package = workspace.named(&name)?;
            if !declares(package, tool) {
                let declaring: Vec<_> = declaring(&workspace, tool).map(|p| &*p.name).collect();
                return Err(Failure::usage(format!(
                    "{} does not depend on {tool}; those that do: {}",
                    package.name,
                    if declaring.is_empty() {
                        "none".to_owned()
                    } else {
                        declaring.join(", ")
                    }
                )));
            }
            vec![package]
        }
        None => declaring(&workspace, tool).collect(),
    };
    if packages.is_empty() {
        println!("{tool}: no crate depends on {tool}");
        return Ok(());
    }

    let mut steps = Steps::new(tool, packages.len());
    for package in packages {
        steps.run(&package.name, || {
            let mut counts = Counts::default();
            let status = process::run(&mut command(&workspace, package, tool), &mut |line| {
                counts.read(line);
            })?;
            if !status.success() {
                return Err(Failure::broken(status.to_string()));
            }
            // A cfg that is spelled wrong would explore nothing and pass.
            if counts.passed == 0 {
                return Err(Failure::broken(format!(
                    "depends on {tool}, but no test of it ran"
                )));
            }
            Ok(())
        })?;
    }
    steps.finish()
}

fn declaring<'a>(workspace: &'a Workspace, tool: &str) -> impl Iterator<Item = &'a Package> {
    workspace
        .packages
        .iter()
        .filter(move |package| declares(package, tool))
}

fn declares(package: &Package, tool: &str) -> bool {
    package
        .dependencies
        .iter()
        .any(|dependency| dependency.name == tool)
}

fn command(workspace: &Workspace, package: &Package, tool: &str) -> Command {
    // What the user has in RUSTFLAGS stays; the cfg goes behind it.
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    let mut command = cargo();
    command
        .env("RUSTFLAGS", format!("{flags} --cfg {tool}").trim())
        // The cfg changes every dependency's fingerprint: a folder of its own keeps the others'.
        .env("CARGO_TARGET_DIR", workspace.target_directory.join(tool))
        // Optimised, or else a model takes minutes.
        .args(["test", "--release", "-p", &package.name])
        .args(selection(package, tool));
    if tool == "loom" && std::env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
        command.env("LOOM_MAX_PREEMPTIONS", "3");
    }
    command
}

/// Other targets may not even compile under the cfg, so those that are meant are named. A filter
/// would apply to all of them: it is used where unit tests are all there is.
fn selection(package: &Package, tool: &str) -> Vec<String> {
    let tests = package
        .targets
        .iter()
        .filter(|target| target.kind.iter().any(|k| k == "test"));
    let named = tests.filter(|target| target.name.starts_with(tool));
    let mut options: Vec<_> = named
        .flat_map(|target| ["--test".to_owned(), target.name.clone()])
        .collect();
    if options.is_empty() {
        options.extend(["--lib".to_owned(), tool.to_owned()]);
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(targets: &str) -> Package {
        let json = format!(
            r#"{{"workspace_root": "/w", "target_directory": "/t", "packages": [
                {{"name": "seawall-breaker", "manifest_path": "/w/crates/breaker/Cargo.toml",
                  "dependencies": [{{"name": "loom", "req": "^0.7"}}],
                  "targets": [{targets}]}}]}}"#
        );
        Workspace::parse(json.as_bytes())
            .unwrap()
            .packages
            .remove(0)
    }

    #[test]
    fn a_crate_declares_a_tool_by_depending_on_it() {
        let package = package("");
        assert!(declares(&package, "loom"));
        assert!(!declares(&package, "shuttle"));
    }

    #[test]
    fn test_targets_that_carry_the_name_are_selected() {
        let package = package(
            r#"{"name": "loom_ring", "kind": ["test"]}, {"name": "it", "kind": ["test"]},
               {"name": "loom", "kind": ["bench"]}"#,
        );
        assert_eq!(selection(&package, "loom"), ["--test", "loom_ring"]);
    }

    #[test]
    fn without_such_a_target_unit_tests_are_filtered_by_name() {
        let package = package(r#"{"name": "it", "kind": ["test"]}"#);
        assert_eq!(selection(&package, "loom"), ["--lib", "loom"]);
    }
}
