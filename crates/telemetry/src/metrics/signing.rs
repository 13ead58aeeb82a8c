//! Signed messages: accepted, refused and why.

use ::metrics::Histogram;
use seawall_signing::{Claim, Nonce, NonceStore, Observer, Refused, StoreFailure, Verification};

use super::count::Count;
use super::family::{Family, Target};
use super::{Metric, Metrics};
use crate::timed::{Timed, Timing};

pub(super) static ALL: &[Metric] = &[
    Metric::counter(
        "seawall_signing_verified_total",
        &["scheme"],
        "Messages accepted",
    ),
    Metric::counter(
        "seawall_signing_refused_total",
        &["scheme", "kind"],
        "Messages refused, by the reason that callers are not told",
    ),
    Metric::counter(
        "seawall_signing_failed_open_total",
        &["scheme"],
        "Messages accepted although the replay store did not answer",
    ),
    Metric::seconds(
        "seawall_signing_store_seconds",
        &["store", "outcome"],
        "How long a replay store that has to be waited for took: ok, error or dropped",
    ),
];

pub(super) struct Families {
    verified: Family<Count, 1>,
    refused: Family<Count, 2>,
    failed_open: Family<Count, 1>,
    store_seconds: Family<Histogram, 2>,
}

impl Families {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            verified: Family::new(&ALL[0], target),
            refused: Family::new(&ALL[1], target),
            failed_open: Family::new(&ALL[2], target),
            store_seconds: Family::new(&ALL[3], target),
        }
    }
}

impl Observer for Metrics {
    fn verified(&self, verification: &Verification) {
        let families = &self.inner.signing;
        families.verified.of([verification.scheme()]).increment(1);
    }

    fn refused(&self, scheme: &str, refused: &Refused) {
        let labels = [scheme, refused.kind().as_str()];
        self.inner.signing.refused.of(labels).increment(1);
    }

    fn failed_open(&self, scheme: &str, _: &StoreFailure) {
        self.inner.signing.failed_open.of([scheme]).increment(1);
    }
}

impl<S: NonceStore> NonceStore for Timed<S> {
    type Error = S::Error;

    async fn claim(&self, nonce: Nonce<'_>) -> Result<Claim, Self::Error> {
        let seconds = &self.metrics().inner.signing.store_seconds;
        let timing = Timing::begin(|outcome, took| {
            seconds.of([self.name(), outcome]).record(took);
        });
        timing.end(self.store().claim(nonce).await)
    }

    fn claim_now(&self, nonce: Nonce<'_>) -> Option<Result<Claim, Self::Error>> {
        self.store().claim_now(nonce)
    }
}
