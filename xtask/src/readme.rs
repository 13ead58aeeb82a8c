//! What the README says in figures: the crates that each crate brings, and the oldest Rust.

use std::{collections::BTreeMap, fs};

use crate::{failure::Failure, tree, workspace::Workspace};

/// Compares the README with the workspace.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let text = read(workspace, "README.md")?;
    let mut counts = BTreeMap::new();
    for package in workspace.published() {
        counts.insert(package.name.as_str(), tree::count(package)?);
    }
    let mut faults = table_faults(workspace, &text, &counts);
    let manifest = read(workspace, "Cargo.toml")?;
    faults.extend(promise_faults(workspace, &text, &manifest));
    if faults.is_empty() {
        return Ok(());
    }
    for fault in &faults {
        eprintln!("    README.md: {fault}");
    }
    Err(Failure::broken(format!(
        "README.md: {} of its statements do not hold",
        faults.len()
    )))
}

fn read(workspace: &Workspace, name: &str) -> Result<String, Failure> {
    fs::read_to_string(workspace.root.join(name))
        .map_err(|error| Failure::broken(format!("{name}: {error}")))
}

/// Compares the rows of the table of crates, `` | [`seawall-web`](crates/web) | 9 | … ``.
fn table_faults(workspace: &Workspace, text: &str, counts: &BTreeMap<&str, usize>) -> Vec<String> {
    let mut rows: BTreeMap<&str, &str> = text.lines().filter_map(row).collect();
    let mut faults = Vec::new();
    // A crate of macros stands in the row of the crate that shows them.
    for package in workspace.published().filter(|p| !p.is_macro()) {
        let (name, folder) = (package.name.as_str(), package.folder(workspace).display());
        let brings = counts.get(name).copied().unwrap_or_default();
        match rows.remove(name) {
            Some(told) if told == brings.to_string() => {}
            Some(told) => faults.push(format!(
                "the table says that {name} brings `{told}` crates, and `cargo xtask tree` counts \
                 {brings}"
            )),
            None => faults.push(format!(
                "the table has no row for {name}: expected \
                 `| [`{name}`]({folder}) | {brings} | its question |`"
            )),
        }
    }
    let strangers = rows.into_keys();
    faults.extend(strangers.map(|name| format!("the table has {name}, which is not published")));
    faults
}

/// The crate and its count.
fn row(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("| [`")?;
    let (name, rest) = rest.split_once("`](")?;
    let mut cells = rest.split('|').skip(1);
    name.starts_with("seawall-")
        .then_some((name, cells.next()?.trim()))
}

fn promise_faults(workspace: &Workspace, text: &str, manifest: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let oldest = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .map_or("", |version| version.trim_matches('"'));
    if !text.contains(&format!("minimum Rust version is {oldest};")) {
        faults.push(format!(
            "expected `The minimum Rust version is {oldest};`, as Cargo.toml has it"
        ));
    }
    for name in [
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "SECURITY.md",
        "CONTRIBUTING.md",
    ] {
        if !text.contains(&format!("]({name})")) {
            faults.push(format!("does not link to {name}"));
        }
        if !workspace.root.join(name).is_file() {
            faults.push(format!("{name} does not exist"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(table: &str) -> Vec<String> {
        let json = r#"{"workspace_root": "/w", "target_directory": "/t", "packages": [
            {"name": "seawall-errors", "manifest_path": "/w/crates/errors/Cargo.toml"},
            {"name": "seawall-errors-derive", "manifest_path": "/w/crates/errors-derive/Cargo.toml",
             "targets": [{"name": "seawall_errors_derive", "kind": ["proc-macro"]}]},
            {"name": "shop", "manifest_path": "/w/examples/shop/Cargo.toml", "publish": []}]}"#;
        let workspace = Workspace::parse(json.as_bytes()).unwrap();
        let counts = BTreeMap::from([("seawall-errors", 6), ("seawall-errors-derive", 4)]);
        table_faults(&workspace, table, &counts)
    }

    #[test]
    fn a_row_for_each_crate_with_its_count_is_all() {
        let table = "| crate | brings | question |\n|---|--:|---|\n\
                     | [`seawall-errors`](crates/errors) | 6 | how? |\n";
        assert_eq!(found(table), [""; 0]);
    }

    #[test]
    fn a_wrong_count_is_told_with_the_right_one() {
        assert_eq!(
            found("| [`seawall-errors`](crates/errors) | 5 | how? |\n"),
            [
                "the table says that seawall-errors brings `5` crates, and `cargo xtask tree` \
                 counts 6"
            ]
        );
    }

    #[test]
    fn a_missing_row_is_told_as_it_should_be_and_a_stranger_is_named() {
        assert_eq!(
            found("| [`seawall-gone`](crates/gone) | 5 | how? |\n"),
            [
                "the table has no row for seawall-errors: expected \
                 `| [`seawall-errors`](crates/errors) | 6 | its question |`",
                "the table has seawall-gone, which is not published"
            ]
        );
    }
}
