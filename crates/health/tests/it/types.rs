//! What the types promise to the compiler.

use seawall_health::{
    Access, Answer, Change, Check, ConfigError, Details, Drain, Drained, Failure, Fault, Health,
    InFlight, Observer, Probe, Report, State, Status, Stop,
};
use static_assertions::{assert_impl_all, assert_obj_safe};

assert_impl_all!(Health: Send, Sync, Clone);
assert_impl_all!(Check: Send, Sync, Clone);
assert_impl_all!(Drain: Send, Sync, Clone);
assert_impl_all!(InFlight: Send, Sync);
assert_impl_all!(Answer: Send, Sync, Clone);
assert_impl_all!(Report: Send, Sync, Clone);
assert_impl_all!(Change: Send, Sync, Clone);
assert_impl_all!(Failure: Send, Sync, std::error::Error);
assert_impl_all!(ConfigError: Send, Sync, std::error::Error);
assert_impl_all!(Probe: Send, Sync, Copy);
assert_impl_all!(Details: Send, Sync, Copy);
assert_impl_all!(Access: Send, Sync, Copy);
assert_impl_all!(State: Send, Sync, Copy);
assert_impl_all!(Status: Send, Sync, Copy);
assert_impl_all!(Fault: Send, Sync, Copy);
assert_impl_all!(Stop: Send, Sync, Copy);
assert_impl_all!(Drained: Send, Sync, Copy);
assert_obj_safe!(Observer);

/// A handler awaits an answer on any thread; a server spawns its drain.
#[tokio::test]
async fn the_futures_can_be_spawned() {
    let health = Health::builder().build().unwrap();
    let drain = Drain::new(&health);
    tokio::spawn(async move { health.answer(Probe::Ready, "GET", Access::Public).await })
        .await
        .unwrap();
    let run = async move { drain.run(async { Stop::Prompt }).await };
    assert!(tokio::spawn(run).await.unwrap().is_clean());
}
