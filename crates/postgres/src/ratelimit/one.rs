//! One charge under GCRA, by one plain statement: the common case, at a fraction of a function's cost.

use seawall_ratelimit::machine::{State, measure};
use seawall_ratelimit::{Now, Verdict};

use super::charge::Planned;
use super::moment;
use crate::error::Error;
use crate::link::Link;

/// `None`: somebody charged the same key meanwhile, and nothing was decided.
pub(super) async fn decide(
    link: &Link,
    given_us: Option<i64>,
    charge: &Planned,
    out: &mut Verdict,
) -> Result<Option<Now>, Error> {
    let key = &charge.key[..];
    let refill = charge.span_us() * charge.capacity();
    // A price above the refill never fits, however far above.
    let price = i64::from(charge.cost)
        .saturating_mul(charge.span_us())
        .clamp(1, refill + 1);
    let row = link
        .call(async move |client| {
            let statement = client.prepare_cached(include_str!("one.sql")).await?;
            Ok(client
                .query_one(&statement, &[&key, &price, &refill, &given_us])
                .await?)
        })
        .await?;
    let (now_us, made): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    let (seen, fitted): (i64, bool) = (row.try_get(2)?, row.try_get(3)?);
    let now = moment(now_us).ok_or(Error::answer())?;
    if made.is_none() && fitted {
        return Ok(None);
    }
    let tat = u64::try_from(made.unwrap_or(seen)).map_err(|_| Error::answer())?;
    *out = measure(
        &charge.quota,
        &State::Gcra { tat },
        charge.cost,
        now,
        made.is_some(),
    );
    Ok(Some(now))
}
