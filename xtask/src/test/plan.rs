//! Which packages are tested, and which servers that takes.

use crate::{
    failure::Failure,
    servers::Kind,
    workspace::{Package, Workspace},
};

/// What one run of the tests covers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Full names; empty stands for the whole workspace.
    packages: Vec<String>,
    /// Those of them that have a library, which alone can have doc tests.
    libraries: Vec<String>,
    pub(super) servers: Vec<Kind>,
    /// Whether one of them runs external test data, in a test target named `vectors`.
    pub(super) has_vectors: bool,
}

impl Plan {
    pub(super) fn new(workspace: &Workspace, names: &[String]) -> Result<Self, Failure> {
        let chosen: Vec<&Package> = if names.is_empty() {
            workspace.packages.iter().collect()
        } else {
            names
                .iter()
                .map(|name| workspace.named(name))
                .collect::<Result<_, _>>()?
        };
        // A member whose tests run through a store crate needs that store's server as well.
        let servers = Kind::ALL.into_iter().filter(|kind| {
            chosen
                .iter()
                .any(|package| workspace.closure(package).contains(kind.member()))
        });
        let servers = servers.collect();
        let full = |packages: &[&Package]| packages.iter().map(|p| p.name.clone()).collect();
        let libraries: Vec<_> = chosen.iter().copied().filter(|p| has_library(p)).collect();
        let targets = || chosen.iter().flat_map(|package| &package.targets);
        Ok(Self {
            has_vectors: targets().any(|t| t.name == "vectors" && t.kind == ["test"]),
            packages: if names.is_empty() {
                Vec::new()
            } else {
                full(&chosen)
            },
            libraries: full(&libraries),
            servers,
        })
    }

    /// The options by which cargo selects the packages.
    pub(super) fn selection(&self) -> Vec<String> {
        if self.packages.is_empty() {
            return vec!["--workspace".to_owned()];
        }
        by_name(&self.packages)
    }

    pub(super) fn has_doc_tests(&self) -> bool {
        !self.libraries.is_empty()
    }

    /// Cargo refuses `--doc` for a named package without a library.
    pub(super) fn doc_selection(&self) -> Vec<String> {
        by_name(&self.libraries)
    }
}

fn by_name(packages: &[String]) -> Vec<String> {
    packages
        .iter()
        .flat_map(|name| ["-p".to_owned(), name.clone()])
        .collect()
}

fn has_library(package: &Package) -> bool {
    let kinds = || package.targets.iter().flat_map(|target| &target.kind);
    kinds().any(|kind| kind == "lib" || kind == "proc-macro")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        let json = r#"{"workspace_root": "/w", "target_directory": "/w/target", "packages": [
            {"name": "seawall-breaker", "manifest_path": "/w/crates/breaker/Cargo.toml",
             "targets": [{"name": "seawall_breaker", "kind": ["lib"]}]},
            {"name": "seawall-redis", "manifest_path": "/w/crates/redis/Cargo.toml",
             "targets": [{"name": "seawall_redis", "kind": ["lib"]},
                         {"name": "vectors", "kind": ["test"]}]},
            {"name": "shop", "manifest_path": "/w/examples/shop/Cargo.toml", "publish": [],
             "dependencies": [{"name": "seawall-redis", "req": "*", "path": "/w/crates/redis"}],
             "targets": [{"name": "shop", "kind": ["bin"]}]}]}"#;
        Workspace::parse(json.as_bytes()).unwrap()
    }

    fn plan(names: &[&str]) -> Plan {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        Plan::new(&workspace(), &names).unwrap()
    }

    #[test]
    fn without_names_the_whole_workspace_is_tested() {
        let plan = plan(&[]);
        assert_eq!(plan.selection(), ["--workspace"]);
        assert_eq!(plan.servers, [Kind::Redis]);
    }

    #[test]
    fn a_leaf_needs_no_server() {
        assert_eq!(plan(&["breaker"]).servers, []);
    }

    #[test]
    fn a_store_needs_its_server_and_so_does_what_rests_on_it() {
        assert_eq!(plan(&["redis"]).servers, [Kind::Redis]);
        assert_eq!(plan(&["shop"]).servers, [Kind::Redis]);
    }

    #[test]
    fn doc_tests_are_asked_of_libraries_only() {
        assert!(!plan(&["shop"]).has_doc_tests());
        assert_eq!(
            plan(&["shop", "breaker"]).doc_selection(),
            ["-p", "seawall-breaker"]
        );
    }

    #[test]
    fn external_test_data_is_noticed_where_it_is_run() {
        assert!(plan(&["redis"]).has_vectors);
        assert!(!plan(&["breaker"]).has_vectors);
    }

    #[test]
    fn an_unknown_name_is_a_usage_failure() {
        let failure = Plan::new(&workspace(), &["radish".to_owned()]).unwrap_err();
        assert!(matches!(failure, Failure::Usage(_)), "{failure}");
    }
}
