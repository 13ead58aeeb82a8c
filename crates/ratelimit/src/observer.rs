//! A seat for metrics and logs.

use std::error::Error;
use std::fmt;

use crate::decision::Decision;
use crate::store::StoreFailure;

/// Is told what was decided.
///
/// All methods do nothing by default. They are called on the path of the request: they must not
/// block. Reports name policies, which are a closed vocabulary; keys are never shown.
pub trait Observer: Send + Sync + 'static {
    /// A decision was made. Denials of [shadow](crate::Mode::Shadow) policies are in its reports.
    fn decided(&self, decision: &Decision) {
        let _ = decision;
    }

    /// The store did not decide. What the request was answered is told to
    /// [`decided`](Self::decided) in addition.
    fn store_failed(&self, failure: StoreFailure, error: &(dyn Error + 'static)) {
        let _ = (failure, error);
    }
}

impl<O: Observer + ?Sized> Observer for std::sync::Arc<O> {
    fn decided(&self, decision: &Decision) {
        (**self).decided(decision);
    }

    fn store_failed(&self, failure: StoreFailure, error: &(dyn Error + 'static)) {
        (**self).store_failed(failure, error);
    }
}

impl fmt::Debug for dyn Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dyn Observer")
    }
}
