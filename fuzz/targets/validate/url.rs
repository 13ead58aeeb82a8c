//! URLs: what passes means the same to the next reader.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_validate::rule;

fuzz_target!(|text: &str| {
    let schemes = ["https", "http"];
    if rule::check_url(text, &schemes).is_ok() {
        assert!(rule::is_header_safe(text.as_bytes()));
        let lower = text.to_ascii_lowercase();
        assert!(schemes.iter().any(|scheme| lower.starts_with(&format!("{scheme}://"))));
        let authority = lower.split("://").nth(1).unwrap_or_default();
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        assert!(!authority.contains('@'), "{text:?}");
    }
    if rule::is_public_host(text) {
        for private in ["localhost", "127.", "169.254.169.254", "[::1]"] {
            assert!(!text.starts_with(&format!("http://{private}/")), "{text:?}");
        }
    }
});
