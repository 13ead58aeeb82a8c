//! The time of one thread, and the core that it runs on.

use std::time::Duration;

use rustix::{
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::{ClockId, clock_gettime},
};

/// The processor time that the calling thread has used. Another process on the same core stops
/// this clock, which no clock on the wall does.
pub(crate) fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}

/// Keeps the calling thread on one of the cores that this process may use. Two threads that the
/// system puts on one core would take turns instead of meeting.
pub(crate) fn pin(index: usize) {
    let Ok(allowed) = sched_getaffinity(None) else {
        return;
    };
    let cores: Vec<_> = (0..CpuSet::MAX_CPU)
        .filter(|&core| allowed.is_set(core))
        .collect();
    if let Some(&core) = cores.get(index % cores.len().max(1)) {
        let mut one = CpuSet::new();
        one.set(core);
        // Where it is refused, the check for overlap tells whether the round is of use.
        let _ = sched_setaffinity(None, &one);
    }
}

#[cfg(test)]
mod tests {
    use std::{hint::black_box, thread, time::Instant};

    use super::*;

    #[test]
    fn the_threads_clock_stands_still_while_it_waits() {
        let (start, wall) = (thread_time(), Instant::now());
        let helper = thread::spawn(|| (0..3_000_000_u64).map(black_box).sum::<u64>());
        black_box(helper.join().unwrap());
        let used = thread_time() - start;
        assert!(used < wall.elapsed(), "{used:?}");
    }

    #[test]
    fn the_threads_clock_runs_while_it_works() {
        let start = thread_time();
        black_box((0..3_000_000_u64).map(black_box).sum::<u64>());
        assert!(thread_time() > start);
    }
}
