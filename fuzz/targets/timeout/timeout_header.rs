//! The time that a caller leaves us: nobody is promised more than was said.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_timeout::header::{format_grpc, format_millis, parse_grpc, parse_millis};

fuzz_target!(|value: &[u8]| {
    if let Ok(left) = parse_grpc(value) {
        let passed_on = parse_grpc(format_grpc(left).as_bytes());
        let passed_on = passed_on.expect("what is written can be read");
        assert!(passed_on <= left);
        // Six digits at least are kept of what does not fit into eight.
        assert!(left - passed_on <= left / 100_000, "{left:?}, {passed_on:?}");
    }
    if let Ok(left) = parse_millis(value) {
        assert_eq!(parse_millis(format_millis(left).as_bytes()), Ok(left));
    }
});
