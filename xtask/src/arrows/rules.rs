//! The rules on arrows, as a function from the workspace to sentences about what is wrong.

use std::path::Path;

use super::floors::{Role, Tokio};
use crate::workspace::{Dependency, Kind, Package, Workspace};

/// Every fault, in the order of the packages. Empty: the house stands.
pub(super) fn check(workspace: &Workspace) -> Vec<String> {
    let mut faults = Vec::new();
    for package in &workspace.packages {
        let folder = package.folder(workspace);
        let Some(role) = Role::of(folder) else {
            faults.push(no_floor(package, folder));
            continue;
        };
        faults.extend(misplaced(package, folder, role));
        for dependency in &package.dependencies {
            // A member may depend on itself for its own tests, to switch a feature on.
            if dependency.name == package.name {
                continue;
            }
            let fault = match dependency.path {
                Some(_) => between_members(workspace, package, role, dependency),
                None => to_foreign(package, role, dependency),
            };
            faults.extend(fault);
        }
    }
    faults
}

fn no_floor(package: &Package, folder: &Path) -> String {
    format!(
        "{} ({}) stands on no floor: add it to CRATES in xtask/src/arrows/floors.rs and to \
         docs/ARCHITECTURE.md",
        package.name,
        folder.display()
    )
}

/// A published crate is `seawall-<folder>`; what is on the ground floor is not published.
fn misplaced(package: &Package, folder: &Path, role: Role) -> Option<String> {
    if role == Role::Ground {
        return package.is_published().then(|| {
            format!(
                "{} ({}) needs `publish = false`",
                package.name,
                folder.display()
            )
        });
    }
    let name = folder.file_name()?.to_str()?;
    (package.name != format!("seawall-{name}")).then(|| {
        format!(
            "{} lives in {}: expected the name `seawall-{name}`",
            package.name,
            folder.display()
        )
    })
}

fn between_members(
    workspace: &Workspace,
    package: &Package,
    role: Role,
    dependency: &Dependency,
) -> Option<String> {
    let arrow = format!(
        "{} -> {}{}",
        package.name,
        dependency.name,
        kind(dependency)
    );
    let Some(target) = workspace.package(&dependency.name) else {
        return Some(format!("{arrow}: a path that leads out of the workspace"));
    };
    // A target without a floor is reported for itself.
    let target_role = Role::of(target.folder(workspace))?;
    let own_derive = matches!(role, Role::Leaf { .. })
        && target_role == Role::Derive
        && target.name == format!("{}-derive", package.name);
    if !role.may_use(target_role) && !own_derive {
        return Some(format!(
            "{arrow}: {} may use {}",
            package.name,
            role.allowance()
        ));
    }
    // With a version, `cargo package` wants the other crate published first, for a mere test.
    let versioned_test =
        package.is_published() && dependency.kind == Some(Kind::Dev) && dependency.req != "*";
    versioned_test.then(|| {
        format!("{arrow}: a dev-dependency on a member is by path alone, without a version")
    })
}

fn to_foreign(package: &Package, role: Role, dependency: &Dependency) -> Option<String> {
    // What only tests and benches see never reaches a user's tree.
    if dependency.kind == Some(Kind::Dev) {
        return None;
    }
    let arrow = format!(
        "{} -> {}{}",
        package.name,
        dependency.name,
        kind(dependency)
    );
    if let Some(reason) = role.refuses_foreign(&dependency.name) {
        return Some(format!("{arrow}: {reason}"));
    }
    let Role::Leaf { tokio } = role else {
        return None;
    };
    if dependency.name != "tokio" {
        return None;
    }
    let io = dependency
        .features
        .iter()
        .find(|f| matches!(f.as_str(), "net" | "fs" | "full"));
    match tokio {
        Tokio::Never => Some(format!("{arrow}: this leaf works without a runtime")),
        Tokio::Optional if !dependency.optional => Some(format!(
            "{arrow}: this leaf takes tokio behind a feature only"
        )),
        Tokio::Optional | Tokio::WithoutIo => {
            io.map(|feature| format!("{arrow}: no leaf needs tokio's feature `{feature}`"))
        }
    }
}

