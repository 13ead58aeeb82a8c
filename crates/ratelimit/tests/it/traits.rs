//! Types go where a service puts them.

use seawall_ratelimit::{
    BoxStore, CoarseClock, Decision, DenyCache, Fallback, KeyBuf, Limiter, ManualClock,
    MemoryStore, Policies, Policy, PolicyName, Quota, Report, Reservation, SystemClock,
    headers::Dialects,
};
use static_assertions::{assert_impl_all, const_assert};

assert_impl_all!(Quota: Send, Sync, Copy, Eq, std::hash::Hash, std::str::FromStr, std::fmt::Display);
assert_impl_all!(Policy: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(PolicyName: Send, Sync, Copy, Ord);
assert_impl_all!(Policies<MemoryStore>: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(Limiter<BoxStore>: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(Reservation<MemoryStore>: Send, Sync, std::fmt::Debug);
assert_impl_all!(MemoryStore: Send, Sync, Clone, Default, std::fmt::Debug);
assert_impl_all!(BoxStore: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(DenyCache<BoxStore>: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(Fallback<BoxStore>: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(Decision: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(KeyBuf: Send, Sync, Clone, Eq, std::hash::Hash, Default);
assert_impl_all!(SystemClock: Send, Sync);
assert_impl_all!(CoarseClock: Send, Sync, Clone);
assert_impl_all!(ManualClock: Send, Sync);
assert_impl_all!(Dialects: Send, Sync, Copy);

const_assert!(size_of::<Report>() <= 128);
const_assert!(size_of::<Decision>() <= 4 * size_of::<Report>() + 32);

fn assert_send<T: Send>(future: T) -> T {
    future
}

#[tokio::test]
async fn futures_can_be_spawned() {
    let limiter = Limiter::new(BoxStore::new(MemoryStore::default()), Quota::per_second(5));
    let check = assert_send(async move { limiter.check("a").await.map(|d| d.is_allowed()) });
    assert!(tokio::spawn(check).await.unwrap().unwrap());

    let policies = Policies::builder(MemoryStore::default())
        .policy(Policy::new("p", Quota::per_second(5)).unwrap())
        .build()
        .unwrap();
    let keys = [Some(KeyBuf::new().push("a"))];
    let check = assert_send(async move { policies.check(&keys).await.is_allowed() });
    assert!(tokio::spawn(check).await.unwrap());
}
