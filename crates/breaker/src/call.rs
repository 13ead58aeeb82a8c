//! Whole calls: a closure, or a future.

use crate::{ByResult, CircuitBreaker, Classify, Error, OwnedPermit, Permit};
use pin_project::pin_project;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

impl CircuitBreaker {
    /// Makes the call if the breaker admits it. `Err` counts as a failure, and so does a panic.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if the call was not made, [`Error::Inner`] if it failed.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_breaker::{CircuitBreaker, Error};
    ///
    /// let breaker = CircuitBreaker::consecutive(2).build()?;
    /// let query = || Err::<u32, _>("connection refused");
    ///
    /// assert_eq!(breaker.call(query), Err(Error::Inner("connection refused")));
    /// assert_eq!(breaker.call(query), Err(Error::Inner("connection refused")));
    /// // From here on the database is left alone.
    /// assert!(matches!(breaker.call(query), Err(Error::Rejected(_))));
    /// # Ok::<(), seawall_breaker::ConfigError>(())
    /// ```
    #[inline]
    pub fn call<T, E>(&self, f: impl FnOnce() -> Result<T, E>) -> Result<T, Error<E>> {
        self.call_with(ByResult, f)
    }

    /// As [`call`](Self::call), where `classify` says how the result counts.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    #[inline(always)]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a closure reads better than its reference"
    )]
    #[expect(
        clippy::inline_always,
        reason = "each closure makes an instance of its own anyway, and saving registers would cost more than the rest"
    )]
    pub fn call_with<T, E>(
        &self,
        classify: impl Classify<T, E>,
        f: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, Error<E>> {
        let permit = self.try_acquire()?;
        let result = f();
        permit.report(classify.classify(&result));
        result.map_err(Error::Inner)
    }

    /// Makes and awaits a future if the breaker admits it. `Err` counts as a failure, and so does a
    /// panic.
    ///
    /// The breaker is asked when the returned future is first polled. While it is open, `make` is
    /// not called: no connection is opened, no request is built.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if the future was not made, [`Error::Inner`] if it failed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops what it awaits, gives its place among the probes back, and counts
    /// as the [`DropPolicy`](crate::DropPolicy) says.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_breaker::CircuitBreaker;
    ///
    /// async fn fetch() -> Result<&'static str, std::io::Error> {
    ///     Ok("profile")
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// let breaker = CircuitBreaker::consecutive(5).build()?;
    /// assert_eq!(breaker.run(fetch).await?, "profile");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run<F, Fut, T, E>(&self, make: F) -> Run<'_, F, Fut, ByResult>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.run_with(ByResult, make)
    }

    /// As [`run`](Self::run), where `classify` says how the result counts.
    pub fn run_with<F, Fut, T, E, C>(&self, classify: C, make: F) -> Run<'_, F, Fut, C>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
    {
        Run {
            breaker: self,
            classify,
            make: Some(make),
            permit: None,
            future: None,
        }
    }
}

impl OwnedPermit {
    /// Awaits a future under this permit, and reports what `classify` says of its result.
    ///
    /// For middleware, which is asked for a permit in one place and makes its future in another:
    /// the future has a name, and needs no box and no runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_breaker::{ByResult, CircuitBreaker, State};
    /// use std::sync::Arc;
    ///
    /// let breaker = Arc::new(CircuitBreaker::consecutive(1).build()?);
    /// let permit = breaker.try_acquire_owned()?;
    /// let response = permit.watch(ByResult, async { Err::<(), _>("connection reset") });
    ///
    /// assert_eq!(futures::executor::block_on(response), Err("connection reset"));
    /// assert_eq!(breaker.state(), State::Open);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn watch<F, T, E, C>(mut self, classify: C, future: F) -> Watch<F, C>
    where
        F: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
    {
        self.set_idle(true);
        Watch {
            classify,
            permit: Some(self),
            future,
        }
    }
}

/// The future of [`OwnedPermit::watch`].
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct Watch<F, C> {
    classify: C,
    permit: Option<OwnedPermit>,
    #[pin]
    future: F,
}

impl<F, T, E, C> Future for Watch<F, C>
where
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
{
    type Output = Result<T, E>;

    /// # Panics
    ///
    /// When polled again after it has returned a result.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // As in `Run`: out of the future while user code runs.
        let permit = this.permit.take();
        let mut permit = permit.expect("a future is not polled after it has returned a result");
        permit.set_idle(false);
        let Poll::Ready(result) = this.future.poll(cx) else {
            permit.set_idle(true);
            *this.permit = Some(permit);
            return Poll::Pending;
        };
        permit.report(this.classify.classify(&result));
        Poll::Ready(result)
    }
}

impl<F, C> fmt::Debug for Watch<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("permit", &self.permit)
            .finish_non_exhaustive()
    }
}

/// The future of [`CircuitBreaker::run`].
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct Run<'a, F, Fut, C> {
    breaker: &'a CircuitBreaker,
    classify: C,
    make: Option<F>,
    permit: Option<Permit<'a>>,
    #[pin]
    future: Option<Fut>,
}

impl<F, Fut, T, E, C> Future for Run<'_, F, Fut, C>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
{
    type Output = Result<T, Error<E>>;

    /// # Panics
    ///
    /// When polled again after it has returned a result.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // The permit is out of the future while user code runs: a panic there drops it with the
        // stack, which counts as a failure; a panic elsewhere drops the future, which does not.
        let mut permit = if let Some(make) = this.make.take() {
            let permit = this.breaker.try_acquire()?;
            this.future.set(Some(make()));
            permit
        } else {
            this.permit
                .take()
                .expect("a future is not polled after it has returned a result")
        };
        permit.set_idle(false);
        let future = this.future.as_mut().as_pin_mut();
        let polled = future
            .expect("a permit is held only beside its future")
            .poll(cx);
        let Poll::Ready(result) = polled else {
            permit.set_idle(true);
            *this.permit = Some(permit);
            return Poll::Pending;
        };
        permit.report(this.classify.classify(&result));
        this.future.set(None);
        Poll::Ready(result.map_err(Error::Inner))
    }
}

impl<F, Fut, C> fmt::Debug for Run<'_, F, Fut, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("breaker", &self.breaker.name())
            .field("admitted", &self.permit.is_some())
            .finish_non_exhaustive()
    }
}
