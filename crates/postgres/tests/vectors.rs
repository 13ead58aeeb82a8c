//! Replays exact traces: a few facts kept in the repository, and every file of
//! `$SEAWALL_VECTORS/ratelimit` if that is set.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use seawall_ratelimit::ManualClock;
use seawall_ratelimit::conformance::run_vectors;
use support::{Postgres, patient, unique};

fn folders() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../ratelimit/tests/data")];
    match std::env::var_os("SEAWALL_VECTORS") {
        Some(dir) if Path::new(&dir).join("ratelimit").is_dir() => {
            folders.push(Path::new(&dir).join("ratelimit"));
        }
        Some(dir) => println!("{} has no folder ratelimit", dir.display()),
        None => println!("SEAWALL_VECTORS is not set"),
    }
    folders
}

#[tokio::test]
async fn traces() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let clock = Arc::new(ManualClock::new());
    let store = patient(postgres.url()).conformance_clock(Arc::clone(&clock));
    let store = store.connect().await.unwrap();
    store.migrate().await.unwrap();
    for dir in folders() {
        let counts = run_vectors(&dir, &store, &clock, &unique()).await;
        println!("postgres: {}: {counts}", dir.display());
        assert!(counts.traces > 0, "{}", dir.display());
    }
}
