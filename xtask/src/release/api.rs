//! The public items of each crate against the list in `docs/api`: an item comes, changes or goes in
//! a diff that somebody has read.

use std::{collections::BTreeSet, fs, path::Path};

use serde::Deserialize;

use super::{packaging::all_well, rustdoc};
use crate::{
    failure::Failure,
    workspace::{Package, Workspace},
};

/// What to do about a list that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Golden {
    Compare,
    Rewrite,
}

/// What was skipped, if anything.
pub(super) fn check(workspace: &Workspace, golden: Golden) -> Result<Option<String>, Failure> {
    rustdoc::data(workspace)?;
    let folder = workspace.root.join("docs/api");
    let mut faults = Vec::new();
    for package in workspace.published() {
        let json = rustdoc::data_file(workspace, package);
        if let Some(stranger) = unreadable(&read(&json)?) {
            return Ok(Some(stranger));
        }
        let items = items(&json)?;
        let path = folder.join(file_name(package));
        match golden {
            Golden::Rewrite => write(&path, &items)?,
            Golden::Compare => faults.extend(compare(package, &path, &items)),
        }
    }
    faults.extend(orphans(workspace, &folder));
    all_well(&faults)?;
    Ok(None)
}

fn file_name(package: &Package) -> String {
    format!("{}.txt", package.name)
}

/// The formats that the reader of this version knows. Another compiler may write another one.
const FORMATS: std::ops::RangeInclusive<u32> = 57..=59;

fn unreadable(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        format_version: u32,
    }
    let Ok(Head { format_version }) = serde_json::from_str(json) else {
        return Some("rustdoc writes no format version".to_owned());
    };
    (!FORMATS.contains(&format_version)).then(|| {
        format!(
            "this rustdoc writes format {format_version}, and formats {} to {} are read",
            FORMATS.start(),
            FORMATS.end()
        )
    })
}

fn items(json: &Path) -> Result<String, Failure> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .build()
        .map_err(|error| Failure::broken(format!("rustdoc's JSON: {error}")))?;
    let lines: BTreeSet<_> = api
        .items()
        .map(ToString::to_string)
        .filter(|line| !is_incidental(line))
        .collect();
    Ok(lines.into_iter().map(|line| line + "\n").collect())
}

/// Auto traits that nobody writes bounds on: they follow the insides of dependencies.
fn is_incidental(line: &str) -> bool {
    let names = ["Freeze", "UnsafeUnpin", "RefUnwindSafe", "UnwindSafe"];
    line.starts_with("impl")
        && names.iter().any(|name| {
            line.contains(&format!("core::marker::{name} for "))
                || line.contains(&format!("core::panic::unwind_safe::{name} for "))
        })
}

fn compare(package: &Package, path: &Path, items: &str) -> Vec<String> {
    let Ok(golden) = fs::read_to_string(path) else {
        return vec![format!(
            "{}: docs/api/{} is missing: `cargo xtask release --dry-run --bless` writes it",
            package.name,
            file_name(package)
        )];
    };
    let changes = changes(&golden, items);
    if changes.is_empty() {
        return Vec::new();
    }
    for change in changes.iter().take(SHOWN) {
        eprintln!("    {}: {change}", package.name);
    }
    vec![format!(
        "{}: {} public items differ from docs/api/{}: `--bless` rewrites it, and CHANGELOG.md \
         tells users",
        package.name,
        changes.len(),
        file_name(package)
    )]
}

const SHOWN: usize = 20;

fn changes(golden: &str, items: &str) -> Vec<String> {
    let (before, after): (BTreeSet<_>, BTreeSet<_>) =
        (golden.lines().collect(), items.lines().collect());
    let gone = before.difference(&after).map(|line| format!("- {line}"));
    let new = after.difference(&before).map(|line| format!("+ {line}"));
    gone.chain(new).collect()
}

/// Lists of crates that are not published, or not any more.
fn orphans(workspace: &Workspace, folder: &Path) -> Vec<String> {
    let known: BTreeSet<_> = workspace.published().map(file_name).collect();
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .filter(|name| !known.contains(name))
        .map(|name| format!("docs/api/{name} is of no published crate"))
        .collect()
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::broken(format!("{}: {error}", path.display())))
}

fn write(path: &Path, items: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, items))
        .map_err(|error| Failure::broken(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_and_what_is_new_is_shown() {
        assert_eq!(
            changes("pub fn a()\npub fn b()\n", "pub fn b()\npub fn b(u8)\n"),
            ["- pub fn a()", "+ pub fn b(u8)"]
        );
        assert_eq!(changes("pub fn a()\n", "pub fn a()\n"), [""; 0]);
    }

    #[test]
    fn send_matters_and_unwinding_does_not() {
        assert!(!is_incidental("impl core::marker::Send for a::B"));
        assert!(!is_incidental("pub fn a::freeze()"));
        assert!(is_incidental("impl<T> core::marker::Freeze for a::B<T>"));
        assert!(is_incidental(
            "impl !core::panic::unwind_safe::RefUnwindSafe for a::B"
        ));
    }

    #[test]
    fn a_format_that_is_not_known_is_told() {
        assert_eq!(unreadable(r#"{"root": 1, "format_version": 57}"#), None);
        let told = unreadable(r#"{"root": 1, "format_version": 12}"#).unwrap();
        assert!(told.contains("format 12"), "{told}");
    }
}
