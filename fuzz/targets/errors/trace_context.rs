//! The headers of a trace: one line of `traceparent`, then lines of `tracestate`. What is taken up can be
//! passed on, and means the same there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_errors::trace::{TraceContext, TraceParent, TraceState};

fuzz_target!(|headers: &[u8]| {
    let mut lines = headers.split(|byte| *byte == b'\n');
    let parent = lines.next();
    let Some(context) = TraceContext::received(parent, lines) else {
        return;
    };
    let sent = context.parent().to_string();
    assert_eq!(TraceParent::parse(sent.as_bytes()), Ok(context.parent()));
    let child = context.child().parent();
    assert_eq!(child.trace_id(), context.parent().trace_id());
    assert_ne!(child.parent_id(), context.parent().parent_id());

    let sent = context.state().to_string();
    assert!(sent.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{sent:?}");
    assert!(context.state().iter().count() <= 32);
    assert_eq!(TraceState::parse([sent]).as_ref(), Ok(context.state()));
});
