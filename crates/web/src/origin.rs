//! On whose behalf the code that runs now works: a cell of the thread, set around each poll.
//!
//! It follows a future from thread to thread, and no other future sees it.

use std::cell::Cell;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use seawall_errors::RequestId;
use seawall_errors::trace::TraceContext;

thread_local! {
    static CURRENT: Cell<Option<Origin>> = const { Cell::new(None) };
}

/// The request on whose behalf code runs: its id and its place in a trace.
///
/// The tracing layer of an adapter sets it around every poll of the services below, so that what
/// they call can be told on whose behalf. Spawned tasks and blocking threads do not inherit it: hand
/// it to them.
///
/// # Examples
///
/// ```
/// use seawall_errors::RequestId;
/// use seawall_web::Origin;
///
/// let origin = Origin::new().with_request_id(RequestId::generate());
/// let seen = origin.clone().enter(Origin::current).ok_or("none")?;
///
/// assert_eq!(seen.request_id(), origin.request_id());
/// assert!(Origin::current().is_none());
/// # Ok::<(), &str>(())
/// ```
///
/// # Cost
///
/// One allocation to make; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Origin(Arc<Known>);

#[derive(Clone, Debug, Default)]
struct Known {
    request_id: Option<RequestId>,
    trace: Option<TraceContext>,
}

impl Origin {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the id of the request.
    #[must_use]
    pub fn with_request_id(mut self, id: RequestId) -> Self {
        Arc::make_mut(&mut self.0).request_id = Some(id);
        self
    }

    /// Sets the place in the trace.
    #[must_use]
    pub fn with_trace(mut self, trace: TraceContext) -> Self {
        Arc::make_mut(&mut self.0).trace = Some(trace);
        self
    }

    /// The origin of the surrounding [`scope`](Self::scope), if there is one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.with(|cell| {
            let origin = cell.take();
            cell.set(origin.clone());
            origin
        })
    }

    /// Runs a future on behalf of this request.
    pub fn scope<F: Future>(self, future: F) -> OriginScope<F> {
        OriginScope {
            origin: Some(self),
            future,
        }
    }

    /// Runs a closure on behalf of this request: [`scope`](Self::scope) for code that does not
    /// await, such as a blocking task.
    pub fn enter<R>(self, run: impl FnOnce() -> R) -> R {
        Self::during(&mut Some(self), run)
    }

    /// The same for a future that keeps its origin itself: it lies in the thread's cell while the closure
    /// runs, and is put back afterwards, even if the closure panics.
    pub fn during<R>(origin: &mut Option<Self>, run: impl FnOnce() -> R) -> R {
        let _entered = Entered::new(origin);
        run()
    }

    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.0.request_id.as_ref()
    }

    /// The place in the trace; its parent id is the span of the request itself.
    #[must_use]
    pub fn trace(&self) -> Option<&TraceContext> {
        self.0.trace.as_ref()
    }
}

pin_project! {
    /// The future of [`Origin::scope`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct OriginScope<F> {
        // Lies in the thread's cell during a poll, which then holds what was there before.
        origin: Option<Origin>,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for OriginScope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        Origin::during(this.origin, || this.future.poll(cx))
    }
}

/// Swaps an origin with the thread's, and back again even if the poll panics.
struct Entered<'a>(&'a mut Option<Origin>);

impl<'a> Entered<'a> {
    fn new(origin: &'a mut Option<Origin>) -> Self {
        swap(origin);
        Self(origin)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        swap(self.0);
    }
}

fn swap(origin: &mut Option<Origin>) {
    CURRENT.with(|cell| {
        let outer = cell.take();
        cell.set(mem::replace(origin, outer));
    });
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::pin::pin;
    use std::task::Waker;

    use super::*;

    fn named(id: &str) -> Origin {
        Origin::new().with_request_id(RequestId::from_trusted(id.as_bytes()).unwrap())
    }

    fn current() -> Option<String> {
        Origin::current().and_then(|origin| origin.request_id().map(ToString::to_string))
    }

    #[test]
    fn an_inner_origin_gives_the_outer_one_back() {
        named("outer").enter(|| {
            named("inner").enter(|| assert_eq!(current().as_deref(), Some("inner")));
            assert_eq!(current().as_deref(), Some("outer"));
        });
        assert_eq!(current(), None);
    }

    #[test]
    fn a_panic_gives_the_outer_one_back_too() {
        named("outer").enter(|| {
            let inner = AssertUnwindSafe(|| named("inner").enter(|| panic!("mine")));
            assert!(catch_unwind(inner).is_err());
            assert_eq!(current().as_deref(), Some("outer"));
        });
    }

    #[test]
    fn a_future_sees_its_own_during_each_poll_only() {
        let mut scoped = pin!(named("a").scope(std::future::poll_fn(|_| {
            assert_eq!(current().as_deref(), Some("a"));
            Poll::<()>::Pending
        })));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..2 {
            assert!(scoped.as_mut().poll(&mut context).is_pending());
            assert_eq!(current(), None);
        }
    }
}
