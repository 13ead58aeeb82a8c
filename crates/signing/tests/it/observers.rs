//! What an observer is told.

use std::sync::{Arc, Mutex};

use seawall_signing::{MemoryNonceStore, Observer, Refused, Verification};

use crate::support::{DIALECTS, check, post};

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Observer for Log {
    fn verified(&self, verification: &Verification) {
        self.0.lock().unwrap().push(format!(
            "{} by {}",
            verification.scheme(),
            verification.key_id()
        ));
    }

    fn refused(&self, scheme: &str, refused: &Refused) {
        self.0
            .lock()
            .unwrap()
            .push(format!("{scheme} {}", refused.kind().as_str()));
    }
}

#[test]
fn every_decision_is_told_once() {
    let log = Arc::new(Log::default());
    let dialect = DIALECTS
        .iter()
        .find(|dialect| dialect.scheme.name() == "stripe")
        .unwrap();
    let builder = dialect.builder().observer(Arc::clone(&log)).max_body(4);
    let verifier = builder
        .replay(MemoryNonceStore::with_capacity(4))
        .build()
        .unwrap();
    let head = post().headers(dialect.sign(b"{}"));
    for (head, body) in [
        (&head, &b"{}"[..]),
        (&head, b"{}"),
        (&head, b"[]"),
        (&head, b"too long"),
        (&post(), b""),
    ] {
        let _ = check(&verifier, head, body);
    }
    assert_eq!(
        *log.0.lock().unwrap(),
        [
            "stripe by default",
            "stripe replayed",
            "stripe mismatch",
            "stripe body_too_large",
            "stripe missing_signature",
        ]
    );
}
