//! Two observers in one seat.

/// Two observers where a builder takes one: each is told everything, the first one first.
///
/// # Examples
///
/// ```
/// use seawall_telemetry::{Both, Metrics, Tracing};
///
/// let observer = Both(Metrics::new(), Tracing::new());
/// # let _ = observer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "two is two")]
pub struct Both<A, B>(pub A, pub B);

macro_rules! observe {
    ($feature:literal, $leaf:ident, $($method:ident($($name:ident: $type:ty),*);)+) => {
        #[cfg(feature = $feature)]
        const _: () = {
            use $leaf::*;

            impl<A: Observer, B: Observer> Observer for Both<A, B> {
                $(fn $method(&self, $($name: $type),*) {
                    self.0.$method($($name),*);
                    self.1.$method($($name),*);
                })+
            }
        };
    };
}

observe! { "breaker", seawall_breaker,
    transition(breaker: &str, transition: &Transition);
    rejected(breaker: &str, rejected: &Rejected);
    completed(breaker: &str, completion: &Completion);
    threshold_reached(breaker: &str, counts: &Counts);
}

observe! { "degrade", seawall_degrade,
    served(component: &str, key: Option<&str>);
    failed(component: &str, key: Option<&str>, reason: &Reason, instead: Served);
}

observe! { "errors", seawall_errors,
    arrived();
    answered(answer: &Answer<'_>);
    ended(ending: Ending);
}

observe! { "health", seawall_health,
    ran(check: &str, took: std::time::Duration, failure: Option<&Failure>);
    changed(change: &Change);
}

observe! { "idempotency", seawall_idempotency,
    observe(event: Event<'_>);
}

observe! { "ratelimit", seawall_ratelimit,
    decided(decision: &Decision);
    store_failed(failure: StoreFailure, error: &(dyn std::error::Error + 'static));
}

observe! { "signing", seawall_signing,
    verified(verification: &Verification);
    refused(scheme: &str, refused: &Refused);
    failed_open(scheme: &str, failure: &StoreFailure);
}
