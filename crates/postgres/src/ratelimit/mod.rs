//! Rate limits: the store trait of `seawall-ratelimit`, over one table.

mod charge;
mod one;
mod several;
mod sweep;

use std::time::Duration;

use seawall_ratelimit::{Charge, Now, Op, Store, StoreFailure, Verdict};

use crate::error::{Error, MOST_CHARGES};
use crate::store::{Inner, PostgresStore};
use charge::{Planned, whole};

pub(crate) use sweep::sweep;

/// The tables and functions of rate limits, as plain SQL for migrations of your own.
///
/// Run it in one transaction. It changes nothing that is there already.
pub const SCHEMA: &str = include_str!("schema.sql");

impl Store for PostgresStore {
    type Error = Error;

    /// One round trip; two for a charge that lost a race.
    ///
    /// # Cancel safety
    ///
    /// A dropped call counts as perhaps charged.
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
            .map(|charge| Planned::new(op, charge))
            .collect();
        let given = inner.conformance_time().map(|now| whole(now.unix()));
        if let ([charge], [verdict]) = (&*planned, &mut *out)
            && charge.is_simple(op)
            && let Some(now) = one::decide(&inner.link, given, charge, verdict).await?
        {
            inner.counters.count(&inner.link, sweep);
            return Ok(now);
        }
        let now = several::decide(&inner.link, op, given, &planned, out).await?;
        inner.counters.count(&inner.link, sweep);
        Ok(now)
    }
}

impl Inner {
    /// The time of a conformance run; `None` everywhere else, where the server tells it.
    #[cfg(feature = "conformance")]
    fn conformance_time(&self) -> Option<Now> {
        self.clock.as_ref().map(|clock| clock.now())
    }

    #[cfg(not(feature = "conformance"))]
    #[expect(clippy::unused_self, reason = "as the one above")]
    const fn conformance_time(&self) -> Option<Now> {
        None
    }
}

/// The moment that the database told.
fn moment(now_us: i64) -> Option<Now> {
    Some(Now::at(Duration::from_micros(u64::try_from(now_us).ok()?)))
}

const _: () = {
    const fn is_handle<T: Clone + Send + Sync + 'static>() {}
    is_handle::<PostgresStore>();
    const fn is_error<T: Into<StoreFailure> + Send + Sync>() {}
    is_error::<Error>();
};
