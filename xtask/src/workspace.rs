//! What `cargo metadata` says of the workspace: the few fields that the tasks read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

use crate::failure::Failure;

#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    pub(crate) target_directory: PathBuf,
    pub(crate) packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    /// `None`: may be published anywhere. An empty list: not published.
    #[serde(default)]
    pub(crate) publish: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) dependencies: Vec<Dependency>,
    #[serde(default)]
    pub(crate) features: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) targets: Vec<Target>,
    #[serde(default)]
    pub(crate) version: String,
    #[serde(flatten)]
    pub(crate) about: About,
}

/// What a registry shows of a package.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct About {
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) keywords: Vec<String>,
    #[serde(default)]
    pub(crate) categories: Vec<String>,
    pub(crate) readme: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) rust_version: Option<String>,
    #[serde(default)]
    pub(crate) metadata: serde_json::Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) kind: Option<Kind>,
    /// The version requirement; `*` where the manifest gives a path alone.
    pub(crate) req: String,
    #[serde(default)]
    pub(crate) optional: bool,
    #[serde(default)]
    pub(crate) features: Vec<String>,
    /// Present for a dependency by path, so for every other member.
    #[serde(default)]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Dev,
    Build,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}

impl Workspace {
    /// Asks cargo about the workspace that xtask itself belongs to.
    pub(crate) fn load() -> Result<Self, Failure> {
        let mut command = cargo();
        command.args(["metadata", "--no-deps", "--format-version=1"]);
        // xtask may be started from any folder; its own manifest tells which workspace is meant.
        command
            .arg("--manifest-path")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        let output = command
            .output()
            .map_err(|error| Failure::broken(format!("cargo metadata did not start: {error}")))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::broken(format!(
                "cargo metadata failed:\n{}",
                stderr.trim_end()
            )));
        }
        Self::parse(&output.stdout)
            .map_err(|error| Failure::broken(format!("cargo metadata could not be read: {error}")))
    }

    /// Reads what somebody saved from `cargo metadata --format-version=1`.
    pub(crate) fn from_file(path: &Path) -> Result<Self, Failure> {
        let expected = "the output of `cargo metadata --no-deps --format-version=1`";
        let bytes = fs::read(path).map_err(|error| {
            Failure::usage(format!("{}: {error}; expected {expected}", path.display()))
        })?;
        Self::parse(&bytes).map_err(|error| {
            Failure::usage(format!("{}: {error}; expected {expected}", path.display()))
        })
    }

    pub(crate) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// The member that is meant by `ratelimit` or by `seawall-ratelimit`.
    pub(crate) fn named(&self, name: &str) -> Result<&Package, Failure> {
        let full = format!("seawall-{name}");
        self.package(name)
            .or_else(|| self.package(&full))
            .ok_or_else(|| {
                let mut names: Vec<_> = self.packages.iter().map(|p| p.name.as_str()).collect();
                names.sort_unstable();
                Failure::usage(format!(
                    "unknown package `{name}`; expected one of {}",
                    names.join(", ")
                ))
            })
    }

    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| package.is_published())
    }

    /// `package` and every member that it depends on, at however many removes.
    pub(crate) fn closure<'a>(&'a self, package: &'a Package) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut open = vec![package];
        while let Some(package) = open.pop() {
            if found.insert(package.name.as_str()) {
                let members = package
                    .dependencies
                    .iter()
                    .filter_map(|d| self.package(&d.name));
                open.extend(members);
            }
        }
        found
    }
}

impl Package {
    pub(crate) fn is_published(&self) -> bool {
        self.publish
            .as_ref()
            .is_none_or(|registries| !registries.is_empty())
    }

    /// Whether it is a crate of procedural macros, which another one shows.
    pub(crate) fn is_macro(&self) -> bool {
        let mut kinds = self.targets.iter().flat_map(|target| &target.kind);
        kinds.any(|kind| kind == "proc-macro")
    }

    /// The folder of the package relative to the workspace, as `crates/web`.
    pub(crate) fn folder<'a>(&'a self, workspace: &Workspace) -> &'a Path {
        let folder = self.manifest_path.parent().unwrap_or(Path::new(""));
        folder.strip_prefix(&workspace.root).unwrap_or(folder)
    }
}

/// The cargo that runs xtask, so that the toolchain stays the same.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(json: &str) -> Workspace {
        Workspace::parse(json.as_bytes()).unwrap()
    }

    const CHAIN: &str = r#"{"workspace_root": "/w", "target_directory": "/w/target", "packages": [
        {"name": "shop", "manifest_path": "/w/examples/shop/Cargo.toml", "publish": [],
         "dependencies": [{"name": "seawall-redis", "req": "*", "path": "/w/crates/redis"}]},
        {"name": "seawall-redis", "manifest_path": "/w/crates/redis/Cargo.toml", "publish": null,
         "dependencies": [{"name": "redis", "req": "^1"}]}]}"#;

    #[test]
    fn a_member_is_found_by_its_short_name_too() {
        let workspace = workspace(CHAIN);
        assert_eq!(workspace.named("redis").unwrap().name, "seawall-redis");
        assert_eq!(
            workspace.named("seawall-redis").unwrap().name,
            "seawall-redis"
        );
        let Err(Failure::Usage(message)) = workspace.named("radish") else {
            panic!("found a package that is not there");
        };
        assert!(
            message.contains("`radish`") && message.contains("seawall-redis"),
            "{message}"
        );
    }

    #[test]
    fn the_closure_holds_members_only() {
        let workspace = workspace(CHAIN);
        let closure = workspace.closure(workspace.package("shop").unwrap());
        assert_eq!(
            closure.into_iter().collect::<Vec<_>>(),
            ["seawall-redis", "shop"]
        );
    }

    #[test]
    fn an_empty_publish_list_means_unpublished() {
        let workspace = workspace(CHAIN);
        let published: Vec<_> = workspace.published().map(|p| p.name.as_str()).collect();
        assert_eq!(published, ["seawall-redis"]);
    }

    #[test]
    fn the_folder_is_told_from_the_workspace_root() {
        let workspace = workspace(CHAIN);
        let shop = workspace.package("shop").unwrap();
        assert_eq!(shop.folder(&workspace), Path::new("examples/shop"));
    }
}
