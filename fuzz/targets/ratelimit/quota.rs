//! Quotas: what is read is written so that it reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_ratelimit::Quota;

fuzz_target!(|text: &str| {
    if let Ok(quota) = text.parse::<Quota>() {
        assert_eq!(quota.to_string().parse(), Ok(quota), "{text:?}");
        assert!(!quota.period().is_zero());
    }
});
