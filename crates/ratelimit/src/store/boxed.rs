//! Any store behind one type, for programs that choose it at run time.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::clock::Now;
use crate::store::{Charge, Op, Store, StoreFailure};
use crate::verdict::Verdict;

/// An erased [`Store`].
///
/// # Cost
///
/// One allocation a call where the store has to wait; none over memory.
#[derive(Clone)]
pub struct BoxStore {
    store: Arc<dyn Erased>,
}

impl BoxStore {
    /// Erases `store`.
    #[must_use]
    pub fn new<S: Store>(store: S) -> Self {
        Self {
            store: Arc::new(store),
        }
    }
}

impl Store for BoxStore {
    type Error = BoxError;

    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, BoxError> {
        self.store.decide(op, charges, out).await
    }

    #[inline]
    fn decide_now(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Option<Result<Now, BoxError>> {
        self.store.decide_now(op, charges, out)
    }
}

impl fmt::Debug for BoxStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxStore")
    }
}

/// The error of an erased store: what it means, and the original's text with its causes.
#[derive(Debug)]
pub struct BoxError {
    failure: StoreFailure,
    text: String,
}

impl BoxError {
    pub(crate) fn new<E: Error + Into<StoreFailure>>(error: E) -> Self {
        // `Into` consumes the error, so its text is all that can be kept beside the meaning.
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        Self {
            failure: error.into(),
            text,
        }
    }

    /// What the error means.
    #[must_use]
    pub const fn failure(&self) -> StoreFailure {
        self.failure
    }
}

impl fmt::Display for BoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for BoxError {}

impl From<BoxError> for StoreFailure {
    fn from(error: BoxError) -> Self {
        error.failure
    }
}

type BoxFuture<'a> = Pin<Box<dyn Future<Output = Result<Now, BoxError>> + Send + 'a>>;

trait Erased: Send + Sync {
    fn decide<'a>(
        &'a self,
        op: Op,
        charges: &'a [Charge<'a>],
        out: &'a mut [Verdict],
    ) -> BoxFuture<'a>;

    fn decide_now(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Option<Result<Now, BoxError>>;
}

impl<S: Store> Erased for S {
    fn decide<'a>(
        &'a self,
        op: Op,
        charges: &'a [Charge<'a>],
        out: &'a mut [Verdict],
    ) -> BoxFuture<'a> {
        Box::pin(async move {
            Store::decide(self, op, charges, out)
                .await
                .map_err(BoxError::new)
        })
    }

    #[inline]
    fn decide_now(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Option<Result<Now, BoxError>> {
        Some(Store::decide_now(self, op, charges, out)?.map_err(BoxError::new))
    }
}
