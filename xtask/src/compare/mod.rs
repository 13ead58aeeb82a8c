//! `cargo xtask compare`: measures us beside the peers and holds the ratios against the bars.

mod bars;
mod instructions;
mod table;
mod verdict;

use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
};

use bars::Bars;
use lexopt::Arg;
use verdict::{Judged, Line, Measurement, Skipped};

use crate::{
    args,
    failure::Failure,
    process,
    steps::Steps,
    workspace::{Workspace, cargo},
};

pub(crate) const USAGE: &str =
    "compare [--only AREA]... [--json PATH] [--markdown] [--instructions]
measures each area of benches/ (or AREA/CASE alone) beside its peers and fails where a ratio is
above its bar in benches/bars.toml; PATH gets the whole outcome as JSON; --instructions
counts instructions by callgrind instead, and judges nothing";

pub(crate) fn run(mut words: lexopt::Parser) -> Result<(), Failure> {
    let (mut only, mut json, mut markdown) = (Vec::new(), None, false);
    let mut count_instructions = false;
    while let Some(word) = args::next(&mut words)? {
        match word {
            Arg::Long("only") => only.push(args::text(&mut words, "an area or AREA/CASE")?),
            Arg::Long("json") => json = Some(args::path(&mut words, "the path of a file")?),
            Arg::Long("markdown") => markdown = true,
            Arg::Long("instructions") => count_instructions = true,
            other => {
                let expected = "`--only AREA`, `--json PATH`, `--markdown` or `--instructions`";
                return Err(args::unexpected(&other, expected));
            }
        }
    }
    let workspace = Workspace::load()?;
    if count_instructions {
        if json.is_some() || markdown {
            return Err(Failure::usage(
                "--instructions prints a table and takes `--only` alone",
            ));
        }
        return instructions::run(&workspace, &only);
    }
    let bars = Bars::read(&workspace.root.join("benches/bars.toml"))?;
    let bars = bars.only(&only)?;
    // Before minutes of measuring, not after.
    let json = json.map(create).transpose()?;

    let mut steps = Steps::new("compare", 2);
    let mut found = Found::default();
    steps.run("time", || measure(&only, Build::Time, &mut found))?;
    // Allocations are counted by an allocator that would slow everything else down, so their cases
    // take a build of their own, and only where a bar asks for one.
    let missing = bars
        .list
        .iter()
        .any(|bar| !found.measured.iter().any(|m| m.is_of(bar)) && !found.has_skipped(bar));
    if missing {
        steps.run("heap", || measure(&only, Build::Heap, &mut found))?;
    }

    let mut judged = verdict::judge(&bars, &found.measured);
    verdict::skip(&mut judged, &found.skipped);
    print!(
        "{}",
        if markdown {
            table::markdown(&judged)
        } else {
            table::text(&judged)
        }
    );
    if let Some((path, mut file)) = json {
        let text = serde_json::to_string_pretty(&verdict::Report::of(&judged));
        let written = text
            .map_err(Into::into)
            .and_then(|text| writeln!(file, "{text}"));
        written.map_err(|error| Failure::broken(format!("{}: {error}", path.display())))?;
    }
    steps.finish()?;
    let missed: Vec<_> = judged
        .iter()
        .filter(|row| row.verdict.fails())
        .map(Judged::name)
        .collect();
    if missed.is_empty() {
        return Ok(());
    }
    Err(Failure::broken(format!(
        "{} of {} bars do not hold: {}",
        missed.len(),
        judged.len(),
        missed.join(", ")
    )))
}

fn create(path: PathBuf) -> Result<(PathBuf, File), Failure> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let made = folder
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| File::create(&path));
    match made {
        Ok(file) => Ok((path, file)),
        Err(error) => {
            let path = path.display();
            Err(Failure::usage(format!(
                "--json {path}: {error}; expected a path to write to"
            )))
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Build {
    Time,
    Heap,
}

/// What the benches have said.
#[derive(Default)]
struct Found {
    measured: Vec<Measurement>,
    skipped: Vec<Skipped>,
}

impl Found {
    fn has_skipped(&self, bar: &bars::Bar) -> bool {
        self.skipped.iter().any(|line| line.skipped == bar.case)
    }
}

fn measure(only: &[String], build: Build, found: &mut Found) -> Result<(), Failure> {
    let mut command = cargo();
    // The profile of `cargo bench`: optimised as a careful user would, for both sides alike.
    command.args(["run", "--quiet", "--profile=bench", "-p", "seawall-benches"]);
    command.args(["--bin", "compare"]);
    if build == Build::Heap {
        command.args(["--features", "heap"]);
    }
    command.arg("--");
    for area in only {
        command.args(["--only", area]);
    }
    let mut unreadable = None;
    let status = process::run_reading_stdout(&mut command, &mut |line| {
        // Progress comes on stderr and is no measurement.
        if !line.starts_with('{') {
            return;
        }
        match serde_json::from_str(line) {
            Ok(Line::Measured(measurement)) => found.measured.push(measurement),
            // On stderr it has said why.
            Ok(Line::Skipped(skipped)) => found.skipped.push(skipped),
            Err(error) => unreadable = Some(format!("{error} in {line}")),
        }
    })?;
    match (status.code(), unreadable) {
        (Some(0), None) => Ok(()),
        (Some(0), Some(line)) => Err(Failure::broken(format!("unreadable measurement: {line}"))),
        // It has said on stderr which word it did not know.
        (Some(2), _) => Err(Failure::usage(
            "the benches refused the command line, see above",
        )),
        _ => Err(Failure::broken(status.to_string())),
    }
}
