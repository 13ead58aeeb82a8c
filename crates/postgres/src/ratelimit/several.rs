//! Any number of charges and any operation, by one call of a function.

use std::time::Duration;

use seawall_ratelimit::machine::{State, Windows, measure};
use seawall_ratelimit::{Algorithm, Now, Op, Verdict};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::charge::Planned;
use super::moment;
use crate::error::Error;
use crate::link::Link;

pub(super) async fn decide(
    link: &Link,
    op: Op,
    given_us: Option<i64>,
    charges: &[Planned],
    out: &mut [Verdict],
) -> Result<Now, Error> {
    let letter = letter(op)?;
    let counters: Vec<&[u8]> = charges.iter().map(|charge| &charge.key[..]).collect();
    let blocks: Vec<Option<&[u8]>> = charges
        .iter()
        .map(|charge| charge.block.as_ref().map(|key| &key[..]))
        .collect();
    let kinds: Vec<i32> = charges.iter().map(Planned::kind).collect();
    let shadows: Vec<bool> = charges.iter().map(|charge| charge.shadow).collect();
    let looks: Vec<bool> = charges
        .iter()
        .map(|charge| charge.block.is_some())
        .collect();
    let spans: Vec<i64> = charges.iter().map(Planned::span_us).collect();
    let capacities: Vec<i64> = charges.iter().map(Planned::capacity).collect();
    let costs: Vec<i64> = charges
        .iter()
        .map(|charge| i64::from(charge.cost))
        .collect();
    let extras: Vec<Option<i64>> = charges.iter().map(|charge| charge.extra_us(op)).collect();
    let row = link
        .call(async move |client| {
            let statement = client.prepare_cached(CALL).await?;
            let arguments: [&(dyn ToSql + Sync); 11] = [
                &letter,
                &counters,
                &blocks,
                &kinds,
                &shadows,
                &looks,
                &spans,
                &capacities,
                &costs,
                &extras,
                &given_us,
            ];
            Ok(client.query_one(&statement, &arguments).await?)
        })
        .await?;
    let answer = Answer::read(&row)?;
    answer.verdicts(op, charges, out).ok_or(Error::answer())
}

fn letter(op: Op) -> Result<&'static str, Error> {
    Ok(match op {
        Op::Consume => "c",
        Op::ConsumeUpTo => "u",
        Op::Peek => "p",
        Op::Refund => "f",
        Op::Reset => "r",
        Op::BlockFor => "b",
        // An operation of a later version of the leaf.
        _ => return Err(Error::answer()),
    })
}

struct Answer {
    now_us: i64,
    standings: Vec<i32>,
    /// GCRA: the arrival time; windows: the start.
    firsts: Vec<i64>,
    currents: Vec<i64>,
    earliers: Vec<i64>,
    blocked: Vec<i64>,
}

impl Answer {
    fn read(row: &Row) -> Result<Self, Error> {
        // For no charges, aggregates are null.
        let numbers = |column: usize| -> Result<Vec<i64>, Error> {
            Ok(row
                .try_get::<_, Option<Vec<i64>>>(column)?
                .unwrap_or_default())
        };
        Ok(Self {
            now_us: row.try_get(0)?,
            standings: row.try_get::<_, Option<Vec<i32>>>(1)?.unwrap_or_default(),
            firsts: numbers(2)?,
            currents: numbers(3)?,
            earliers: numbers(4)?,
            blocked: numbers(5)?,
        })
    }

    /// `None`: not what the function answers.
    fn verdicts(&self, op: Op, charges: &[Planned], out: &mut [Verdict]) -> Option<Now> {
        let now = moment(self.now_us)?;
        for (i, (charge, verdict)) in charges.iter().zip(out).enumerate() {
            let first = u64::try_from(*self.firsts.get(i)?).ok()?;
            let state = match charge.quota.algorithm() {
                Algorithm::Gcra => State::Gcra { tat: first },
                _ => State::Windows(Windows {
                    start: first,
                    current: u32::try_from(*self.currents.get(i)?).ok()?,
                    earlier: u32::try_from(*self.earliers.get(i)?).ok()?,
                }),
            };
            let blocked_us = u64::try_from(self.blocked.get(i)?.checked_sub(self.now_us)?).ok();
            *verdict = verdict_of(op, charge, *self.standings.get(i)?, &state, now, blocked_us);
        }
        Some(now)
    }
}

fn verdict_of(
    op: Op,
    charge: &Planned,
    standing: i32,
    state: &State,
    now: Now,
    blocked_us: Option<u64>,
) -> Verdict {
    let (quota, cost) = (&charge.quota, charge.cost);
    if standing == ALLOWED {
        return measure(quota, state, cost, now, true);
    }
    // A blocked key is told the longer of its block and what its quota asks.
    let fits =
        op != Op::BlockFor && standing == BLOCKED && state.consume(quota, cost, now).is_some();
    let verdict = measure(quota, state, cost, now, fits);
    match blocked_us {
        Some(us) if us > 0 || standing == BLOCKED => verdict.blocked_for(Duration::from_micros(us)),
        _ => verdict,
    }
}

const ALLOWED: i32 = 0;
const BLOCKED: i32 = 2;

const CALL: &str = "SELECT now_us, standings, vs, cs, es, blocked \
    FROM seawall_ratelimit_decide($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
