//! Idempotent requests: what each came to, and how the store did.

use std::time::Duration;

use ::metrics::Histogram;
use seawall_idempotency::{
    Caps, Completion, Event, Observer, RecordId, Reserve, Reserved, Settled, Store, StoreFailure,
    Token, Wait,
};

use super::count::Count;
use super::family::{Family, Target};
use super::{Metric, Metrics};
use crate::timed::{Timed, Timing};

pub(super) static ALL: &[Metric] = &[
    Metric::counter(
        "seawall_idempotency_requests_total",
        &["outcome"],
        "Requests with a key: begun, takeover, replayed, `failed_open`, or refused as `in_progress`, mismatch, `outcome_unknown`, full",
    ),
    Metric::counter(
        "seawall_idempotency_finished_total",
        &["outcome"],
        "Work that has ended, by what became of its record: stored, released, unknown, unsaved, completed, superseded, refused, dropped",
    ),
    Metric::counter(
        "seawall_idempotency_waits_total",
        &[],
        "Duplicates that waited for the first",
    ),
    Metric::counter(
        "seawall_idempotency_leases_total",
        &["event"],
        "Leases that did not hold: lost to another owner, or overdue",
    ),
    Metric::counter(
        "seawall_idempotency_store_errors_total",
        &["step", "failure"],
        "Steps that the store failed at: unavailable or refused",
    ),
    Metric::seconds(
        "seawall_idempotency_store_seconds",
        &["store", "step", "outcome"],
        "How long a store that has to be waited for took: ok, error or dropped",
    ),
];

pub(super) struct Families {
    requests: Family<Count, 1>,
    finished: Family<Count, 1>,
    waits: Family<Count, 0>,
    leases: Family<Count, 1>,
    store_errors: Family<Count, 2>,
    store_seconds: Family<Histogram, 3>,
}

impl Families {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            requests: Family::new(&ALL[0], target),
            finished: Family::new(&ALL[1], target),
            waits: Family::new(&ALL[2], target),
            leases: Family::new(&ALL[3], target),
            store_errors: Family::new(&ALL[4], target),
            store_seconds: Family::new(&ALL[5], target),
        }
    }
}

impl Observer for Metrics {
    fn observe(&self, event: Event<'_>) {
        let families = &self.inner.idempotency;
        let counter = match event {
            Event::Begun { attempt: 0 | 1 } => families.requests.of(["begun"]),
            Event::Begun { .. } => families.requests.of(["takeover"]),
            Event::Replayed | Event::FailedOpen => families.requests.of([event.as_str()]),
            Event::Refused(refused) => families.requests.of([refused.as_str()]),
            Event::Waiting => families.waits.of([]),
            Event::Finished(finished) => families.finished.of([finished.as_str()]),
            Event::Dropped => families.finished.of(["dropped"]),
            Event::Lost | Event::Overdue => families.leases.of([event.as_str()]),
            Event::StoreFailed { step, failure } => {
                families.store_errors.of([step, failure_of(failure)])
            }
            _ => return,
        };
        counter.increment(1);
    }
}

pub(crate) const fn failure_of(failure: &StoreFailure) -> &'static str {
    if failure.is_unavailable() {
        "unavailable"
    } else {
        "refused"
    }
}

impl<S> Timed<S> {
    async fn step<T, E>(
        &self,
        step: &'static str,
        call: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        let seconds = &self.metrics().inner.idempotency.store_seconds;
        let timing = Timing::begin(|outcome, took| {
            seconds.of([self.name(), step, outcome]).record(took);
        });
        timing.end(call.await)
    }
}

impl<S: Store> Store for Timed<S> {
    type Error = S::Error;

    async fn reserve(&self, reserve: Reserve) -> Result<Reserved, Self::Error> {
        self.step("reserve", self.store().reserve(reserve)).await
    }

    async fn complete(&self, completion: &Completion) -> Result<Settled, Self::Error> {
        self.step("complete", self.store().complete(completion))
            .await
    }

    async fn release(&self, token: Token) -> Result<Settled, Self::Error> {
        self.step("release", self.store().release(token)).await
    }

    async fn renew(&self, token: Token, lease: Duration) -> Result<Settled, Self::Error> {
        self.step("renew", self.store().renew(token, lease)).await
    }

    fn changed(&self, id: RecordId, wait: Wait) -> impl Future<Output = ()> + Send {
        self.store().changed(id, wait)
    }

    fn sweep(&self, most: usize) -> impl Future<Output = Result<usize, Self::Error>> + Send {
        self.store().sweep(most)
    }

    fn caps(&self) -> Caps {
        self.store().caps()
    }

    fn reserve_now(&self, reserve: Reserve) -> Option<Result<Reserved, Self::Error>> {
        self.store().reserve_now(reserve)
    }

    fn complete_now(&self, completion: &Completion) -> Option<Result<Settled, Self::Error>> {
        self.store().complete_now(completion)
    }

    fn release_now(&self, token: Token) -> Option<Result<Settled, Self::Error>> {
        self.store().release_now(token)
    }

    fn renew_now(&self, token: Token, lease: Duration) -> Option<Result<Settled, Self::Error>> {
        self.store().renew_now(token, lease)
    }
}
