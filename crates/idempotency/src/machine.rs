//! The decisions of a store, as plain functions: what is found and what is asked, to what is
//! answered and what is written. Nothing here reads a clock, takes a lock or awaits.
//!
//! A store that reads a record and writes it back within one atomic step (a lock, a transaction) can
//! call these. One that decides in SQL or in a script writes the same there; feature `conformance`
//! tells whether it did. All moments are on the store's clock.

use std::time::Duration;

use bytes::Bytes;

use crate::fingerprint::Fingerprint;
use crate::store::{Completion, Lost, Nonce, OnLapse, Reserve, Reserved, Settled, Token};

/// Is what a store keeps of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores read it and build it")]
pub struct Record {
    /// Is what was asked for.
    pub fingerprint: Fingerprint,
    /// Is the nonce of the attempt that has it.
    pub nonce: Nonce,
    /// Is that attempt's fence.
    pub fence: u64,
    /// Counts attempts from 1.
    pub attempt: u32,
    /// Is the moment from which on the attempt has given no sign of life.
    pub lease_until: Duration,
    /// Is the moment from which on there is no record.
    pub expires: Duration,
    /// Is how it ended, once it has.
    pub payload: Option<Bytes>,
}

/// Is what to do about a reserve.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing third")]
pub enum Reserving {
    /// Answer this, and write nothing.
    Answer(Reserved),
    /// Write a new record by [`take`], with a new fence, in place of what was found.
    Take {
        /// Is the attempt that begins.
        attempt: u32,
    },
}

/// Decides a reserve. The first that fits counts: expiry, own nonce, fingerprint, state, lease.
#[must_use]
pub fn reserve(found: Option<&Record>, ask: &Reserve, now: Duration) -> Reserving {
    let Some(record) = found.filter(|record| record.expires > now) else {
        return Reserving::Take { attempt: 1 };
    };
    Reserving::Answer(if let Some(payload) = &record.payload {
        if record.fingerprint == ask.fingerprint {
            Reserved::Completed(payload.clone())
        } else {
            Reserved::Mismatch
        }
    } else if record.nonce == ask.nonce {
        // The reply to the same question was lost.
        Reserved::Acquired {
            fence: record.fence,
            attempt: record.attempt,
        }
    } else if record.fingerprint != ask.fingerprint {
        Reserved::Mismatch
    } else if record.lease_until > now {
        Reserved::InProgress {
            lease_left: record.lease_until.saturating_sub(now),
        }
    } else if ask.on_lapse == OnLapse::Keep {
        Reserved::Unknown {
            attempt: record.attempt,
        }
    } else {
        return Reserving::Take {
            attempt: record.attempt.saturating_add(1),
        };
    })
}

/// Makes the record of an attempt that begins.
#[must_use]
pub fn take(ask: &Reserve, attempt: u32, fence: u64, now: Duration) -> Record {
    let expires = now.saturating_add(ask.retention);
    Record {
        fingerprint: ask.fingerprint,
        nonce: ask.nonce,
        fence,
        attempt,
        lease_until: now.saturating_add(ask.lease).min(expires),
        expires,
        payload: None,
    }
}

/// Decides whether a token may still change its record: release it, renew its lease.
///
/// # Errors
///
/// Tells to what the record was lost.
pub fn owns(found: Option<&Record>, token: Token, now: Duration) -> Result<&Record, Lost> {
    let Some(record) = found.filter(|record| record.expires > now) else {
        return Err(Lost::Gone);
    };
    if record.fence != token.fence || record.nonce != token.nonce {
        Err(Lost::TakenOver)
    } else if record.payload.is_some() {
        Err(Lost::Completed)
    } else {
        Ok(record)
    }
}

/// Decides a completion: `Err` is to be answered with nothing written, and `Ok` says to write the
/// payload and answer [`Settled::Done`].
///
/// # Errors
///
/// Tells the answer.
pub fn complete(
    found: Option<&Record>,
    completion: &Completion,
    now: Duration,
) -> Result<(), Settled> {
    match owns(found, completion.token(), now) {
        Ok(_) => Ok(()),
        Err(Lost::Completed)
            if found.and_then(|r| r.payload.as_ref()) == Some(completion.payload()) =>
        {
            Err(Settled::Done)
        }
        Err(lost) => Err(Settled::Lost(lost)),
    }
}

