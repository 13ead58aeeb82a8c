//! What a registry shows of each package, and what is missing of it.

use std::{fmt, fs, path::Path};

use super::changelog;
use crate::workspace::{Kind, Package, Workspace};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    NoDescription,
    NoLicence,
    NoRepository,
    NoRustVersion,
    NoReadme,
    ReadmeIsNotTheFrontPage,
    NoKeywords,
    TooManyKeywords(usize),
    MalformedKeyword(String),
    NoCategories,
    TooManyCategories(usize),
    UnknownCategory(String),
    DocsWithoutAllFeatures,
    DocsWithoutCfg,
    VersionedDevDependency(String),
    DependencyWithoutVersion(String),
    Changelog(String),
}

/// Every fault of one package, in the order of its manifest.
pub(super) fn faults(workspace: &Workspace, package: &Package) -> Vec<Fault> {
    let mut faults = fields(package);
    faults.extend(documentation(&package.about.metadata));
    faults.extend(dependencies(workspace, package));
    let folder = package.manifest_path.parent().unwrap_or(Path::new(""));
    if package.about.readme.is_some() && !shows_readme(&folder.join("src/lib.rs")) {
        faults.push(Fault::ReadmeIsNotTheFrontPage);
    }
    let changelog = match fs::read_to_string(folder.join("CHANGELOG.md")) {
        Ok(text) => changelog::faults(&text, &package.version),
        Err(error) => vec![format!("cannot be read: {error}")],
    };
    faults.extend(changelog.into_iter().map(Fault::Changelog));
    faults
}

fn fields(package: &Package) -> Vec<Fault> {
    let about = &package.about;
    let mut faults = Vec::new();
    let texts = [
        (&about.description, Fault::NoDescription),
        (&about.license, Fault::NoLicence),
        (&about.repository, Fault::NoRepository),
        (&about.rust_version, Fault::NoRustVersion),
        (&about.readme, Fault::NoReadme),
    ];
    for (text, fault) in texts {
        if text.as_ref().is_none_or(|text| text.trim().is_empty()) {
            faults.push(fault);
        }
    }
    match about.keywords.len() {
        0 => faults.push(Fault::NoKeywords),
        count if count > MOST => faults.push(Fault::TooManyKeywords(count)),
        _ => {}
    }
    let malformed = about.keywords.iter().filter(|word| !is_keyword(word));
    faults.extend(malformed.cloned().map(Fault::MalformedKeyword));
    match about.categories.len() {
        0 => faults.push(Fault::NoCategories),
        count if count > MOST => faults.push(Fault::TooManyCategories(count)),
        _ => {}
    }
    let unknown = about
        .categories
        .iter()
        .filter(|slug| !SLUGS.contains(&slug.as_str()));
    faults.extend(unknown.cloned().map(Fault::UnknownCategory));
    faults
}

/// docs.rs shows what is behind features only where it is told to, and labels it only under the cfg.
fn documentation(metadata: &serde_json::Value) -> Vec<Fault> {
    let settings = &metadata["docs"]["rs"];
    let mut faults = Vec::new();
    if settings["all-features"] != true {
        faults.push(Fault::DocsWithoutAllFeatures);
    }
    let words: Vec<_> = settings["rustdoc-args"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_str)
        .collect();
    if !words.windows(2).any(|pair| pair == ["--cfg", "docsrs"]) {
        faults.push(Fault::DocsWithoutCfg);
    }
    faults
}

/// A member that is needed for tests alone is named by path alone, and so is gone from the package:
/// with a version, two members that test each other could never be published.
fn dependencies(workspace: &Workspace, package: &Package) -> Vec<Fault> {
    let members = package
        .dependencies
        .iter()
        .filter(|d| d.path.is_some() && workspace.package(&d.name).is_some());
    members
        .filter_map(|dependency| {
            let has_version = dependency.req != "*";
            match (dependency.kind, has_version) {
                (Some(Kind::Dev), true) => {
                    Some(Fault::VersionedDevDependency(dependency.name.clone()))
                }
                (None | Some(Kind::Build), false) => {
                    Some(Fault::DependencyWithoutVersion(dependency.name.clone()))
                }
                _ => None,
            }
        })
        .collect()
}

fn shows_readme(lib: &Path) -> bool {
    fs::read_to_string(lib).is_ok_and(|text| text.contains("include_str!(\"../README.md\")"))
}

fn is_keyword(word: &str) -> bool {
    word.len() <= 20
        && word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+'))
}

/// Of keywords and of categories, by the registry.
const MOST: usize = 5;

