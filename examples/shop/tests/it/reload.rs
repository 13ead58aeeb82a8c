//! SIGHUP: the configuration is read again.

use std::fs;

use crate::process::{Shop, ask};

fn expensive(shop: &Shop) -> String {
    let answer = ask(&shop.api, "POST /api/expensive-operation", "");
    answer["HTTP/1.1 ".len()..][..3].to_owned()
}

/// Waits for the line that says so.
fn hear(log: &mut impl Iterator<Item = String>, text: &str) {
    assert!(log.any(|line| line.contains(text)), "no line says {text}");
}

#[test]
fn on_axum_a_new_file_holds_after_sighup_and_a_broken_one_keeps_the_old() {
    check("axum");
}

#[test]
fn on_actix_a_new_file_holds_after_sighup_and_a_broken_one_keeps_the_old() {
    check("actix");
}

fn check(framework: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.toml");
    let write = |text: &str| fs::write(&file, text).unwrap();
    write("limits.expensive_operation = '2/hour'");
    let file_name = file.to_str().unwrap();
    let (shop, mut log) = Shop::start_logging(&[
        "--framework",
        framework,
        "--store",
        "memory",
        "--config",
        file_name,
    ]);
    assert_eq!(expensive(&shop), "200");

    // Half of two is half of four: two are left.
    write("limits.expensive_operation = '4/hour'\nbody_limit = 4\nlimits.api = '77/minute'");
    shop.signal("HUP");
    hear(&mut log, "is in force");
    assert_eq!(
        (expensive(&shop), expensive(&shop)),
        ("200".into(), "200".into())
    );
    assert_eq!(expensive(&shop), "429");
    // Whichever worker answers.
    for _ in 0..8 {
        let long = ask(&shop.api, "POST /api/users", "{\"x\":1}");
        assert!(long.starts_with("HTTP/1.1 413"), "{long}");
        let limit = "x-ratelimit-limit: 77\r\n";
        assert!(long.to_ascii_lowercase().contains(limit), "{long}");
    }

    for broken in [
        "limits.expensive_operation = 'many'",
        "limits.expensive_operation = '99/second'\ntrusted_proxies = ['10.0.0.0/8']",
    ] {
        write(broken);
        shop.signal("HUP");
        hear(&mut log, "the old one stays in force");
        assert_eq!(expensive(&shop), "429");
    }
}
