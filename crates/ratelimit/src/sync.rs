//! The atomics and locks of the lock-free code, exchanged for those of a model checker in its tests.

#[cfg(all(test, loom))]
mod here {
    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(crate) use loom::sync::{Mutex, MutexGuard};
    pub(crate) use loom::thread::yield_now;
}

#[cfg(all(test, shuttle, not(loom)))]
mod here {
    pub(crate) use shuttle::hint::spin_loop;
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(crate) use shuttle::sync::{Mutex, MutexGuard};
    pub(crate) use shuttle::thread::yield_now;
}

#[cfg(not(all(test, any(loom, shuttle))))]
mod here {
    pub(crate) use parking_lot::{Mutex, MutexGuard};
    pub(crate) use std::hint::spin_loop;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(crate) use std::thread::yield_now;
}

pub(crate) use here::*;

/// Takes a lock that no panic can poison: what it guards holds no data.
#[cfg(not(all(test, any(loom, shuttle))))]
pub(crate) fn lock(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex.lock()
}

/// Takes a lock that no panic can poison: what it guards holds no data.
#[cfg(all(test, any(loom, shuttle)))]
pub(crate) fn lock(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Zeroed words, of which the operating system gives pages only when they are touched.
#[cfg(not(all(test, any(loom, shuttle))))]
pub(crate) fn zeroed(words: usize) -> Box<[AtomicU64]> {
    bytemuck::allocation::zeroed_slice_box(words)
}

/// Zeroed words.
#[cfg(all(test, any(loom, shuttle)))]
pub(crate) fn zeroed(words: usize) -> Box<[AtomicU64]> {
    (0..words).map(|_| AtomicU64::new(0)).collect()
}
