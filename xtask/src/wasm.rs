//! `cargo xtask wasm`: the leaves that promise to work without a runtime compile for the web, or
//! at least bring nothing that could not.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

use crate::{
    args, arrows,
    failure::Failure,
    process,
    steps::Steps,
    workspace::{Package, Workspace, cargo},
};

pub(crate) const USAGE: &str = "wasm
compiles the leaves without a runtime for wasm32-unknown-unknown; where that target is not
installed, checks the crates that they bring against a list of those known to compile there";

pub(crate) fn run(mut words: lexopt::Parser) -> Result<(), Failure> {
    if let Some(word) = args::next(&mut words)? {
        return Err(args::unexpected(&word, "nothing"));
    }
    check(&Workspace::load()?).map(|_| ())
}

/// What was not checked, if anything.
pub(crate) fn check(workspace: &Workspace) -> Result<Option<String>, Failure> {
    let leaves: Vec<_> = arrows::leaves_without_runtime(workspace).collect();
    let installed = target_is_installed();
    if !installed {
        eprintln!(
            "wasm: NOT COMPILED, since the target {TARGET} is not installed (`rustup target add \
             {TARGET}`); only the list of dependencies is checked"
        );
    }

    let mut steps = Steps::new("wasm", leaves.len());
    for leaf in leaves {
        steps.run(&leaf.name, || {
            if installed {
                compile(leaf)
            } else {
                check_tree(leaf)
            }
        })?;
    }
    steps.finish()?;
    Ok((!installed)
        .then(|| format!("the target {TARGET} is not installed, so nothing was compiled")))
}

const TARGET: &str = "wasm32-unknown-unknown";

/// The standard library lies in a folder of the target's name.
fn target_is_installed() -> bool {
    let mut command = Command::new("rustc");
    command
        .args(["--print", "target-libdir", "--target", TARGET])
        .stderr(Stdio::null());
    command.output().is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        !folder.is_empty() && std::path::Path::new(&folder).is_dir()
    })
}

fn compile(leaf: &Package) -> Result<(), Failure> {
    let mut command = cargo();
    command.args([
        "check", "--quiet", "--lib", "--target", TARGET, "-p", &leaf.name,
    ]);
    let status = process::run(&mut command, &mut |_| {})?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::broken("does not compile"))
    }
}

fn check_tree(leaf: &Package) -> Result<(), Failure> {
    let mut command = cargo();
    command.args([
        "tree",
        "-p",
        &leaf.name,
        "--target",
        TARGET,
        "--edges=no-dev",
    ]);
    command.args(["--prefix=none", "--format={p}", "--color=never"]);
    let mut tree = String::new();
    let status = process::run_reading_stdout(&mut command, &mut |line| tree.push_str(line))?;
    if !status.success() {
        return Err(Failure::broken(format!("cargo tree: {status}")));
    }
    let strangers = strangers(&tree);
    if strangers.is_empty() {
        return Ok(());
    }
    Err(Failure::broken(format!(
        "brings {}: add to KNOWN in xtask/src/wasm.rs what is known to compile for {TARGET}",
        strangers.into_iter().collect::<Vec<_>>().join(", ")
    )))
}

/// The crates of a flat tree that nobody has looked at yet.
fn strangers(tree: &str) -> BTreeSet<&str> {
    // A crate's line is its name and its version; anything else is cargo speaking, such as of a lock
    // that it waits for.
    let names = tree.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        words.next()?.starts_with('v').then_some(name)
    });
    names
        .filter(|name| !name.starts_with("seawall-") && !KNOWN.contains(name))
        .collect()
}

/// Pure code without system calls. What is here was looked at; what is not, was not.
const KNOWN: &[&str] = &[
    "arrayvec",
    "base64ct",
    "block-buffer",
    "cfg-if",
    "cmov",
    "crypto-common",
    "ctutils",
    "digest",
    "hmac",
    "hybrid-array",
    "itoa",
    "memchr",
    "pin-project",
    "pin-project-internal",
    "pin-project-lite",
    "proc-macro2",
    "quote",
    "ryu",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "sha2",
    "subtle",
    "syn",
    "typenum",
    "unicode-ident",
    "zeroize",
    "zmij",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_that_nobody_has_looked_at_is_named() {
        let tree = "Blocking waiting for file lock\nseawall-errors v0.1.0 (/w)\nserde v1.0.0\nmio v1.0.0\nmio v1.0.0 (*)\n";
        assert_eq!(strangers(tree).into_iter().collect::<Vec<_>>(), ["mio"]);
    }

    #[test]
    fn the_list_is_sorted_so_that_a_name_is_found() {
        assert!(KNOWN.is_sorted());
    }
}