fn kind(dependency: &Dependency) -> &'static str {
    match dependency.kind {
        None => "",
        Some(Kind::Dev) => " (dev)",
        Some(Kind::Build) => " (build)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A house that stands, with a package for each role; `manifests` replace or add to it.
    fn house(manifests: &[(&str, &str)]) -> Workspace {
        let sound = [
            ("crates/breaker", None),
            ("crates/ratelimit", None),
            ("crates/timeout", None),
            ("crates/validate", Some("seawall-validate-derive")),
            ("crates/validate-derive", None),
            ("crates/redis", Some("seawall-ratelimit")),
            ("crates/telemetry", Some("seawall-breaker")),
            ("crates/web", Some("seawall-ratelimit")),
            ("crates/tower", Some("seawall-web")),
            ("crates/axum", Some("seawall-tower")),
            ("crates/actix", Some("seawall-web")),
            ("xtask", None),
        ];
        let sound = sound.map(|(folder, name)| (folder, name.map(arrow_to).unwrap_or_default()));
        let replaced = |folder: &str| manifests.iter().any(|(other, _)| *other == folder);
        let kept = sound.iter().filter(|(folder, _)| !replaced(folder));
        let packages: Vec<_> = kept
            .map(|(folder, dependencies)| (*folder, dependencies.as_str()))
            .chain(manifests.iter().copied())
            .map(|(folder, dependencies)| {
                let name = match folder.strip_prefix("crates/") {
                    Some(name) => format!("seawall-{name}"),
                    None => folder.rsplit('/').next().unwrap().to_owned(),
                };
                let publish = ["[]", "null"][usize::from(folder.starts_with("crates/"))];
                format!(
                    r#"{{"name": "{name}", "manifest_path": "/w/{folder}/Cargo.toml",
                        "publish": {publish}, "dependencies": [{dependencies}]}}"#
                )
            })
            .collect();
        let json = format!(
            r#"{{"workspace_root": "/w", "target_directory": "/w/target", "packages": [{}]}}"#,
            packages.join(", ")
        );
        Workspace::parse(json.as_bytes()).unwrap()
    }

    fn arrow_to(name: &str) -> String {
        format!(r#"{{"name": "{name}", "req": "^0.1", "path": "/"}}"#)
    }

    fn dev_arrow_to(name: &str, req: &str) -> String {
        format!(r#"{{"name": "{name}", "kind": "dev", "req": "{req}", "path": "/"}}"#)
    }

    #[track_caller]
    fn breaks(folder: &str, dependency: &str, expected: &str) {
        let faults = check(&house(&[(folder, dependency)]));
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].contains(expected),
            "{:?} does not say {expected:?}",
            faults[0]
        );
    }

    #[track_caller]
    fn stands(folder: &str, dependency: &str) {
        let faults = check(&house(&[(folder, dependency)]));
        assert!(faults.is_empty(), "{faults:?}");
    }

    #[test]
    fn the_sound_house_stands() {
        assert_eq!(check(&house(&[])), Vec::<String>::new());
    }

    #[test]
    fn a_leaf_knows_no_other_leaf() {
        breaks(
            "crates/breaker",
            &arrow_to("seawall-ratelimit"),
            "own derive crate",
        );
    }

    #[test]
    fn a_leaf_knows_no_other_leaf_even_in_its_tests() {
        breaks(
            "crates/breaker",
            &dev_arrow_to("seawall-ratelimit", "*"),
            "(dev)",
        );
    }

    #[test]
    fn a_leaf_uses_only_its_own_derive_crate() {
        breaks(
            "crates/breaker",
            &arrow_to("seawall-validate-derive"),
            "own derive crate",
        );
    }

    #[test]
    fn a_member_may_name_itself_for_its_tests() {
        stands("crates/breaker", &dev_arrow_to("seawall-breaker", "*"));
    }

    #[test]
    fn a_derive_crate_knows_nobody() {
        breaks(
            "crates/validate-derive",
            &dev_arrow_to("seawall-validate", "*"),
            "no other member",
        );
    }

    #[test]
    fn a_store_knows_leaves_only() {
        breaks("crates/redis", &arrow_to("seawall-web"), "it is a store");
    }

    #[test]
    fn telemetry_knows_leaves_only() {
        breaks(
            "crates/telemetry",
            &arrow_to("seawall-tower"),
            "leaves only",
        );
    }

    #[test]
    fn web_knows_leaves_only() {
        breaks("crates/web", &arrow_to("seawall-redis"), "leaves only");
    }

    #[test]
    fn tower_knows_web_and_leaves_only() {
        breaks(
            "crates/tower",
            &arrow_to("seawall-axum"),
            "web and leaves only",
        );
        breaks(
            "crates/tower",
            &arrow_to("seawall-telemetry"),
            "web and leaves only",
        );
    }

    #[test]
    fn axum_does_not_know_actix() {
        breaks("crates/axum", &arrow_to("seawall-actix"), "tower, web");
    }

    #[test]
    fn actix_never_rests_on_tower_or_http_1() {
        breaks("crates/actix", &arrow_to("seawall-tower"), "web, telemetry");
        breaks(
            "crates/actix",
            r#"{"name": "http", "req": "^1"}"#,
            "http types of its own",
        );
        breaks(
            "crates/actix",
            r#"{"name": "tower-service", "req": "^0.3"}"#,
            "http types",
        );
        stands("crates/actix", r#"{"name": "actix-web", "req": "^4"}"#);
    }

    #[test]
    fn nothing_published_rests_on_the_ground_floor() {
        breaks("crates/axum", &dev_arrow_to("xtask", "*"), "may use");
    }

    #[test]
    fn the_ground_floor_may_use_anything() {
        stands("examples/shop", &arrow_to("seawall-axum"));
    }

    #[test]
    fn an_unknown_crate_is_told_where_to_be_added() {
        breaks(
            "crates/surge",
            "",
            "add it to CRATES in xtask/src/arrows/floors.rs",
        );
        breaks("tools/surge", "", "stands on no floor");
    }

    #[test]
    fn a_crate_is_named_after_its_folder() {
        let json = r#"{"workspace_root": "/w", "target_directory": "/t", "packages": [
            {"name": "limits", "manifest_path": "/w/crates/ratelimit/Cargo.toml"}]}"#;
        let faults = check(&Workspace::parse(json.as_bytes()).unwrap());
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].contains("expected the name `seawall-ratelimit`"),
            "{faults:?}"
        );
    }

    #[test]
    fn the_ground_floor_is_not_published() {
        let json = r#"{"workspace_root": "/w", "target_directory": "/t", "packages": [
            {"name": "shop", "manifest_path": "/w/examples/shop/Cargo.toml", "publish": null}]}"#;
        let faults = check(&Workspace::parse(json.as_bytes()).unwrap());
        assert_eq!(faults, ["shop (examples/shop) needs `publish = false`"]);
    }

    #[test]
    fn a_path_out_of_the_workspace_is_a_fault() {
        breaks(
            "crates/web",
            &arrow_to("somebody-elses"),
            "leads out of the workspace",
        );
    }

    #[test]
    fn a_dev_dependency_on_a_member_has_no_version() {
        breaks(
            "crates/web",
            &dev_arrow_to("seawall-ratelimit", "^0.1.0"),
            "by path alone",
        );
        stands("crates/web", &dev_arrow_to("seawall-ratelimit", "*"));
        stands(
            "examples/shop",
            &dev_arrow_to("seawall-ratelimit", "^0.1.0"),
        );
    }

    #[test]
    fn leaves_know_neither_frameworks_nor_drivers() {
        breaks(
            "crates/breaker",
            r#"{"name": "http", "req": "^1"}"#,
            "neither frameworks",
        );
        breaks(
            "crates/breaker",
            r#"{"name": "redis", "req": "^1"}"#,
            "neither frameworks",
        );
        stands(
            "crates/breaker",
            r#"{"name": "http", "kind": "dev", "req": "^1"}"#,
        );
        stands("crates/redis", r#"{"name": "redis", "req": "^1"}"#);
        breaks(
            "crates/redis",
            r#"{"name": "axum", "req": "^0.8"}"#,
            "knows no framework",
        );
    }

    #[test]
    fn web_is_pure() {
        breaks(
            "crates/web",
            r#"{"name": "http", "req": "^1"}"#,
            "web is pure",
        );
        breaks(
            "crates/web",
            r#"{"name": "tokio", "req": "^1"}"#,
            "web is pure",
        );
    }

    #[test]
    fn tower_names_no_framework() {
        breaks(
            "crates/tower",
            r#"{"name": "axum-core", "req": "^0.5"}"#,
            "names none",
        );
        stands("crates/tower", r#"{"name": "tower-layer", "req": "^0.3"}"#);
    }

    #[test]
    fn tokio_is_kept_out_of_the_leaves_that_promise_it() {
        let tokio = |rest: &str| format!(r#"{{"name": "tokio", "req": "^1"{rest}}}"#);
        breaks(
            "crates/breaker",
            &tokio(r#", "optional": true"#),
            "without a runtime",
        );
        breaks("crates/ratelimit", &tokio(""), "behind a feature only");
        stands(
            "crates/ratelimit",
            &tokio(r#", "optional": true, "features": ["time"]"#),
        );
        stands("crates/timeout", &tokio(r#", "features": ["time"]"#));
        breaks(
            "crates/timeout",
            &tokio(r#", "features": ["net"]"#),
            "`net`",
        );
        stands(
            "crates/breaker",
            &tokio(r#", "kind": "dev", "features": ["full"]"#),
        );
    }
}
