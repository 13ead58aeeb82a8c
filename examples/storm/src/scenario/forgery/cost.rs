//! What a list of signatures costs the verifier, counted in this process.

use seawall_signing::{OwnedHead, Secret, Verifier, scheme};

use super::message::now;

/// How many bytes go through a MAC for a message of 1 MiB that carries so many signatures.
///
/// Nought where the message was refused unread.
pub(super) fn mac_bytes(candidates: usize) -> u64 {
    let Ok(secret) = Secret::new("storm's own secret") else {
        return 0;
    };
    let body = vec![b'x'; 1 << 20];
    let wrong = vec![format!("v1={}", "0".repeat(64)); candidates];
    let header = format!("t={},{}", now(), wrong.join(","));
    let head = OwnedHead::request("POST", "/hooks").header("stripe-signature", header);
    let Ok(verifier) = Verifier::new(scheme::stripe(), secret) else {
        return 0;
    };
    let Some(Ok(mut session)) = verifier.begin_now(&head) else {
        return 0;
    };
    match session.update(&body) {
        Ok(()) => session.mac_bytes(),
        Err(_) => 0,
    }
}
