//! The shop as an operator meets it: a process with a command line, two listeners and signals.

#![allow(clippy::unwrap_used, reason = "tests")]

mod openapi;
mod order;
mod process;
mod reload;
mod telemetry;

use std::net::TcpListener;

use process::{Shop, ask, finished};

#[test]
fn prints_both_addresses_and_drains_on_sigterm() {
    let shop = Shop::start(&["--bare"]);
    assert!(ask(&shop.api, "GET /livez", "").starts_with("HTTP/1.1 200"));
    assert_eq!(shop.stop("TERM"), Some(0));
}

#[test]
fn drains_on_sigint_and_on_the_admin_listener_s_word() {
    assert_eq!(Shop::start(&[]).stop("INT"), Some(0));
    let shop = Shop::start(&[]);
    assert!(ask(&shop.admin, "POST /drain", "").starts_with("HTTP/1.1 202"));
    // The admin listener's word is the first; SIGINT does not wait for the pause.
    assert_eq!(shop.stop("INT"), Some(0));
}

#[test]
fn faults_are_set_by_name_and_show_in_the_metrics() {
    let shop = Shop::start(&["--bare"]);
    let set = |path: &str, body: &str| ask(&shop.admin, &format!("PUT {path}"), body);
    assert!(set("/faults/database", r#"{"mode":"error"}"#).starts_with("HTTP/1.1 204"));
    assert!(ask(&shop.api, "GET /api/users/1", "").starts_with("HTTP/1.1 500"));
    assert!(set("/faults/database", r#"{"mode":"ok"}"#).starts_with("HTTP/1.1 204"));
    assert!(ask(&shop.api, "GET /api/users/1", "").starts_with("HTTP/1.1 200"));
    assert!(set("/faults/oven", r#"{"mode":"ok"}"#).starts_with("HTTP/1.1 404"));
    assert!(set("/faults/database", r#"{"mode":"odd"}"#).starts_with("HTTP/1.1 422"));

    let metrics = ask(&shop.admin, "GET /metrics", "");
    assert!(
        metrics.contains("shop_component_calls_total{component=\"database\"} 2\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("shop_component_in_flight{component=\"database\"} 0\n"),
        "{metrics}"
    );
}

#[test]
fn bad_input_is_one_line_and_exit_code_2() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (args, named) in [
        (&["--listen", taken.as_str()][..], taken.as_str()),
        (&["--listen", "127.0.0.1:0", "--admin", &taken], &taken),
        (&["--listen", "nowhere"], "nowhere"),
        (&["--nonsense"], "--nonsense"),
        (&["--listen", "0.0.0.0:0"], "webhook_secret"),
    ] {
        let (code, stdout, stderr) = finished(args);
        assert_eq!(code, Some(2), "{args:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
        assert!(stderr.contains(named), "{args:?}: {stderr}");
        assert!(stderr.contains("expected"), "{args:?}: {stderr}");
        assert_eq!(stdout, "", "{args:?}");
    }
}

#[test]
fn a_drain_fails_readiness_first_and_a_second_signal_cuts_the_pause() {
    let folder = std::env::temp_dir().join(format!("shop-drain-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("shop.toml");
    std::fs::write(
        &file,
        "[health]\nevery = \"20ms\"\n[drain]\npause = \"1h\"\n",
    )
    .unwrap();
    let shop = Shop::start(&["--config", file.to_str().unwrap()]);
    let ready = |status: &str| {
        while !ask(&shop.api, "GET /readyz", "").starts_with(&format!("HTTP/1.1 {status}")) {
            std::thread::yield_now();
        }
    };
    ready("200");
    assert!(ask(&shop.admin, "POST /drain", "").starts_with("HTTP/1.1 202"));
    ready("503");
    // In the pause everything else goes on.
    assert!(ask(&shop.api, "GET /livez", "").starts_with("HTTP/1.1 200"));
    let page = ask(&shop.api, "GET /api/dashboard", "");
    assert!(page.ends_with(DASHBOARD), "{page}");
    assert_eq!(shop.stop("TERM"), Some(0));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_dashboard_comes_with_what_there_is() {
    let shop = Shop::start(&[]);
    assert!(ask(&shop.api, "GET /api/dashboard", "").ends_with(DASHBOARD));
    let down = ask(
        &shop.admin,
        "PUT /faults/notifications",
        r#"{"mode":"panic"}"#,
    );
    assert!(down.starts_with("HTTP/1.1 204"));
    let page = ask(&shop.api, "GET /api/dashboard", "");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("cache-control: no-store"), "{page}");
    assert!(
        page.ends_with(
            r#"{"data":{"user":{"id":1,"name":"Alice"},"notifications":[],"recommendations":[{"id":4,"title":"Storm jacket"}]},"partial":true,"errors":[{"component":"notifications","error":"unavailable"}]}"#
        ),
        "{page}"
    );
}

const DASHBOARD: &str = r#"{"data":{"user":{"id":1,"name":"Alice"},"notifications":[{"id":1,"text":"Your lantern has been shipped"}],"recommendations":[{"id":4,"title":"Storm jacket"}]},"partial":false,"errors":[]}"#;

#[test]
fn a_short_webhook_secret_is_refused_at_the_start() {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/short-secret.toml");
    std::fs::write(file, "webhook_secret = \"fifteen bytes..\"\n").unwrap();
    let (code, stdout, stderr) = finished(&["--listen", "127.0.0.1:0", "--config", file]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("webhook_secret"), "{stderr}");
    assert!(stderr.contains("16"), "{stderr}");
    assert!(!stderr.contains("fifteen"), "{stderr}");
}

/// A payment by this key; the status line and headers, and the body.
fn pay(shop: &Shop, key: &str, body: &str) -> (String, String) {
    let line = format!("POST /api/payments HTTP/1.1\r\nidempotency-key: {key}\r\nx-rest:");
    let answer = ask(&shop.api, &line, body);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

const TEN_EURO: &str = r#"{"amount":1000,"currency":"EUR","customer":"c-1"}"#;

#[test]
fn a_payment_is_made_once_whatever_keeps_its_record() {
    for store in ["memory", "sqlite"] {
        let shop = Shop::start(&["--store", store]);
        let (first, receipt) = pay(&shop, "k-1", TEN_EURO);
        assert!(first.starts_with("HTTP/1.1 201"), "{first} {receipt}");
        assert!(!first.contains("idempotent-replayed"), "{first}");
        assert_eq!(
            receipt,
            r#"{"payment_id":"pay_1","amount":1000,"currency":"EUR","customer":"c-1"}"#
        );
        let (again, same) = pay(&shop, "k-1", TEN_EURO);
        assert!(again.contains("idempotent-replayed: true"), "{again}");
        assert_eq!(same, receipt);
        let (other, _) = pay(&shop, "k-1", &TEN_EURO.replace("1000", "1001"));
        assert!(other.starts_with("HTTP/1.1 422"), "{other}");
        let (invalid, told) = pay(
            &shop,
            "k-2",
            r#"{"amount":0,"currency":"eur","customer":""}"#,
        );
        assert!(invalid.starts_with("HTTP/1.1 422"), "{invalid}");
        for field in ["amount", "currency", "customer"] {
            assert!(told.contains(&format!(r#""field":"{field}""#)), "{told}");
        }
        let (mended, _) = pay(&shop, "k-2", TEN_EURO);
        assert!(mended.starts_with("HTTP/1.1 201"), "{mended}");
        let keyless = ask(&shop.api, "POST /api/payments", TEN_EURO);
        assert!(keyless.contains("idempotency_key_missing"), "{keyless}");
        let ledger = ask(&shop.admin, "GET /ledger", "");
        assert_eq!(ledger.matches(r#""executions":1"#).count(), 2, "{ledger}");
        assert_eq!(shop.stop("TERM"), Some(0), "{store}");
    }
}

#[test]
fn the_ledger_of_a_file_outlives_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("shop.db").display());
    for (nth, is_replay) in [(1, false), (2, true)] {
        let shop = Shop::start(&["--store", &store]);
        let (head, _) = pay(&shop, "k-1", TEN_EURO);
        assert_eq!(
            head.contains("idempotent-replayed"),
            is_replay,
            "{nth}: {head}"
        );
        let ledger = ask(&shop.admin, "GET /ledger", "");
        assert_eq!(ledger.matches("payment_id").count(), 1, "{ledger}");
        assert_eq!(shop.stop("KILL"), None);
    }
}