/// The registry's categories that a crate of this workspace could stand in. The registry drops any
/// other slug with a warning.
const SLUGS: &[&str] = &[
    "algorithms",
    "asynchronous",
    "authentication",
    "caching",
    "concurrency",
    "config",
    "cryptography",
    "data-structures",
    "database",
    "development-tools",
    "development-tools::procedural-macro-helpers",
    "development-tools::profiling",
    "development-tools::testing",
    "encoding",
    "network-programming",
    "parser-implementations",
    "rust-patterns",
    "web-programming",
    "web-programming::http-client",
    "web-programming::http-server",
];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDescription => f.write_str("`description` is missing"),
            Self::NoLicence => f.write_str("`license` is missing: `license.workspace = true`"),
            Self::NoRepository => {
                f.write_str("`repository` is missing: `repository.workspace = true`")
            }
            Self::NoRustVersion => {
                f.write_str("`rust-version` is missing: `rust-version.workspace = true`")
            }
            Self::NoReadme => f.write_str("`readme` is missing: `readme = \"README.md\"`"),
            Self::ReadmeIsNotTheFrontPage => f.write_str(
                "src/lib.rs does not show the README: `#![doc = include_str!(\"../README.md\")]`",
            ),
            Self::NoKeywords => write!(f, "`keywords` is missing: one to {MOST} words"),
            Self::TooManyKeywords(count) => {
                write!(f, "`keywords` has {count} words, where {MOST} may be")
            }
            Self::MalformedKeyword(word) => write!(
                f,
                "keyword `{word}`: expected at most 20 ASCII letters, digits, `-`, `_` and `+`"
            ),
            Self::NoCategories => write!(f, "`categories` is missing: one to {MOST} slugs"),
            Self::TooManyCategories(count) => {
                write!(f, "`categories` has {count} slugs, where {MOST} may be")
            }
            Self::UnknownCategory(slug) => write!(
                f,
                "category `{slug}` is not known here: if the registry has it, add it to SLUGS in \
                 xtask/src/release/about.rs"
            ),
            Self::DocsWithoutAllFeatures => {
                f.write_str("`all-features = true` is missing in [package.metadata.docs.rs]")
            }
            Self::DocsWithoutCfg => f.write_str(
                "`rustdoc-args = [\"--cfg\", \"docsrs\"]` is missing in [package.metadata.docs.rs]",
            ),
            Self::VersionedDevDependency(name) => write!(
                f,
                "dev-dependency {name} has a version: name its path alone, so that packaging one \
                 does not need the other"
            ),
            Self::DependencyWithoutVersion(name) => {
                write!(f, "dependency {name} has no version: a package needs one")
            }
            Self::Changelog(fault) => write!(f, "CHANGELOG.md {fault}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(manifest: &str) -> Vec<Fault> {
        let json = format!(
            r#"{{"workspace_root": "/w", "target_directory": "/t", "packages": [
                {{"name": "seawall-web", "manifest_path": "/w/crates/web/Cargo.toml", {manifest}}},
                {{"name": "seawall-errors", "manifest_path": "/w/crates/errors/Cargo.toml"}}]}}"#
        );
        let workspace = Workspace::parse(json.as_bytes()).unwrap();
        let package = workspace.package("seawall-web").unwrap();
        let mut faults = fields(package);
        faults.extend(documentation(&package.about.metadata));
        faults.extend(dependencies(&workspace, package));
        faults
    }

    const WHOLE: &str = r#""description": "d", "license": "MIT", "repository": "r",
        "rust_version": "1.89", "readme": "README.md", "categories": ["web-programming"],
        "metadata": {"docs": {"rs": {"all-features": true, "rustdoc-args": ["--cfg", "docsrs"]}}}"#;

    #[test]
    fn a_complete_manifest_has_no_fault() {
        assert_eq!(found(&format!(r#"{WHOLE}, "keywords": ["http"]"#)), []);
    }

    #[test]
    fn everything_that_an_empty_manifest_lacks_is_named() {
        assert_eq!(
            found(r#""description": " ""#),
            [
                Fault::NoDescription,
                Fault::NoLicence,
                Fault::NoRepository,
                Fault::NoRustVersion,
                Fault::NoReadme,
                Fault::NoKeywords,
                Fault::NoCategories,
                Fault::DocsWithoutAllFeatures,
                Fault::DocsWithoutCfg,
            ]
        );
    }

    #[test]
    fn keywords_are_few_and_short() {
        let six = r#""keywords": ["a", "b", "c", "d", "e", "rate limit"]"#;
        assert_eq!(
            found(&format!("{WHOLE}, {six}")),
            [
                Fault::TooManyKeywords(6),
                Fault::MalformedKeyword("rate limit".to_owned())
            ]
        );
    }

    #[test]
    fn members_are_versioned_for_users_and_by_path_for_tests() {
        let dependencies = r#""keywords": ["a"], "dependencies": [
            {"name": "seawall-errors", "req": "*", "path": "/w/crates/errors"},
            {"name": "seawall-errors", "req": "^0.1", "kind": "dev", "path": "/w/crates/errors"},
            {"name": "seawall-errors", "req": "*", "kind": "dev", "path": "/w/crates/errors"},
            {"name": "proptest", "req": "^1", "kind": "dev"}]"#;
        assert_eq!(
            found(&format!("{WHOLE}, {dependencies}")),
            [
                Fault::DependencyWithoutVersion("seawall-errors".to_owned()),
                Fault::VersionedDevDependency("seawall-errors".to_owned()),
            ]
        );
    }

    #[test]
    fn the_slugs_are_sorted_so_that_one_is_found() {
        assert!(SLUGS.is_sorted());
    }
}
