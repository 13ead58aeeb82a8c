//! What the types promise to the compiler.

use std::future::Pending;

use seawall_timeout::body::{IdleLimit, Limits};
use seawall_timeout::{
    Class, Classes, ConfigError, Deadline, Elapsed, Limit, Scope, Total, Within,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(Deadline: Send, Sync, Copy, Ord, std::hash::Hash);
assert_impl_all!(Limit: Send, Sync, Copy);
assert_impl_all!(Elapsed: Send, Sync, Copy, std::error::Error);
assert_impl_all!(Class: Send, Sync, Copy);
assert_impl_all!(Classes: Send, Sync, Clone);
assert_impl_all!(ConfigError: Send, Sync, Clone, std::error::Error);
assert_impl_all!(Limits: Send, Sync, Copy);
assert_impl_all!(IdleLimit: Send, Sync);
assert_impl_all!(Within<Pending<()>>: Send, Sync);
assert_impl_all!(Total<Pending<()>>: Send, Sync);
assert_impl_all!(Scope<Pending<()>>: Send, Sync, Unpin);
assert_not_impl_any!(Within<std::marker::PhantomPinned>: Unpin);
