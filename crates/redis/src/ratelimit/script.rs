//! One call of the script: written, sent, read.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Value;
use seawall_ratelimit::machine::{State, Windows, measure};
use seawall_ratelimit::{Algorithm, Now, Op, Verdict};

use super::charge::{Planned, whole};
use crate::error::Error;
use crate::link::{Link, Rest, Script};

/// Decides `charges`, whose keys lie in one slot, and returns the server's time.
pub(super) async fn run(
    link: &Link,
    op: Op,
    now: Option<Now>,
    charges: &[Planned],
    out: &mut [Verdict],
) -> Result<Now, Error> {
    let mut rest = Rest::with_capacity(2 * charges.len(), 2 + 5 * charges.len());
    rest.push(letter(op)?);
    match now {
        Some(now) => rest.push(whole(now.unix())),
        None => rest.push(""),
    }
    for charge in charges {
        charge.write(op, &mut rest);
    }
    let answer = link.call(&DECIDE, &rest).await?;
    read(op, charges, &answer, out).ok_or(Error::answer())
}

fn letter(op: Op) -> Result<char, Error> {
    Ok(match op {
        Op::Consume => 'c',
        Op::ConsumeUpTo => 'u',
        Op::Peek => 'p',
        Op::Refund => 'f',
        Op::Reset => 'r',
        Op::BlockFor => 'b',
        // An operation of a later version of the leaf.
        _ => return Err(Error::answer()),
    })
}

/// `None`: not what the script answers.
fn read(op: Op, charges: &[Planned], answer: &Value, out: &mut [Verdict]) -> Option<Now> {
    let Value::Array(values) = answer else {
        return None;
    };
    let mut numbers = values.iter().map(|value| match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    });
    let mut next = || numbers.next().flatten();
    let now_us = next()?;
    let now = Now::at(Duration::from_micros(now_us));
    for (charge, verdict) in charges.iter().zip(out) {
        let standing = next()?;
        let state = match charge.quota.algorithm() {
            Algorithm::Gcra => State::Gcra { tat: next()? },
            _ => State::Windows(Windows {
                start: next()?,
                current: u32::try_from(next()?).ok()?,
                earlier: u32::try_from(next()?).ok()?,
            }),
        };
        let blocked_us = if charge.looks_for_block() { next()? } else { 0 };
        *verdict = verdict_of(
            op,
            charge,
            standing,
            &state,
            now,
            blocked_us.checked_sub(now_us),
        );
    }
    Some(now)
}

fn verdict_of(
    op: Op,
    charge: &Planned,
    standing: u64,
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

const ALLOWED: u64 = 0;
const BLOCKED: u64 = 2;

static DECIDE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("decide.lua")));
