//! Addresses: what passes is safe in a mail's header, and the grammars lie in each other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_validate::rule;

fuzz_target!(|text: &str| {
    let bytes = text.as_bytes();
    let strict = rule::is_email(bytes);
    let wide = rule::is_email_rfc5321(bytes);
    if strict {
        assert!(wide, "the plain grammar is a part of RFC 5321's");
        assert!(rule::is_email_structure(bytes));
        // Not all of them: IDNA reserves labels with two hyphens in the third and fourth place.
        assert!(rule::is_email_idn(text) || text.contains("--"), "{text:?}");
        assert!(text.len() <= 254);
        assert_eq!(bytes.iter().filter(|byte| **byte == b'@').count(), 1);
        assert!(bytes.iter().all(u8::is_ascii_graphic));
        assert!(rule::is_email(text.to_ascii_lowercase().as_bytes()));
    }
    if wide || rule::is_email_idn(text) {
        assert!(rule::is_header_safe(bytes), "{text:?}");
    }
});
