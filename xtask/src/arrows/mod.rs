//! `cargo xtask arrows`: dependencies between members point down the floors of
//! `docs/ARCHITECTURE.md`, and nowhere else.

mod floors;
mod rules;

use lexopt::Arg;

use crate::{
    args,
    failure::Failure,
    workspace::{Package, Workspace},
};

pub(crate) const USAGE: &str = "arrows [--metadata FILE]
checks every dependency between members against the floors of docs/ARCHITECTURE.md;
FILE replaces the output of `cargo metadata --no-deps --format-version=1`";

pub(crate) fn run(mut words: lexopt::Parser) -> Result<(), Failure> {
    let mut file = None;
    while let Some(word) = args::next(&mut words)? {
        match word {
            Arg::Long("metadata") => file = Some(args::path(&mut words, "the path of a file")?),
            other => return Err(args::unexpected(&other, "`--metadata FILE` or nothing")),
        }
    }
    let workspace = match file {
        Some(path) => Workspace::from_file(&path)?,
        None => Workspace::load()?,
    };

    let faults = rules::check(&workspace);
    if faults.is_empty() {
        let arrows = workspace
            .packages
            .iter()
            .flat_map(|package| &package.dependencies);
        let arrows = arrows
            .filter(|dependency| dependency.path.is_some())
            .count();
        println!(
            "arrows: {} members, {arrows} arrows, all point down",
            workspace.packages.len()
        );
        return Ok(());
    }
    for fault in &faults {
        eprintln!("arrows: {fault}");
    }
    Err(Failure::broken(format!(
        "{} broken, see docs/ARCHITECTURE.md",
        faults.len()
    )))
}

/// The leaves that promise to use no tokio, and nothing else that needs an operating system.
pub(crate) fn leaves_without_runtime(workspace: &Workspace) -> impl Iterator<Item = &Package> {
    workspace.packages.iter().filter(|package| {
        floors::Role::of(package.folder(workspace)).is_some_and(floors::Role::is_without_runtime)
    })
}
