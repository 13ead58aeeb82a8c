//! What a user of the crate could write.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bounds;
mod counts;
mod events;
mod readme;
mod stores;
mod support;

mod types {
    //! What everybody may do with these types.

    use seawall_ratelimit::MemoryStore;
    use seawall_telemetry::{Both, Metric, Metrics, Timed, Tracing};
    use static_assertions::assert_impl_all;

    assert_impl_all!(Metrics: Clone, Send, Sync, std::fmt::Debug);
    assert_impl_all!(Tracing: Clone, Send, Sync, std::fmt::Debug);
    assert_impl_all!(Both<Metrics, Tracing>: Clone, Send, Sync, std::fmt::Debug);
    assert_impl_all!(Timed<MemoryStore>: Send, Sync, std::fmt::Debug);
    assert_impl_all!(Metric: Clone, Send, Sync, std::fmt::Debug);
}
