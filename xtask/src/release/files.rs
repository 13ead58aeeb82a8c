//! Which files belong into a package: sources, what sources include, the texts and the licences.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// What is wrong with the files of one unpacked package. `root` has the licences that all share.
pub(super) fn faults(package: &Path, root: &Path) -> Result<Vec<String>, Failure> {
    let failure = |error: io::Error| Failure::broken(format!("{}: {error}", package.display()));
    let files = listed(package).map_err(failure)?;
    let included = included(package, &files).map_err(failure)?;

    let mut faults = Vec::new();
    for name in TEXTS {
        if !files.contains(Path::new(name)) {
            faults.push(format!("{name} is missing in the package"));
        }
    }
    for name in LICENCES {
        let ours = fs::read(root.join(name)).map_err(failure)?;
        match fs::read(package.join(name)) {
            Ok(theirs) if theirs == ours => {}
            Ok(_) => faults.push(format!("{name} is not that of the workspace")),
            Err(_) => faults.push(format!(
                "{name} is missing in the package: `cp ../../{name} .` beside its Cargo.toml, \
                 and \"/LICENSE-*\" in `include`"
            )),
        }
    }
    for file in &files {
        if !belongs(file, &included) {
            faults.push(format!(
                "{} does not belong into the package",
                file.display()
            ));
        }
    }
    Ok(faults)
}

fn belongs(file: &Path, included: &BTreeSet<PathBuf>) -> bool {
    let is_source = file.starts_with("src") && file.extension().is_some_and(|e| e == "rs");
    let is_known = [&TEXTS[..], &LICENCES, &BY_CARGO]
        .iter()
        .any(|names| names.iter().any(|name| file == Path::new(name)));
    is_source || is_known || included.contains(file)
}

/// The files that sources take in by `include_str!` or `include_bytes!`, and those that lie where a
/// macro puts the name in.
fn included(package: &Path, files: &BTreeSet<PathBuf>) -> io::Result<BTreeSet<PathBuf>> {
    let sources = files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "rs"));
    let mut found = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(package.join(source))?;
        if !(text.contains("include_str!(") || text.contains("include_bytes!(")) {
            continue;
        }
        let folder = source.parent().unwrap_or(Path::new(""));
        let beside = files.iter().filter(|file| file.parent() == Some(folder));
        found.extend(beside.filter(|file| names(&text, file)).cloned());
    }
    Ok(found)
}

/// Whether the text has the file's name as a string.
fn names(text: &str, file: &Path) -> bool {
    file.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| text.contains(&format!("\"{name}\"")))
}

fn listed(package: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(package.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                found.insert(path);
            }
        }
    }
    Ok(found)
}

const TEXTS: [&str; 3] = ["README.md", "CHANGELOG.md", "src/lib.rs"];
const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];
/// What `cargo package` itself writes.
const BY_CARGO: [&str; 4] = [
    "Cargo.toml",
    "Cargo.toml.orig",
    "Cargo.lock",
    ".cargo_vcs_info.json",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A package of these files, each with its text.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        let package = root.path().join("seawall-web-0.1.0");
        for name in LICENCES {
            fs::write(root.path().join(name), name).unwrap();
        }
        for (name, text) in files {
            let path = package.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        faults(&package, root.path()).unwrap()
    }

    const WHOLE: [(&str, &str); 7] = [
        ("Cargo.toml", ""),
        ("Cargo.lock", ""),
        ("README.md", ""),
        ("CHANGELOG.md", ""),
        ("LICENSE-MIT", "LICENSE-MIT"),
        ("LICENSE-APACHE", "LICENSE-APACHE"),
        ("src/lib.rs", "mod deep;"),
    ];

    fn with(more: &[(&str, &str)]) -> Vec<String> {
        found(&[&WHOLE, more].concat())
    }

    #[test]
    fn sources_and_what_they_include_belong() {
        let include = "const SCHEMA: &str = include_str!(\"schema.sql\");";
        assert_eq!(
            with(&[("src/deep/mod.rs", include), ("src/deep/schema.sql", "")]),
            [""; 0]
        );
    }

    #[test]
    fn a_stray_file_is_named() {
        let strays = [("src/notes.txt", ""), ("tests/it.rs", ""), ("out.json", "")];
        assert_eq!(
            with(&strays),
            [
                "out.json does not belong into the package",
                "src/notes.txt does not belong into the package",
                "tests/it.rs does not belong into the package",
            ]
        );
    }

    #[test]
    fn a_link_that_was_packaged_as_its_own_text_is_no_licence() {
        assert_eq!(
            with(&[("LICENSE-MIT", "../../LICENSE-MIT")]),
            ["LICENSE-MIT is not that of the workspace"]
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let faults = found(&WHOLE[..2]);
        let missing = [
            "README.md",
            "CHANGELOG.md",
            "src/lib.rs",
            "LICENSE-MIT",
            "LICENSE-APACHE",
        ];
        assert_eq!(faults.len(), missing.len(), "{faults:?}");
        for (fault, name) in faults.iter().zip(missing) {
            assert!(fault.starts_with(name), "{fault}");
        }
    }
}