/// Returns when a renewed lease ends.
#[must_use]
pub fn renewed(record: &Record, lease: Duration, now: Duration) -> Duration {
    now.saturating_add(lease).min(record.expires)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::RecordId;

    const ID: RecordId = RecordId::from_bytes([1; 32]);

    fn s(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn ask(nonce: u64) -> Reserve {
        Reserve::new(ID, Fingerprint::from_bytes([2; 32]), Nonce::from_u64(nonce))
            .lease(s(10))
            .retention(s(100))
    }

    fn reserved() -> Record {
        take(&ask(1), 1, 7, s(0))
    }

    fn completed() -> Record {
        Record {
            payload: Some(Bytes::from_static(b"done")),
            ..reserved()
        }
    }

    fn answer(found: &Record, ask: &Reserve, now: u64) -> Reserved {
        match reserve(Some(found), ask, s(now)) {
            Reserving::Answer(answer) => answer,
            Reserving::Take { .. } => panic!("an answer is expected"),
        }
    }

    #[test]
    fn the_table_of_reserves() {
        let other = Reserve {
            fingerprint: Fingerprint::from_bytes([3; 32]),
            ..ask(2)
        };
        let taking = ask(2).on_lapse(OnLapse::TakeOver);
        let mine = Reserved::Acquired {
            fence: 7,
            attempt: 1,
        };
        assert_eq!(reserve(None, &ask(1), s(0)), Reserving::Take { attempt: 1 });
        assert_eq!(answer(&reserved(), &ask(1), 0), mine);
        assert_eq!(answer(&reserved(), &ask(1), 50), mine);
        let left = Reserved::InProgress { lease_left: s(1) };
        assert_eq!(answer(&reserved(), &ask(2), 9), left);
        assert_eq!(answer(&reserved(), &taking, 9), left);
        assert_eq!(
            answer(&reserved(), &ask(2), 10),
            Reserved::Unknown { attempt: 1 }
        );
        let second = Reserving::Take { attempt: 2 };
        assert_eq!(reserve(Some(&reserved()), &taking, s(10)), second);
        assert_eq!(answer(&reserved(), &other, 10), Reserved::Mismatch);
        assert_eq!(answer(&completed(), &other, 10), Reserved::Mismatch);
        let done = Reserved::Completed(Bytes::from_static(b"done"));
        assert_eq!(answer(&completed(), &ask(1), 99), done);
        assert_eq!(answer(&completed(), &ask(2), 99), done);
        for found in [reserved(), completed()] {
            let anew = reserve(Some(&found), &other, s(100));
            assert_eq!(anew, Reserving::Take { attempt: 1 });
        }
    }

    #[test]
    fn the_table_of_tokens() {
        let token = Token::new(ID, 7, Nonce::from_u64(1));
        let stale = Token::new(ID, 6, Nonce::from_u64(1));
        let stranger = Token::new(ID, 7, Nonce::from_u64(2));
        let lost = |found: Option<&Record>, token, now| owns(found, token, s(now)).err();
        assert_eq!(lost(Some(&reserved()), token, 99), None);
        assert_eq!(lost(Some(&reserved()), token, 100), Some(Lost::Gone));
        assert_eq!(lost(None, token, 0), Some(Lost::Gone));
        assert_eq!(lost(Some(&reserved()), stale, 0), Some(Lost::TakenOver));
        assert_eq!(lost(Some(&completed()), stranger, 0), Some(Lost::TakenOver));
        assert_eq!(lost(Some(&completed()), token, 0), Some(Lost::Completed));
    }

    #[test]
    fn completing_again_with_the_same_payload_is_done_again() {
        let token = Token::new(ID, 7, Nonce::from_u64(1));
        let same = Completion::new(token, Bytes::from_static(b"done"));
        let other = Completion::new(token, Bytes::from_static(b"else"));
        assert_eq!(complete(Some(&reserved()), &same, s(50)), Ok(()));
        assert_eq!(
            complete(Some(&completed()), &same, s(0)),
            Err(Settled::Done)
        );
        let lost = Err(Settled::Lost(Lost::Completed));
        assert_eq!(complete(Some(&completed()), &other, s(0)), lost);
    }

    #[test]
    fn no_lease_outlives_its_record() {
        assert_eq!(renewed(&reserved(), s(10), s(95)), s(100));
        assert_eq!(renewed(&reserved(), Duration::ZERO, s(5)), s(5));
        assert_eq!(take(&ask(1).lease(s(1000)), 1, 1, s(0)).lease_until, s(100));
        assert_eq!(take(&ask(1), 1, 1, Duration::MAX).expires, Duration::MAX);
    }
}
