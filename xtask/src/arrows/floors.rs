//! Which floor each member stands on, and what it may rest on. A new crate gets its line here.

use std::path::Path;

/// What a member is in the house. The order of the variants is no ranking; [`Role::may_use`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Answers one question and knows no other member but its own derive crate.
    Leaf { tokio: Tokio },
    /// The procedural macros of a leaf.
    Derive,
    /// One backend for the leaves' store traits.
    Store,
    /// The leaves' observers.
    Telemetry,
    /// What the leaves' values mean on the web, without I/O and without anybody's http types.
    Web,
    /// Layers on http 1.
    Tower,
    /// Glue for axum.
    Axum,
    /// Glue for actix, which is on an older http than everybody else.
    Actix,
    /// Examples, benches, docs and tasks: not published, may use everything.
    Ground,
}

/// How much of tokio a leaf may carry into its users' trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tokio {
    Never,
    /// Behind a feature of the leaf.
    Optional,
    /// Always, but neither sockets nor files.
    WithoutIo,
}

/// The published crates by folder.
const CRATES: &[(&str, Role)] = &[
    (
        "ratelimit",
        Role::Leaf {
            tokio: Tokio::Optional,
        },
    ),
    (
        "breaker",
        Role::Leaf {
            tokio: Tokio::Never,
        },
    ),
    (
        "idempotency",
        Role::Leaf {
            tokio: Tokio::WithoutIo,
        },
    ),
    (
        "timeout",
        Role::Leaf {
            tokio: Tokio::WithoutIo,
        },
    ),
    (
        "validate",
        Role::Leaf {
            tokio: Tokio::Never,
        },
    ),
    (
        "signing",
        Role::Leaf {
            tokio: Tokio::Never,
        },
    ),
    (
        "errors",
        Role::Leaf {
            tokio: Tokio::Never,
        },
    ),
    (
        "degrade",
        Role::Leaf {
            tokio: Tokio::WithoutIo,
        },
    ),
    (
        "health",
        Role::Leaf {
            tokio: Tokio::WithoutIo,
        },
    ),
    ("validate-derive", Role::Derive),
    ("errors-derive", Role::Derive),
    ("redis", Role::Store),
    ("postgres", Role::Store),
    ("sqlite", Role::Store),
    ("telemetry", Role::Telemetry),
    ("web", Role::Web),
    ("tower", Role::Tower),
    ("axum", Role::Axum),
    ("actix", Role::Actix),
];

impl Role {
    /// The role of the member in `folder` (relative to the workspace), if it has one.
    pub(super) fn of(folder: &Path) -> Option<Self> {
        let mut parts = folder.iter().filter_map(|part| part.to_str());
        match (parts.next(), parts.next(), parts.next()) {
            (Some("crates"), Some(name), None) => CRATES
                .iter()
                .find(|(known, _)| *known == name)
                .map(|&(_, role)| role),
            (Some("examples"), Some(_), None) => Some(Self::Ground),
            (Some("benches" | "docs" | "xtask"), None, None) => Some(Self::Ground),
            _ => None,
        }
    }

    pub(super) fn is_without_runtime(self) -> bool {
        self == Self::Leaf {
            tokio: Tokio::Never,
        }
    }

    /// Whether a member of this role may depend on one of role `other`. A leaf and its derive
    /// crate are told apart by name, elsewhere.
    pub(super) fn may_use(self, other: Self) -> bool {
        match self {
            Self::Ground => true,
            Self::Leaf { .. } | Self::Derive => false,
            Self::Store | Self::Telemetry | Self::Web => matches!(other, Self::Leaf { .. }),
            Self::Tower => matches!(other, Self::Leaf { .. } | Self::Web),
            Self::Axum => !matches!(
                other,
                Self::Ground | Self::Derive | Self::Axum | Self::Actix
            ),
            Self::Actix => matches!(
                other,
                Self::Leaf { .. } | Self::Store | Self::Telemetry | Self::Web
            ),
        }
    }

    /// What [`Role::may_use`] allows, in words.
    pub(super) fn allowance(self) -> &'static str {
        match self {
            Self::Ground => "anything",
            Self::Leaf { .. } => "no other member than its own derive crate",
            Self::Derive => "no other member",
            Self::Store => "leaves only (it is a store)",
            Self::Telemetry | Self::Web => "leaves only",
            Self::Tower => "web and leaves only",
            Self::Axum => "tower, web, telemetry, stores and leaves only",
            Self::Actix => "web, telemetry, stores and leaves only",
        }
    }

    /// Why a foreign crate of this name may not be a direct dependency, if so.
    pub(super) fn refuses_foreign(self, name: &str) -> Option<&'static str> {
        let framework = FRAMEWORKS.contains(&name);
        let http = HTTP.contains(&name);
        let driver = DRIVERS.contains(&name);
        match self {
            Self::Leaf { .. } | Self::Derive if framework || http || driver => {
                Some("a leaf knows neither frameworks nor drivers")
            }
            Self::Web if framework || http || driver || name == "tokio" => {
                Some("web is pure: no framework, no http types, no I/O")
            }
            Self::Store | Self::Telemetry if framework || http => {
                Some("a store or telemetry knows no framework")
            }
            Self::Tower if matches!(name, "axum" | "axum-core" | "actix-web" | "actix-http") => {
                Some("tower serves every framework and names none")
            }
            Self::Axum if name.starts_with("actix") => Some("axum knows nothing of actix"),
            Self::Actix if (framework && !name.starts_with("actix")) || http => {
                Some("actix has http types of its own: an http 1 type would not be the same type")
            }
            _ => None,
        }
    }
}

const FRAMEWORKS: &[&str] = &[
    "actix-http",
    "actix-web",
    "axum",
    "axum-core",
    "poem",
    "rocket",
    "salvo",
    "tonic",
    "tower",
    "tower-http",
    "tower-layer",
    "tower-service",
    "warp",
];

const HTTP: &[&str] = &["http", "http-body", "http-body-util", "hyper", "hyper-util"];

const DRIVERS: &[&str] = &[
    "deadpool-postgres",
    "deadpool-redis",
    "diesel",
    "fred",
    "postgres",
    "redis",
    "rusqlite",
    "sqlx",
    "tokio-postgres",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_has_its_role_by_folder() {
        assert_eq!(Role::of(Path::new("crates/web")), Some(Role::Web));
        assert_eq!(Role::of(Path::new("examples/shop")), Some(Role::Ground));
        assert_eq!(Role::of(Path::new("xtask")), Some(Role::Ground));
        assert_eq!(Role::of(Path::new("crates/unheard-of")), None);
        assert_eq!(Role::of(Path::new("crates/web/fuzz")), None);
    }

    #[test]
    fn nothing_published_rests_on_the_ground() {
        for &(name, role) in CRATES {
            assert!(!role.may_use(Role::Ground), "{name}");
        }
    }

    #[test]
    fn no_two_roles_may_use_each_other() {
        for &(a, role_a) in CRATES {
            for &(b, role_b) in CRATES {
                assert!(
                    !(role_a.may_use(role_b) && role_b.may_use(role_a)),
                    "{a} and {b}"
                );
            }
        }
    }
}
