//! `cargo xtask release --dry-run`: everything that a release needs, short of publishing it.

mod about;
mod api;
mod changelog;
mod examples;
mod files;
mod minimal;
mod outside;
mod packaging;
mod rustdoc;
mod tools;

use api::Golden;
use lexopt::Arg;
use packaging::House;

use crate::{args, failure::Failure, features, readme, steps::Steps, wasm, workspace::Workspace};

pub(crate) const USAGE: &str = "release --dry-run [--bless] [--only STEP]...
checks everything that a release of the published crates needs: their metadata, the packages and
the files in them, documentation, public items, and what other tools say. It publishes nothing.
--bless rewrites the lists of public items in docs/api; --only runs some of the steps";

pub(crate) fn run(words: lexopt::Parser) -> Result<(), Failure> {
    let options = Options::read(words)?;
    let workspace = Workspace::load()?;
    let room = Room {
        house: House::new(&workspace),
        workspace,
        golden: options.golden,
    };

    let chosen: Vec<_> = STEPS
        .iter()
        .filter(|step| options.only.is_empty() || options.only.iter().any(|name| name == step.name))
        .collect();
    let mut steps = Steps::new("release", chosen.len());
    let mut skipped = Vec::new();
    for step in chosen {
        let reasons = steps.run(step.name, || (step.run)(&room))?;
        for reason in reasons.unwrap_or_default() {
            eprintln!("    SKIPPED: {reason}");
            skipped.push(format!("{}: {reason}", step.name));
        }
    }
    let skipped = match skipped.as_slice() {
        [] => "nothing was skipped".to_owned(),
        skipped => format!("SKIPPED {}", skipped.join("; ")),
    };
    let took = steps.elapsed();
    match steps.finish() {
        Ok(()) => {
            println!("release: ok in {took}, nothing was published; {skipped}");
            Ok(())
        }
        Err(Failure::Broken(faults)) => Err(Failure::broken(format!("{faults}; {skipped}"))),
        Err(other) => Err(other),
    }
}

struct Options {
    golden: Golden,
    only: Vec<String>,
}

impl Options {
    fn read(mut words: lexopt::Parser) -> Result<Self, Failure> {
        let mut dry = false;
        let mut golden = Golden::Compare;
        let mut only = Vec::new();
        while let Some(word) = args::next(&mut words)? {
            match word {
                Arg::Long("dry-run") => dry = true,
                Arg::Long("bless") => golden = Golden::Rewrite,
                Arg::Long("only") => only.push(step(&args::text(&mut words, "a step")?)?),
                other => {
                    return Err(args::unexpected(
                        &other,
                        "`--dry-run`, `--bless` or `--only STEP`",
                    ));
                }
            }
        }
        if !dry {
            return Err(Failure::usage(
                "this tool publishes nothing: `cargo xtask release --dry-run` checks that all is \
                 ready, and `cargo publish --workspace` is for a person to say",
            ));
        }
        Ok(Self { golden, only })
    }
}

fn step(name: &str) -> Result<String, Failure> {
    let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
    if names.contains(&name) {
        return Ok(name.to_owned());
    }
    Err(Failure::usage(format!(
        "unknown step `{name}`; expected one of {}",
        names.join(", ")
    )))
}

struct Room {
    workspace: Workspace,
    house: House,
    golden: Golden,
}

/// What a step could not look at on this machine, each with the reason.
type Skips = Vec<String>;

struct Step {
    name: &'static str,
    run: fn(&Room) -> Result<Skips, Failure>,
}

/// The quick ones first; those that compile share what they compile.
const STEPS: &[Step] = &[
    Step {
        name: "metadata",
        run: metadata,
    },
    Step {
        name: "readme",
        run: |room| readme::check(&room.workspace).map(|()| Skips::new()),
    },
    Step {
        name: "package",
        run: |room| packaging::package(&room.workspace, &room.house).map(|()| Skips::new()),
    },
    Step {
        name: "files",
        run: |room| {
            packaged(room)?;
            packaging::check_files(&room.workspace, &room.house).map(|()| Skips::new())
        },
    },
    Step {
        name: "deny",
        run: |room| outside::deny(&room.workspace),
    },
    Step {
        name: "wasm",
        run: |room| wasm::check(&room.workspace).map(Vec::from_iter),
    },
    Step {
        name: "compile",
        run: |room| {
            packaged(room)?;
            packaging::compile(&room.workspace, &room.house).map(|()| Skips::new())
        },
    },
    Step {
        name: "examples",
        run: |room| examples::check(&room.workspace).map(|()| Skips::new()),
    },
    Step {
        name: "docs",
        run: |room| rustdoc::pages(&room.workspace).map(|()| Skips::new()),
    },
    Step {
        name: "api",
        run: |room| api::check(&room.workspace, room.golden).map(Vec::from_iter),
    },
    Step {
        name: "semver",
        run: |room| outside::semver(&room.workspace),
    },
    Step {
        name: "features",
        run: |room| features::check_all(&room.workspace).map(|()| Skips::new()),
    },
    Step {
        name: "minimal",
        run: |room| {
            packaged(room)?;
            minimal::check(&room.workspace, &room.house).map(|()| Skips::new())
        },
    },
];

fn metadata(room: &Room) -> Result<Skips, Failure> {
    let mut faults = Vec::new();
    for package in room.workspace.published() {
        let found = about::faults(&room.workspace, package);
        faults.extend(
            found
                .iter()
                .map(|fault| format!("{}: {fault}", package.name)),
        );
    }
    packaging::all_well(&faults)?;
    Ok(Skips::new())
}

/// What a step by itself needs of the step `package`.
fn packaged(room: &Room) -> Result<(), Failure> {
    if room.house.is_furnished() {
        return Ok(());
    }
    packaging::package(&room.workspace, &room.house)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Options, Failure> {
        Options::read(lexopt::Parser::from_args(words))
    }

    #[test]
    fn without_a_dry_run_it_refuses_and_says_what_it_is_for() {
        for words in [&[][..], &["--bless"]] {
            let Err(Failure::Usage(message)) = read(words) else {
                panic!("{words:?} was accepted");
            };
            assert!(message.contains("publishes nothing"), "{message}");
        }
    }

    #[test]
    fn a_step_that_does_not_exist_is_named_with_those_that_do() {
        let Err(Failure::Usage(message)) = read(&["--dry-run", "--only", "publish"]) else {
            panic!("the step `publish` was accepted");
        };
        assert!(
            message.contains("`publish`") && message.contains("metadata, readme"),
            "{message}"
        );
    }

    #[test]
    fn steps_are_chosen_and_lists_are_blessed_by_name() {
        let options = read(&["--dry-run", "--bless", "--only", "api"]).unwrap();
        assert_eq!(options.golden, Golden::Rewrite);
        assert_eq!(options.only, ["api"]);
    }
}
