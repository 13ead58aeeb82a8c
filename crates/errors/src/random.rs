//! Random numbers for ids: one seed a thread, no system call afterwards.
//!
//! The numbers are a keyed pseudo-random function over a counter: the standard library's hash
//! (`SipHash`), whose 128-bit key the operating system chose when the thread first needed one. That
//! function is made so that outputs neither repeat in a pattern nor betray the key or each other,
//! which is what an id needs; nothing here is meant to be a secret. Asking the operating system for
//! every id, as version 4 UUIDs commonly do, costs a system call a request. A state for each thread
//! needs no lock and shares no cache line.
//!
//! A process that forks after its first id shares the key with its child; the time within an id
//! then has to tell the two apart. `wasm32-unknown-unknown` has no entropy to seed from: there, ids
//! are unique within one instance.

use std::{
    cell::Cell,
    hash::{BuildHasher as _, RandomState},
};

/// 64 random bits.
pub(crate) fn bits() -> u64 {
    STATE.with(|state| {
        let count = state.count.get().wrapping_add(1);
        state.count.set(count);
        state.key.hash_one(count)
    })
}

struct State {
    key: RandomState,
    count: Cell<u64>,
}

thread_local! {
    static STATE: State = State { key: RandomState::new(), count: Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, thread};

    use super::*;

    #[test]
    fn threads_draw_different_numbers() {
        let draw = || (0..1000).map(|_| bits()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(draw)).collect();
        let all: Vec<u64> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .chain(draw())
            .collect();
        let distinct: HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn every_bit_is_set_about_half_of_the_time() {
        let mut counts = [0_u32; 64];
        for _ in 0..4096 {
            let number = bits();
            for (bit, count) in counts.iter_mut().enumerate() {
                *count += u32::from(number >> bit & 1 == 1);
            }
        }
        // Ten standard deviations around the mean of 2048: a fair bit never leaves them.
        for (bit, count) in counts.iter().enumerate() {
            assert!((1728..=2368).contains(count), "bit {bit}: {count} of 4096");
        }
    }
}
