//! Where the bits of a new id come from.

use std::{
    cell::RefCell,
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// The next `UUIDv7` of this thread, as a number.
pub(super) fn next(unix: Duration) -> u128 {
    GENERATOR.with_borrow_mut(|generator| generator.next(unix))
}

thread_local! {
    static GENERATOR: RefCell<Generator> = RefCell::new(Generator::new(RandomState::new()));
}

struct Generator {
    key: RandomState,
    counter: u64,
    last: u64,
}

impl Generator {
    const fn new(key: RandomState) -> Self {
        Self {
            key,
            counter: 0,
            last: 0,
        }
    }

    fn next(&mut self, unix: Duration) -> u128 {
        let millis = u64::try_from(unix.as_millis()).unwrap_or(u64::MAX) & ((1 << 48) - 1);
        let fraction = u64::from(unix.subsec_nanos() % 1_000_000) * 4096 / 1_000_000;
        let now = (millis << 12) | fraction;
        self.last = if now > self.last || self.last - now > MAX_LEAD {
            now
        } else {
            self.last + 1
        };
        self.counter = self.counter.wrapping_add(1);
        let random = self.key.hash_one(self.counter);
        let high = ((self.last >> 12) << 16) | 0x7000 | (self.last & 0xfff);
        let low = (random >> 2) | (1 << 63);
        (u128::from(high) << 64) | u128::from(low)
    }
}

/// Ten seconds in units of 1/4096 ms.
const MAX_LEAD: u64 = 10_000 << 12;
