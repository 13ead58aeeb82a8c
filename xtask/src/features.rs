//! `cargo xtask features`: each published crate compiles, without a warning, with no feature, with
//! each of its features alone and with all of them.

use std::process::Command;

use crate::{
    args,
    failure::Failure,
    process,
    steps::Steps,
    workspace::{Package, Workspace, cargo},
};

pub(crate) const USAGE: &str = "features [CRATE]
checks that each published crate compiles without a warning with no feature, with each feature
alone and with all of them";

pub(crate) fn run(mut words: lexopt::Parser) -> Result<(), Failure> {
    let chosen = args::at_most_one(&mut words, "one crate")?;
    let workspace = Workspace::load()?;
    let packages: Vec<_> = match chosen {
        Some(name) => vec![workspace.named(&name)?],
        None => workspace.published().collect(),
    };

    check_each(&packages)
}

/// Every published crate in every choice.
pub(crate) fn check_all(workspace: &Workspace) -> Result<(), Failure> {
    check_each(&workspace.published().collect::<Vec<_>>())
}

fn check_each(packages: &[&Package]) -> Result<(), Failure> {
    let mut steps = Steps::new("features", packages.len());
    for package in packages {
        let choices = choices(package);
        steps.run(
            &format!("{} ({} builds)", package.name, choices.len()),
            || {
                let faults: Result<Vec<_>, Failure> = choices
                    .iter()
                    .map(|choice| check(package, choice))
                    .collect();
                let faults: Vec<_> = faults?.into_iter().flatten().collect();
                if faults.is_empty() {
                    Ok(())
                } else {
                    Err(Failure::broken(faults.join("; ")))
                }
            },
        )?;
    }
    steps.finish()
}

/// The feature options of each build.
fn choices(package: &Package) -> Vec<Vec<String>> {
    let alone = |feature: &String| {
        vec![
            "--no-default-features".to_owned(),
            "--features".to_owned(),
            feature.clone(),
        ]
    };
    let features: Vec<_> = package
        .features
        .keys()
        .filter(|name| *name != "default")
        .collect();
    let mut choices = vec![vec!["--no-default-features".to_owned()]];
    choices.extend(features.iter().copied().map(alone));
    // One feature alone and all of them are the same build.
    if features.len() > 1 {
        choices.push(vec!["--all-features".to_owned()]);
    }
    choices
}

/// What is wrong with one build, if anything.
fn check(package: &Package, choice: &[String]) -> Result<Option<String>, Failure> {
    let mut command: Command = cargo();
    command
        .args(["check", "--quiet", "-p", &package.name])
        .args(choice);
    let mut warned = false;
    let status = process::run(&mut command, &mut |line| warned |= is_warning(line))?;
    let choice = choice.join(" ");
    Ok(if !status.success() {
        Some(format!("`{choice}` does not compile"))
    } else if warned {
        Some(format!("`{choice}` compiles with warnings"))
    } else {
        None
    })
}

fn is_warning(line: &str) -> bool {
    line.trim_start().starts_with("warning:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builds(features: &str) -> Vec<String> {
        let json = format!(
            r#"{{"workspace_root": "/w", "target_directory": "/t", "packages": [
                {{"name": "seawall-web", "manifest_path": "/w/crates/web/Cargo.toml",
                  "features": {{{features}}}}}]}}"#
        );
        let workspace = Workspace::parse(json.as_bytes()).unwrap();
        choices(&workspace.packages[0])
            .into_iter()
            .map(|choice| choice.join(" "))
            .collect()
    }

    #[test]
    fn a_crate_without_features_is_built_once() {
        assert_eq!(builds(""), ["--no-default-features"]);
    }

    #[test]
    fn each_feature_is_built_alone_and_all_together() {
        assert_eq!(
            builds(r#""default": [], "serde": ["dep:serde"], "tokio": []"#),
            [
                "--no-default-features",
                "--no-default-features --features serde",
                "--no-default-features --features tokio",
                "--all-features",
            ]
        );
    }

    #[test]
    fn a_single_feature_alone_is_all_of_them() {
        assert_eq!(builds(r#""serde": []"#).len(), 2);
    }

    #[test]
    fn a_warning_is_told_from_its_explanation() {
        assert!(is_warning("warning: unused import: `a`\n"));
        assert!(!is_warning("   = note: this warning: none\n"));
    }
}
