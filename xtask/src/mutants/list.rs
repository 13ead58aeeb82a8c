//! `mutants.toml`: which files are pure, and which surviving mutants are accepted and why.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::failure::Failure;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    #[serde(rename = "crate", default)]
    crates: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The folder of the crate.
    pub(super) name: String,
    /// Relative to that folder.
    files: Vec<String>,
    /// Whether the unit tests alone are to catch them, where the crate's other tests take too long
    /// to run a thousand times.
    #[serde(default)]
    pub(super) unit_tests_only: bool,
    #[serde(default)]
    accepted: Vec<Accepted>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    /// As cargo-mutants prints it, but with the file relative to the crate and without line and
    /// column, which every edit moves: `src/quota.rs: replace < with <= in Quota::check`.
    mutant: String,
    reason: String,
}

/// What survived, sorted by whether somebody has accounted for it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) accepted: Vec<(&'a str, &'a str)>,
    pub(super) unexplained: Vec<&'a str>,
    pub(super) stale: Vec<&'a str>,
}

impl List {
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let usage = |fault: String| Failure::usage(format!("mutants.toml: {fault}"));
        let text =
            fs::read_to_string(root.join("mutants.toml")).map_err(|e| usage(e.to_string()))?;
        let list = Self::parse(&text).map_err(usage)?;
        for file in list.crates.iter().flat_map(Entry::paths) {
            if !root.join(&file).is_file() {
                return Err(usage(format!("there is no file {}", file.display())));
            }
        }
        Ok(list)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let list: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        for entry in &list.crates {
            if entry.files.is_empty() {
                return Err(format!("crate `{}` lists no files", entry.name));
            }
            if let Some(accepted) = entry.accepted.iter().find(|a| a.reason.trim().is_empty()) {
                return Err(format!(
                    "`{}` is accepted without a reason",
                    accepted.mutant
                ));
            }
        }
        Ok(list)
    }

    /// The entries of the crates named; all if none is.
    pub(super) fn only(&self, names: &[String]) -> Result<Vec<&Entry>, Failure> {
        if names.is_empty() {
            return Ok(self.crates.iter().collect());
        }
        let find = |name: &String| {
            let short = name.strip_prefix("seawall-").unwrap_or(name);
            self.crates
                .iter()
                .find(|entry| entry.name == short)
                .ok_or_else(|| {
                    let known: Vec<_> = self
                        .crates
                        .iter()
                        .map(|entry| entry.name.as_str())
                        .collect();
                    Failure::usage(format!(
                        "--only {name}: mutants.toml lists no files of it; expected one of: {}",
                        known.join(", ")
                    ))
                })
        };
        names.iter().map(find).collect()
    }
}

impl Entry {
    pub(super) fn package(&self) -> String {
        format!("seawall-{}", self.name)
    }

    fn folder(&self) -> String {
        format!("crates/{}/", self.name)
    }

    /// The files, relative to the workspace.
    pub(super) fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.files
            .iter()
            .map(|file| Path::new(&self.folder()).join(file))
    }

    pub(super) fn compare<'a>(&'a self, survivors: &[&'a str]) -> Found<'a> {
        let mut found = Found::default();
        let mut seen = Vec::new();
        for line in survivors {
            let mutant = self.identity(line);
            match self
                .accepted
                .iter()
                .find(|accepted| accepted.mutant == mutant)
            {
                Some(accepted) => found.accepted.push((line, &accepted.reason)),
                None => found.unexplained.push(line),
            }
            seen.push(mutant);
        }
        let stale = self
            .accepted
            .iter()
            .filter(|accepted| !seen.contains(&accepted.mutant));
        found
            .stale
            .extend(stale.map(|accepted| accepted.mutant.as_str()));
        found
    }

    /// `crates/x/src/y.rs:12:5: replace …` becomes `src/y.rs: replace …`.
    fn identity(&self, line: &str) -> String {
        let folder = self.folder();
        let line = line.trim();
        let line = line.strip_prefix(folder.as_str()).unwrap_or(line);
        let mut parts = line.splitn(4, ':');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(file), Some(row), Some(column), Some(act))
                if is_number(row) && is_number(column) =>
            {
                format!("{file}: {}", act.trim_start())
            }
            _ => line.to_owned(),
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"
        [[crate]]
        name = "ratelimit"
        files = ["src/gcra.rs", "src/quota.rs"]
        accepted = [
            { mutant = "src/gcra.rs: replace < with <= in Gcra::check", reason = "both are full" },
        ]"#;

    fn compare<'a>(list: &'a List, survivors: &[&'a str]) -> Found<'a> {
        list.crates[0].compare(survivors)
    }

    #[test]
    fn a_survivor_is_recognised_wherever_its_line_has_moved() {
        let list = List::parse(LIST).unwrap();
        let line = "crates/ratelimit/src/gcra.rs:112:9: replace < with <= in Gcra::check";
        let found = compare(&list, &[line]);
        assert_eq!(found.accepted, [(line, "both are full")]);
        assert!(found.unexplained.is_empty() && found.stale.is_empty());
    }

    #[test]
    fn another_survivor_is_unexplained() {
        let list = List::parse(LIST).unwrap();
        let line = "crates/ratelimit/src/gcra.rs:112:9: replace + with - in Gcra::check";
        assert_eq!(compare(&list, &[line]).unexplained, [line]);
    }

    #[test]
    fn an_acceptance_that_nothing_needs_is_stale() {
        let list = List::parse(LIST).unwrap();
        let stale = compare(&list, &[]).stale;
        assert_eq!(stale, ["src/gcra.rs: replace < with <= in Gcra::check"]);
    }

    #[test]
    fn paths_inside_the_mutants_text_stay() {
        let list = List::parse(LIST).unwrap();
        let line = "crates/ratelimit/src/quota.rs:1:2: replace <impl Display for a::B>::fmt -> x";
        let identity = list.crates[0].identity(line);
        assert_eq!(
            identity,
            "src/quota.rs: replace <impl Display for a::B>::fmt -> x"
        );
    }

    #[test]
    fn a_reason_is_not_optional() {
        let text = LIST.replace("both are full", "");
        assert!(List::parse(&text).unwrap_err().contains("without a reason"));
        assert!(
            List::parse("[[crate]]\nname = \"a\"\nfiles = []")
                .unwrap_err()
                .contains("no files")
        );
    }

    #[test]
    fn a_crate_is_chosen_by_either_name() {
        let list = List::parse(LIST).unwrap();
        let chosen = |name: &str| list.only(&[name.to_owned()]).map(|entries| entries.len());
        assert_eq!(chosen("seawall-ratelimit"), Ok(1));
        assert_eq!(chosen("ratelimit"), Ok(1));
        assert!(matches!(chosen("breaker"), Err(Failure::Usage(_))));
    }

    #[test]
    fn the_list_of_this_workspace_reads() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        assert!(List::read(&root).is_ok());
    }
}
