//! The parts of an answer, and what stands in for each when it is missing.

use std::borrow::Cow;
use std::future::Future;
use std::hash::Hash;
use std::time::Duration;

use crate::Slot;

/// A named future and what happens without its value. Made by [`critical`], [`optional`], [`or_else`]
/// and [`stale`].
#[derive(Debug)]
#[must_use = "components do nothing unless joined"]
pub struct Component<F, K> {
    pub(crate) name: Cow<'static, str>,
    pub(crate) future: F,
    pub(crate) limit: Option<Duration>,
    pub(crate) kind: K,
}

impl<F, K> Component<F, K> {
    /// Gives this component a limit of its own. Default: that of
    /// [`Degrade::per_component`](crate::Degrade::per_component).
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    fn new(name: Cow<'static, str>, future: F, kind: K) -> Self {
        Self {
            name,
            future,
            limit: None,
            kind,
        }
    }
}

/// A component without which there is no answer. When it fails the join ends at once with
/// [`Unavailable`](crate::Unavailable), and the other components are dropped.
pub fn critical<F, T, E>(
    name: impl Into<Cow<'static, str>>,
    future: F,
) -> Component<F, kind::Critical>
where
    F: Future<Output = Result<T, E>>,
{
    Component::new(name.into(), future, kind::Critical(()))
}

/// A component which may be missing: its value becomes an `Option`.
pub fn optional<F, T, E>(
    name: impl Into<Cow<'static, str>>,
    future: F,
) -> Component<F, kind::Optional>
where
    F: Future<Output = Result<T, E>>,
{
    Component::new(name.into(), future, kind::Optional(()))
}

/// A component which a default can stand in for.
pub fn or_else<F, T, E>(
    name: impl Into<Cow<'static, str>>,
    future: F,
    default: T,
) -> Component<F, kind::OrElse<T>>
where
    F: Future<Output = Result<T, E>>,
{
    Component::new(name.into(), future, kind::OrElse(default))
}

/// A component which its last good value can stand in for: see [`LastGood`](crate::LastGood).
///
/// A good value is remembered, and comes with age zero. When the component fails its value is the last
/// one, if that is not too old, and the caller is told `"stale"`; otherwise none, as for [`optional`].
pub fn stale<F, K, T, E>(
    name: impl Into<Cow<'static, str>>,
    future: F,
    last: Slot<K, T>,
) -> Component<F, kind::Stale<K, T>>
where
    F: Future<Output = Result<T, E>>,
    K: Clone + Eq + Hash,
    T: Clone,
{
    Component::new(name.into(), future, kind::Stale(last))
}

/// What happens without a component's value. These types only show up in signatures.
pub mod kind {
    use std::hash::Hash;

    use crate::{Aged, Served, Slot};

    /// See [`critical`](crate::critical).
    #[derive(Debug)]
    pub struct Critical(pub(super) ());

    /// See [`optional`](crate::optional).
    #[derive(Debug)]
    pub struct Optional(pub(crate) ());

    /// See [`or_else`](crate::or_else).
    #[derive(Debug)]
    pub struct OrElse<T>(pub(super) T);

    /// See [`stale`](crate::stale).
    #[derive(Debug)]
    pub struct Stale<K, T>(pub(super) Slot<K, T>);

    /// How a component whose future gives a `T` takes part in a join.
    pub trait Kind<T>: sealed::Sealed {
        /// What the join gives for it.
        type Output;

        /// The output when there is a value.
        fn with(self, value: T) -> Self::Output;

        /// The output when there is none, if the join can go on, and what stands in.
        fn without(self) -> (Option<Self::Output>, Served);
    }

    impl<T> Kind<T> for Critical {
        type Output = T;

        fn with(self, value: T) -> T {
            value
        }

        fn without(self) -> (Option<T>, Served) {
            (None, Served::Refusal)
        }
    }

    impl<T> Kind<T> for Optional {
        type Output = Option<T>;

        fn with(self, value: T) -> Option<T> {
            Some(value)
        }

        fn without(self) -> (Option<Option<T>>, Served) {
            (Some(None), Served::Nothing)
        }
    }

    impl<T> Kind<T> for OrElse<T> {
        type Output = T;

        fn with(self, value: T) -> T {
            value
        }

        fn without(self) -> (Option<T>, Served) {
            (Some(self.0), Served::Default)
        }
    }

    impl<K: Clone + Eq + Hash, T: Clone> Kind<T> for Stale<K, T> {
        type Output = Option<Aged<T>>;

        fn with(self, value: T) -> Option<Aged<T>> {
            self.0.put(value.clone());
            Some(Aged::fresh(value))
        }

        fn without(self) -> (Option<Option<Aged<T>>>, Served) {
            let last = self.0.get();
            let served = match &last {
                Some(aged) => Served::Stale(aged.age),
                None => Served::Nothing,
            };
            (Some(last), served)
        }
    }

    mod sealed {
        #[expect(unnameable_types, reason = "it seals `Kind`")]
        pub trait Sealed {}
        impl Sealed for super::Critical {}
        impl Sealed for super::Optional {}
        impl<T> Sealed for super::OrElse<T> {}
        impl<K, T> Sealed for super::Stale<K, T> {}
    }
}
