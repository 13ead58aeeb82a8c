//! Restarts, kills, and two processes on one file. The test binary runs itself as the other process.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use seawall_signing::Claim;

use crate::support::{File, claim};

const NAMES: u8 = 40;

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let file = File::new();
    assert_eq!(claim(&file.open(), 1).await, Claim::Fresh);
    assert_eq!(claim(&file.open(), 1).await, Claim::Replayed);
}

#[tokio::test]
async fn a_killed_process_has_kept_what_it_answered() {
    let file = File::new();
    let mut child = start(&file.path(), "then-hang");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let done = lines.any(|line| line.unwrap().contains("fresh: "));
    assert!(done, "the other process claims");
    child.kill().unwrap();
    child.wait().unwrap();
    let store = file.open();
    for name in 0..NAMES {
        assert_eq!(claim(&store, name).await, Claim::Replayed);
    }
}

#[test]
fn two_processes_have_one_winner_for_each_message() {
    let file = File::new();
    drop(file.open());
    let children = [(); 2].map(|()| start(&file.path(), "then-end"));
    let fresh: u32 = children
        .into_iter()
        .map(|mut child| {
            let mut text = String::new();
            child
                .stdout
                .take()
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            assert!(child.wait().unwrap().success(), "{text}");
            let (_, rest) = text.split_once("fresh: ").unwrap();
            rest.lines().next().unwrap().trim().parse::<u32>().unwrap()
        })
        .sum();
    assert_eq!(fresh, u32::from(NAMES));
}

fn start(path: &Path, what: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([
            "processes::the_other_process",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env("SEAWALL_SQLITE_TEST", path)
        .env("SEAWALL_SQLITE_TEST_WHAT", what)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
#[ignore = "the other process of the tests above"]
async fn the_other_process() {
    let Some(path) = env::var_os("SEAWALL_SQLITE_TEST") else {
        return;
    };
    let store = seawall_sqlite::SqliteStore::open(path).unwrap();
    let mut fresh = 0;
    for name in 0..NAMES {
        fresh += u32::from(claim(&store, name).await == Claim::Fresh);
    }
    println!("fresh: {fresh}");
    if env::var("SEAWALL_SQLITE_TEST_WHAT").unwrap() == "then-hang" {
        std::future::pending::<()>().await;
    }
}
