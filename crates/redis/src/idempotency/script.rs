//! The scripts of records, one a step: what they are asked, and what they answer.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Value;
use seawall_idempotency::{
    Caps, Completion, Lost, OnLapse, RecordId, Reserve, Reserved, Settled, Token,
};

use crate::key::record_key;
use crate::link::{Rest, Script};

/// What each step begins with: the record, and the time of a conformance run.
fn about(id: &RecordId, now: Option<Duration>, args: usize) -> Rest {
    let mut rest = Rest::with_capacity(1, args);
    rest.keys.push(record_key(id.as_bytes()));
    match now {
        Some(now) => rest.push(micros(now)),
        None => rest.push(""),
    }
    rest
}

/// What each step of an owner begins with.
fn of_token(token: Token, now: Option<Duration>, args: usize) -> Rest {
    let mut rest = about(&token.id, now, args + 3);
    rest.push_bytes(&token.nonce.as_u64().to_be_bytes());
    rest.push(token.fence);
    rest
}

pub(super) fn reserve(ask: &Reserve, now: Option<Duration>) -> Rest {
    let mut rest = about(&ask.id, now, 6);
    rest.push_bytes(&ask.nonce.as_u64().to_be_bytes());
    rest.push_bytes(ask.fingerprint.as_bytes());
    rest.push(micros(ask.lease));
    rest.push(micros(ask.retention));
    rest.push(u8::from(ask.on_lapse == OnLapse::TakeOver));
    rest
}

pub(super) fn complete(completion: &Completion, now: Option<Duration>) -> Rest {
    let mut rest = of_token(completion.token(), now, 2);
    rest.push_bytes(completion.payload());
    rest.push(Caps::ALWAYS_FITS);
    rest
}

pub(super) fn release(token: Token, now: Option<Duration>) -> Rest {
    let mut rest = of_token(token, now, 1);
    rest.push(micros(REMEMBERED));
    rest
}

pub(super) fn renew(token: Token, lease: Duration, now: Option<Duration>) -> Rest {
    let mut rest = of_token(token, now, 1);
    rest.push(micros(lease));
    rest
}

/// `None`: not what the script answers.
pub(super) fn reserved(answer: Value) -> Option<Reserved> {
    let Value::Array(values) = answer else {
        return None;
    };
    let mut values = values.into_iter();
    match whole(&values.next()?)? {
        0 => Some(Reserved::Acquired {
            fence: whole(&values.next()?)?,
            attempt: u32::try_from(whole(&values.next()?)?).ok()?,
        }),
        1 => match values.next()? {
            Value::BulkString(payload) => Some(Reserved::Completed(payload.into())),
            _ => None,
        },
        2 => Some(Reserved::InProgress {
            lease_left: Duration::from_micros(whole(&values.next()?)?),
        }),
        3 => Some(Reserved::Mismatch),
        4 => Some(Reserved::Unknown {
            attempt: u32::try_from(whole(&values.next()?)?).ok()?,
        }),
        5 => Some(Reserved::Full),
        _ => None,
    }
}

/// `None`: not what the scripts answer.
pub(super) fn settled(answer: &Value) -> Option<Settled> {
    Some(match whole(answer)? {
        0 => Settled::Done,
        1 => Settled::Lost(Lost::Gone),
        2 => Settled::Lost(Lost::TakenOver),
        3 => Settled::Lost(Lost::Completed),
        4 => Settled::TooLarge,
        _ => return None,
    })
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// Whole microseconds, rounded down; and no longer than Lua's numbers bear beside the present.
fn micros(time: Duration) -> u128 {
    time.min(LONGEST).as_micros()
}

/// A hundred years.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// No clock is set back further than that while requests are on their way.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

macro_rules! script {
    ($file:literal) => {
        LazyLock::new(|| Script::new(concat!(include_str!("record.lua"), include_str!($file))))
    };
}

pub(super) static RESERVE: LazyLock<Script> = script!("reserve.lua");
pub(super) static COMPLETE: LazyLock<Script> = script!("complete.lua");
pub(super) static RELEASE: LazyLock<Script> = script!("release.lua");
pub(super) static RENEW: LazyLock<Script> = script!("renew.lua");
