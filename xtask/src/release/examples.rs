//! The first example of each front page, as its reader takes it over: with the dependencies that the
//! page names above it, and with nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::packaging::{all_well, succeed};
use crate::{
    failure::Failure,
    workspace::{Workspace, cargo},
};

/// Makes a package of each page's first example, outside of the workspace, and compiles it.
pub(super) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let room = Room::new(workspace)?;
    let mut faults = Vec::new();
    let mut pages = Vec::new();
    for page in front_pages(workspace) {
        let text = read(&workspace.root.join(&page))?;
        match Example::of(&text) {
            Ok(example) => {
                room.take_in(&page, &example)?;
                pages.push(page);
            }
            Err(fault) => faults.push(format!("{page}: {fault}")),
        }
    }
    room.furnish(workspace, &pages)?;
    // One by one: together, each would have the features that another one asks for.
    for page in pages {
        match room.compile(workspace, &page) {
            Ok(()) => {}
            Err(Failure::Broken(fault)) => faults.push(fault),
            Err(other) => return Err(other),
        }
    }
    all_well(&faults)
}

/// The pages of the crates that are used by themselves, and the quick starts.
fn front_pages(workspace: &Workspace) -> Vec<String> {
    let crates = workspace.published().filter(|package| !package.is_macro());
    let mut pages: Vec<_> = crates
        .map(|package| format!("{}/README.md", package.folder(workspace).display()))
        .collect();
    pages.extend(QUICK_STARTS.map(str::to_owned));
    pages
}

const QUICK_STARTS: [&str; 3] = ["README.md", "docs/guide/axum.md", "docs/guide/actix.md"];

#[derive(Debug, PartialEq, Eq)]
struct Example<'a> {
    dependencies: &'a str,
    program: &'a str,
}

impl<'a> Example<'a> {
    /// An error says what a reader would miss.
    fn of(page: &'a str) -> Result<Self, String> {
        let (at, program) = first_block(page, "rust").ok_or("has no example in Rust")?;
        let (_, dependencies) =
            first_block(&page[..at], "toml").ok_or("names no dependencies above its example")?;
        let table: toml::Table = dependencies
            .parse()
            .map_err(|error| format!("its dependencies: {error}"))?;
        if !table.keys().eq(["dependencies"]) {
            return Err("its first block of TOML is not `[dependencies]` alone".to_owned());
        }
        if let Some(hidden) = program.lines().find(|line| is_hidden(line)) {
            return Err(format!(
                "its first example has a hidden line, `{}`",
                hidden.trim()
            ));
        }
        Ok(Self {
            dependencies,
            program,
        })
    }
}

/// Where the first block of code in this language begins, and what is in it.
fn first_block<'a>(page: &'a str, language: &str) -> Option<(usize, &'a str)> {
    let mut inside: Option<(usize, usize)> = None;
    let mut other = false;
    let mut at = 0;
    for line in page.split_inclusive('\n') {
        let end = at + line.len();
        if let Some(info) = line.strip_prefix("```") {
            match inside {
                Some((start, body)) => return Some((start, &page[body..at])),
                None if other => other = false,
                None if info.trim().split(',').next() == Some(language) => inside = Some((at, end)),
                None => other = true,
            }
        }
        at = end;
    }
    None
}

/// As rustdoc has it: an attribute is shown, and so is `##`.
fn is_hidden(line: &str) -> bool {
    let line = line.trim();
    line == "#" || line.starts_with("# ")
}

/// A workspace with a package for each example, which finds the crates here in place of a registry's.
struct Room(PathBuf);

impl Room {
    fn new(workspace: &Workspace) -> Result<Self, Failure> {
        let folder = workspace.target_directory.join("room");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| failure(&folder, &error))?;
        }
        Ok(Self(folder))
    }

    fn take_in(&self, page: &str, example: &Example<'_>) -> Result<(), Failure> {
        let name = package_name(page);
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n{}",
            example.dependencies
        );
        write(&self.0.join(&name).join("Cargo.toml"), &manifest)?;
        write(&self.0.join(&name).join("src/main.rs"), example.program)
    }

    fn furnish(&self, workspace: &Workspace, pages: &[String]) -> Result<(), Failure> {
        let names: Vec<_> = pages.iter().map(|page| package_name(page)).collect();
        let mut manifest =
            format!("[workspace]\nresolver = \"3\"\nmembers = {names:?}\n\n[patch.crates-io]\n");
        for package in workspace.published() {
            let folder = workspace.root.join(package.folder(workspace));
            manifest.push_str(&format!("{} = {{ path = {folder:?} }}\n", package.name));
        }
        write(&self.0.join("Cargo.toml"), &manifest)?;
        let lock = read(&workspace.root.join("Cargo.lock"))?;
        write(&self.0.join("Cargo.lock"), &lock)
    }

    fn compile(&self, workspace: &Workspace, page: &str) -> Result<(), Failure> {
        let mut command = cargo();
        command
            .current_dir(&self.0)
            .env("CARGO_TARGET_DIR", &workspace.target_directory)
            .args(["check", "--quiet", "-p", &package_name(page)]);
        succeed(
            &mut command,
            &format!("{page}: its first example does not compile by itself"),
        )
    }
}

/// `crates/web/README.md` is the package `crates-web-readme`.
fn package_name(page: &str) -> String {
    let stem = page.trim_end_matches(".md");
    stem.to_lowercase().replace('/', "-")
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| failure(path, &error))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| failure(path, &error))
}

fn failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::broken(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPENDENCIES: &str = "```toml\n[dependencies]\nseawall-web = \"0.1\"\n```\n";

    fn fault(page: &str) -> String {
        Example::of(page).unwrap_err()
    }

    #[test]
    fn the_first_of_each_is_taken_and_what_stands_between_is_not() {
        let page = format!(
            "# Title\n```console\n$ ls\n```\n{DEPENDENCIES}\n```json\n{{}}\n```\n\n\
             ```rust,no_run\nfn main() {{}}\n```\n```toml\n[other]\n```\n```rust\nlater\n```\n"
        );
        assert_eq!(
            Example::of(&page),
            Ok(Example {
                dependencies: "[dependencies]\nseawall-web = \"0.1\"\n",
                program: "fn main() {}\n",
            })
        );
    }

    #[test]
    fn a_hidden_line_is_told_from_an_attribute() {
        let hidden =
            format!("{DEPENDENCIES}```rust\n#[test]\nfn a() {{}}\n    # let b = 1;\n```\n");
        assert_eq!(
            fault(&hidden),
            "its first example has a hidden line, `# let b = 1;`"
        );
        let shown =
            format!("{DEPENDENCIES}```rust\n#![allow(dead_code)]\n#[test]\nfn a() {{}}\n```\n");
        assert!(Example::of(&shown).is_ok());
    }

    #[test]
    fn what_a_reader_would_miss_is_named() {
        assert_eq!(fault("text"), "has no example in Rust");
        let below = format!("```rust\nfn main() {{}}\n```\n{DEPENDENCIES}");
        assert_eq!(fault(&below), "names no dependencies above its example");
        let more = "```toml\n[dependencies]\n[features]\n```\n```rust\nfn main() {}\n```\n";
        assert_eq!(
            fault(more),
            "its first block of TOML is not `[dependencies]` alone"
        );
    }

    #[test]
    fn a_package_is_named_after_its_page() {
        assert_eq!(package_name("crates/web/README.md"), "crates-web-readme");
    }
}
