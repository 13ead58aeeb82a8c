//! `cargo xtask tree`: how many crates each published crate brings along.

use std::collections::BTreeSet;

use crate::{
    args,
    failure::Failure,
    readme,
    workspace::{Package, Workspace, cargo},
};

pub(crate) const USAGE: &str = "tree [CRATE]
counts the crates that each published crate brings with its default features; a leaf, which
depends on no other member, brings 25 at most. The counts in README.md are these";

pub(crate) fn run(mut words: lexopt::Parser) -> Result<(), Failure> {
    let chosen = args::at_most_one(&mut words, "one crate")?;
    let workspace = Workspace::load()?;
    let whole = chosen.is_none();
    let packages: Vec<_> = match chosen {
        Some(name) => vec![workspace.named(&name)?],
        None => workspace.published().collect(),
    };

    let mut too_many = Vec::new();
    println!("{:<26} {:>6}  bound", "crate", "brings");
    for package in packages {
        let count = count(package)?;
        let bound = is_leaf(&workspace, package).then_some(LEAF_BOUND);
        let shown = bound.map_or_else(|| "-".to_owned(), |bound| bound.to_string());
        println!("{:<26} {count:>6}  {shown}", package.name);
        if bound.is_some_and(|bound| count > bound) {
            too_many.push(format!("{} brings {count}", package.name));
        }
    }
    if too_many.is_empty() {
        return if whole {
            readme::check(&workspace)
        } else {
            Ok(())
        };
    }
    Err(Failure::broken(format!(
        "a leaf brings at most {LEAF_BOUND} crates: {}",
        too_many.join(", ")
    )))
}

/// What `cargo add` of one leaf may put into somebody's tree.
const LEAF_BOUND: usize = 25;

/// Counts everything that is compiled for a user: build scripts' and macros' crates too.
pub(crate) fn count(package: &Package) -> Result<usize, Failure> {
    let mut command = cargo();
    command.args([
        "tree",
        "-p",
        &package.name,
        "--edges=no-dev",
        "--prefix=none",
    ]);
    command.args(["--format={p}", "--color=never"]);
    let output = command
        .output()
        .map_err(|error| Failure::broken(format!("cargo tree did not start: {error}")))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::broken(format!(
            "cargo tree failed:\n{}",
            stderr.trim_end()
        )));
    }
    Ok(brought(&String::from_utf8_lossy(&output.stdout)))
}

/// The number of different crates in a flat tree, the first line's own not counted.
fn brought(tree: &str) -> usize {
    // `name v1.2.3`, then perhaps ` (proc-macro)`, a path, or ` (*)` where it was shown before.
    let identity = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    let crates: BTreeSet<_> = tree.lines().filter_map(identity).collect();
    crates.len().saturating_sub(1)
}

fn is_leaf(workspace: &Workspace, package: &Package) -> bool {
    let derive = format!("{}-derive", package.name);
    workspace
        .closure(package)
        .into_iter()
        .all(|name| name == package.name || name == derive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crate_is_counted_once() {
        let tree = "seawall-errors v0.1.0 (/w/crates/errors)\nserde v1.0.2\n\
                    serde_derive v1.0.2 (proc-macro)\nsyn v2.0.1\n\nserde v1.0.2 (*)\n";
        assert_eq!(brought(tree), 3);
    }

    #[test]
    fn two_versions_are_two_crates() {
        assert_eq!(brought("a v0.1.0\nhttp v0.2.1\nhttp v1.1.0\n"), 2);
    }

    #[test]
    fn a_leaf_is_what_depends_on_no_member_but_its_derive() {
        let json = r#"{"workspace_root": "/w", "target_directory": "/t", "packages": [
            {"name": "seawall-errors", "manifest_path": "/w/crates/errors/Cargo.toml",
             "dependencies": [{"name": "seawall-errors-derive", "req": "^0.1", "path": "/"}]},
            {"name": "seawall-errors-derive", "manifest_path": "/w/crates/e/Cargo.toml"},
            {"name": "seawall-web", "manifest_path": "/w/crates/web/Cargo.toml",
             "dependencies": [{"name": "seawall-errors", "req": "^0.1", "path": "/"}]}]}"#;
        let workspace = Workspace::parse(json.as_bytes()).unwrap();
        let leaf = |name| is_leaf(&workspace, workspace.package(name).unwrap());
        assert!(leaf("seawall-errors"));
        assert!(!leaf("seawall-web"));
    }
}
