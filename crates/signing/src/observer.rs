//! What an operator may want to count.

use std::fmt;
use std::sync::Arc;

use crate::refused::Refused;
use crate::replay::StoreFailure;
use crate::verifier::Verification;

/// Is told what a verifier decides. Every method does nothing by default.
///
/// The calls come inline, after the decision: keep them short. Count by `scheme` and
/// [`RefusedKind::as_str`](crate::RefusedKind::as_str), which are closed vocabularies, and never by
/// key ids of refused messages, which callers choose.
pub trait Observer: Send + Sync + 'static {
    /// A message was accepted.
    fn verified(&self, verification: &Verification) {
        let _ = verification;
    }

    /// A message was refused.
    fn refused(&self, scheme: &str, refused: &Refused) {
        let _ = (scheme, refused);
    }

    /// A message was accepted although the replay store did not answer.
    fn failed_open(&self, scheme: &str, failure: &StoreFailure) {
        let _ = (scheme, failure);
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn verified(&self, verification: &Verification) {
        (**self).verified(verification);
    }

    fn refused(&self, scheme: &str, refused: &Refused) {
        (**self).refused(scheme, refused);
    }

    fn failed_open(&self, scheme: &str, failure: &StoreFailure) {
        (**self).failed_open(scheme, failure);
    }
}

/// Observes nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unobserved;

impl Observer for Unobserved {}

impl fmt::Debug for dyn Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dyn Observer")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Log(Mutex<Vec<String>>);

    impl Observer for Log {
        fn failed_open(&self, scheme: &str, failure: &StoreFailure) {
            self.0.lock().unwrap().push(format!("{scheme}: {failure}"));
        }
    }

    #[test]
    fn a_shared_observer_is_told_of_open_doors() {
        fn tell(observer: &impl Observer) {
            observer.failed_open("stripe", &StoreFailure::unavailable("timed out"));
        }
        let log = Arc::new(Log::default());
        tell(&log);
        assert_eq!(
            *log.0.lock().unwrap(),
            ["stripe: the replay store did not answer"]
        );
    }

    #[test]
    fn an_observer_of_any_type_has_a_debug_form() {
        let observer: Arc<dyn Observer> = Arc::new(Unobserved);
        assert_eq!(format!("{observer:?}"), "dyn Observer");
    }
}
