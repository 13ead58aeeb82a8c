//! The permission to make one call, and the duty to say what came of it.

use crate::breaker::Ticket;
use crate::{CircuitBreaker, Outcome};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// The permission to make one call.
///
/// Report what came of it: [`success`](Self::success), [`failure`](Self::failure),
/// [`failure_for`](Self::failure_for) or [`ignore`](Self::ignore). A permit that is dropped instead
/// counts as the [`DropPolicy`](crate::DropPolicy) says; one that is dropped by a panic counts as a
/// failure. Whatever happens to it, its place among the probes of a half-open breaker is given
/// back.
///
/// A result counts only while the breaker is in the generation that gave the permit. A call that
/// began before the breaker opened and ends after it closed again changes nothing.
#[must_use = "a permit that is dropped at once counts as a dropped call"]
pub struct Permit<'a>(Held<&'a CircuitBreaker>);

/// A [`Permit`] that holds the breaker itself, and so may be kept anywhere.
#[must_use = "a permit that is dropped at once counts as a dropped call"]
pub struct OwnedPermit(Held<Arc<CircuitBreaker>>);

struct Held<B: Deref<Target = CircuitBreaker>> {
    breaker: B,
    ticket: Ticket,
    reported: bool,
    /// The permit of a future that is not being polled: a panic that drops it is somebody else's.
    idle: bool,
}

impl<B: Deref<Target = CircuitBreaker>> Held<B> {
    #[inline]
    fn new(breaker: B, ticket: Ticket) -> Self {
        Self {
            breaker,
            ticket,
            reported: false,
            idle: false,
        }
    }

    #[inline]
    fn report(mut self, outcome: Outcome) {
        self.reported = true;
        self.breaker.report(self.ticket, outcome);
    }
}

impl<B: Deref<Target = CircuitBreaker>> Drop for Held<B> {
    #[inline]
    fn drop(&mut self) {
        if !self.reported {
            let panicked = !self.idle && std::thread::panicking();
            self.breaker.abandon(self.ticket, panicked);
        }
    }
}

macro_rules! reports {
    ($($head:tt)*) => {
        $($head)* {
            /// The dependency did its work.
            #[inline]
            pub fn success(self) {
                self.0.report(Outcome::Success);
            }

            /// The dependency failed.
            #[inline]
            pub fn failure(self) {
                self.0.report(Outcome::Failure);
            }

            /// The dependency failed and said how long to stay away: the floor of the opening that
            /// this failure causes, if it causes one.
            #[inline]
            pub fn failure_for(self, wait: Duration) {
                self.0.report(Outcome::FailureFor(wait));
            }

            /// The call says nothing about the dependency.
            #[inline]
            pub fn ignore(self) {
                self.0.report(Outcome::Ignored);
            }

            /// Marks the permit as held by a future that is, or is not, being polled.
            #[inline]
            pub(crate) fn set_idle(&mut self, idle: bool) {
                self.0.idle = idle;
            }

            /// Any of these.
            #[inline]
            pub fn report(self, outcome: Outcome) {
                self.0.report(outcome);
            }
        }
    };
}

reports!(impl Permit<'_>);
reports!(impl OwnedPermit);

impl<'a> Permit<'a> {
    #[inline]
    pub(crate) fn new(breaker: &'a CircuitBreaker, ticket: Ticket) -> Self {
        Self(Held::new(breaker, ticket))
    }
}

impl OwnedPermit {
    #[inline]
    pub(crate) fn new(breaker: Arc<CircuitBreaker>, ticket: Ticket) -> Self {
        Self(Held::new(breaker, ticket))
    }

    /// The breaker that gave the permit.
    #[must_use]
    pub fn breaker(&self) -> &Arc<CircuitBreaker> {
        &self.0.breaker
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit")
            .field(&self.0.breaker.name())
            .finish()
    }
}

impl fmt::Debug for OwnedPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnedPermit")
            .field(&self.0.breaker.name())
            .finish()
    }
}
