//! The line of an `Idempotency-Key`: bare, or a string of a structured field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_idempotency::IdempotencyKey;

fuzz_target!(|line: &[u8]| {
    let Ok(key) = IdempotencyKey::parse(line) else {
        return;
    };
    let characters = key.as_str();
    assert!((1..=IdempotencyKey::MAX_LEN).contains(&characters.len()));
    assert!(characters.bytes().all(|byte| byte.is_ascii_graphic()), "{characters:?}");
    assert_eq!(IdempotencyKey::new(characters).as_ref(), Ok(&key));

    // RFC 9651, section 4.1.6: how a client would send the same key.
    let escaped = characters.replace('\\', "\\\\").replace('"', "\\\"");
    let quoted = format!("\"{escaped}\"");
    assert_eq!(IdempotencyKey::parse(quoted.as_bytes()).as_ref(), Ok(&key));
});
