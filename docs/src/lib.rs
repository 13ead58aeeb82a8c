//! The front page and the guide of Seawall as tests: every Rust block of `README.md`,
//! `docs/MIGRATING.md` and `docs/guide/*.md` is compiled and run by `cargo test -p seawall-docs --doc`.
//!
//! There is nothing to call here. A chapter that uses another crate needs that crate among the
//! dependencies of this package, which no published crate sees.

include!(concat!(env!("OUT_DIR"), "/chapters.rs"));
