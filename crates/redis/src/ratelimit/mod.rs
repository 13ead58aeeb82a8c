//! Rate limits: the store trait of `seawall-ratelimit`, over one script.

mod charge;
mod script;
#[cfg(feature = "cluster")]
mod spanning;

use seawall_ratelimit::{Charge, Now, Op, Store, StoreFailure, Verdict};

use crate::error::{Error, MOST_CHARGES};
use crate::store::RedisStore;
use charge::Planned;

impl Store for RedisStore {
    type Error = Error;

    /// One round trip; two after the server has forgotten the script, or when a denial spans slots
    /// of a Cluster.
    ///
    /// # Cancel safety
    ///
    /// A dropped call counts as perhaps charged. One that spans slots runs to its end regardless, so
    /// that it still is all or none.
    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, Error> {
        if charges.len() > MOST_CHARGES {
            return Err(Error::too_many_charges(charges.len()));
        }
        let inner = self.inner();
        let planned: Vec<_> = charges
            .iter()
            .map(|charge| Planned::new(op, charge, inner.tag))
            .collect();
        let now = inner.conformance_time().map(Now::at);
        #[cfg(feature = "cluster")]
        if inner.link.is_cluster() && spanning::spans(&planned) {
            return spanning::decide(&inner.link, op, now, planned, out).await;
        }
        script::run(&inner.link, op, now, &planned, out).await
    }
}

const _: () = {
    const fn is_handle<T: Clone + Send + Sync + 'static>() {}
    is_handle::<RedisStore>();
    const fn is_error<T: Into<StoreFailure> + Send + Sync>() {}
    is_error::<Error>();
};
