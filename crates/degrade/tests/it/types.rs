//! What the types promise to the compiler.

use std::sync::Arc;

use seawall_degrade::{
    Aged, ComponentError, Degrade, Fault, LastGood, Observer, Partial, Reason, Slot, Unavailable,
    critical, or_else,
};
use static_assertions::{assert_impl_all, assert_obj_safe};

assert_impl_all!(Degrade: Send, Sync, Clone);
assert_impl_all!(Partial<u8>: Send, Sync, Clone, serde::Serialize);
assert_impl_all!(ComponentError: Send, Sync, Clone, serde::Serialize);
assert_impl_all!(Fault: Send, Sync, Copy);
assert_impl_all!(Aged<u8>: Send, Sync, Copy);
assert_impl_all!(LastGood<Arc<str>, u8>: Send, Sync, Clone);
assert_impl_all!(Slot<Arc<str>, u8>: Send, Sync, Clone);
assert_impl_all!(Reason: Send, Sync, std::error::Error);
assert_impl_all!(Unavailable: Send, Sync, std::error::Error);
assert_obj_safe!(Observer);

/// A handler may hold a join across an `await`, spawn it, and give its settings up.
#[tokio::test]
async fn joins_can_be_spawned() {
    let join = {
        let settings = Degrade::new();
        settings.join((
            critical("a", async { Ok::<_, String>(1) }),
            or_else("b", async { Err("no".to_owned()) }, 2),
        ))
    };
    let answer = tokio::spawn(join).await.unwrap().unwrap();
    assert_eq!(answer.into_data(), (1, 2));
}
