//! Random operations, compared with a model that is too simple to be wrong.

use std::time::Duration;

use super::support::{complete, completed, fingerprint, fresh, release, renew, reserve};
use crate::store::{Lost, Nonce, OnLapse, Reserve, Reserved, Settled, Store, Token};

/// Makes `steps` random operations on a few records, with the tokens of all attempts there ever
/// were, and compares every answer with a model's. The same `seed` makes the same steps.
///
/// # Panics
///
/// Panics with the step at which an answer differs.
pub async fn random_operations(
    store: &impl Store,
    seed: u64,
    steps: usize,
    mut advance: impl FnMut(Duration),
) {
    let mut random = Random(seed.wrapping_mul(2).wrapping_add(1));
    let mut records: Vec<Modelled> = (0..4).map(|_| Modelled::new(fresh())).collect();
    let mut now = Duration::ZERO;
    for step in 0..steps {
        let which = random.below(4);
        let at = format!("seed {seed}, step {step}, record {which}");
        let record = &mut records[which];
        let token = record.any_token(&mut random);
        let payload = [&b"one"[..], b"two"][random.below(2)];
        match random.below(8) {
            0..=2 => record.reserve(store, &mut random, now, &at).await,
            3 => {
                let expected = record.complete(token, payload, now);
                assert_eq!(
                    complete(store, token, payload).await,
                    expected,
                    "complete, {at}"
                );
            }
            4 => {
                let expected = record.release(token, now);
                assert_eq!(release(store, token).await, expected, "release, {at}");
            }
            5 => {
                let lease = ms(random.below(3) as u64 * 50);
                let expected = record.renew(token, lease, now);
                assert_eq!(renew(store, token, lease).await, expected, "renew, {at}");
            }
            6 => {
                let by = ms([1, 20, 50, 100, 400][random.below(5)]);
                advance(by);
                now += by;
            }
            _ => {
                let swept = store.sweep(random.below(3)).await;
                swept.unwrap_or_else(|e| panic!("the store answers: {e}; {at}"));
            }
        }
    }
}

/// One record: the history of its attempts, from which everything follows.
struct Modelled {
    ask: Reserve,
    attempts: Vec<Attempt>,
    asked: Vec<Reserve>,
}

struct Attempt {
    token: Token,
    fingerprint: u8,
    number: u32,
    lease_until: Duration,
    expires: Duration,
    is_released: bool,
    payload: Option<Vec<u8>>,
}

impl Modelled {
    fn new(ask: Reserve) -> Self {
        Self {
            ask,
            attempts: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// Only the last attempt counts, and only until it is released or expires.
    fn live(&mut self, now: Duration) -> Option<&mut Attempt> {
        let last = self.attempts.last_mut()?;
        (!last.is_released && now < last.expires).then_some(last)
    }

    fn any_token(&self, random: &mut Random) -> Token {
        let newest = self.attempts.len().checked_sub(1);
        match newest {
            None => Token::new(self.ask.id, 1, Nonce::from_u64(random.next())),
            Some(newest) if random.below(3) > 0 => self.attempts[newest].token,
            Some(_) => self.attempts[random.below(self.attempts.len())].token,
        }
    }

    async fn reserve(&mut self, store: &impl Store, random: &mut Random, now: Duration, at: &str) {
        let print = u8::from(random.below(6) == 0) + 1;
        let new = Reserve {
            fingerprint: fingerprint(print),
            nonce: Nonce::from_u64(random.next()),
            ..self.ask
        };
        let new = new
            .lease(ms(50 + 50 * random.below(2) as u64))
            .retention(ms(300))
            .on_lapse([OnLapse::Keep, OnLapse::TakeOver][random.below(2)]);
        // Now and then the last question again, as if its reply had been lost.
        let ask = match self.asked.last() {
            Some(last) if random.below(4) == 0 => *last,
            _ => new,
        };
        self.asked.push(ask);
        let print = ask.fingerprint.as_bytes()[0];
        let answer = reserve(store, ask).await;
        let number = match self.live(now) {
            None => 1,
            Some(live) => {
                let expected = if live.payload.is_none() && live.token.nonce == ask.nonce {
                    Reserved::Acquired {
                        fence: live.token.fence,
                        attempt: live.number,
                    }
                } else if live.fingerprint != print {
                    Reserved::Mismatch
                } else if let Some(payload) = &live.payload {
                    completed(payload)
                } else if now < live.lease_until {
                    Reserved::InProgress {
                        lease_left: live.lease_until - now,
                    }
                } else if ask.on_lapse == OnLapse::Keep {
                    Reserved::Unknown {
                        attempt: live.number,
                    }
                } else {
                    let number = live.number + 1;
                    return self.begin(&answer, ask, number, now, at);
                };
                assert_eq!(answer, expected, "reserve, {at}");
                return;
            }
        };
        self.begin(&answer, ask, number, now, at);
    }

    fn begin(&mut self, answer: &Reserved, ask: Reserve, number: u32, now: Duration, at: &str) {
        let &Reserved::Acquired { fence, attempt } = answer else {
            panic!("reserve, {at}: expected attempt {number}, got {answer:?}");
        };
        assert_eq!(attempt, number, "reserve, {at}");
        let before = self.attempts.iter().map(|attempt| attempt.token.fence);
        assert!(before.max() < Some(fence), "L2: fences increase, {at}");
        self.attempts.push(Attempt {
            token: Token::new(ask.id, fence, ask.nonce),
            fingerprint: ask.fingerprint.as_bytes()[0],
            number,
            lease_until: now + ask.lease,
            expires: now + ask.retention,
            is_released: false,
            payload: None,
        });
    }

    fn owned(&mut self, token: Token, now: Duration) -> Result<&mut Attempt, Settled> {
        match self.live(now) {
            None => Err(Settled::Lost(Lost::Gone)),
            Some(live) if live.token != token => Err(Settled::Lost(Lost::TakenOver)),
            Some(live) => Ok(live),
        }
    }

    fn complete(&mut self, token: Token, payload: &[u8], now: Duration) -> Settled {
        match self.owned(token, now) {
            Err(lost) => lost,
            Ok(live) if live.payload.is_none() => {
                live.payload = Some(payload.to_vec());
                Settled::Done
            }
            Ok(live) if live.payload.as_deref() == Some(payload) => Settled::Done,
            Ok(_) => Settled::Lost(Lost::Completed),
        }
    }

    fn release(&mut self, token: Token, now: Duration) -> Settled {
        match self.owned(token, now) {
            Err(lost) => lost,
            Ok(live) if live.payload.is_some() => Settled::Lost(Lost::Completed),
            Ok(live) => {
                live.is_released = true;
                Settled::Done
            }
        }
    }

    fn renew(&mut self, token: Token, lease: Duration, now: Duration) -> Settled {
        match self.owned(token, now) {
            Err(lost) => lost,
            Ok(live) if live.payload.is_some() => Settled::Lost(Lost::Completed),
            Ok(live) => {
                live.lease_until = (now + lease).min(live.expires);
                Settled::Done
            }
        }
    }
}

/// A generator of Marsaglia's (xorshift64*): small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        // The remainder fits, as `end` does.
        usize::try_from((self.next() >> 16) % end as u64).unwrap_or(0)
    }
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
