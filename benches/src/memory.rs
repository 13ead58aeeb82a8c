//! Memory figures, for cases about bytes and allocations.

/// The resident memory of this process in bytes; 0 where the system does not tell.
///
/// The difference before and after filling a table is a fair figure when the table holds many
/// megabytes, and for one table a process only: freed pages are used again without being seen.
#[must_use]
pub fn resident_bytes() -> u64 {
    // The second field counts pages; 4 KiB is their size on every machine we measure on.
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|field| field.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

/// What one piece of work asked of the allocator, on its own thread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HeapUse {
    pub(crate) allocations: f64,
    pub(crate) peak_bytes: f64,
}

#[cfg(feature = "heap")]
#[expect(
    clippy::cast_precision_loss,
    reason = "no single operation allocates 2^53 times"
)]
pub(crate) fn heap_use(work: impl FnOnce()) -> HeapUse {
    let info = allocation_counter::measure(work);
    HeapUse {
        allocations: info.count_total as f64,
        peak_bytes: info.bytes_max as f64,
    }
}

/// Heap cases are passed over in a build that does not count, so nobody sees these figures.
#[cfg(not(feature = "heap"))]
pub(crate) fn heap_use(work: impl FnOnce()) -> HeapUse {
    work();
    HeapUse {
        allocations: f64::NAN,
        peak_bytes: f64::NAN,
    }
}

#[cfg(all(test, feature = "heap"))]
mod tests {
    use super::*;

    #[test]
    fn an_allocation_is_counted_with_its_bytes() {
        let used = heap_use(|| drop(std::hint::black_box(vec![0_u8; 1000])));
        assert_eq!(
            used,
            HeapUse {
                allocations: 1.0,
                peak_bytes: 1000.0
            }
        );
    }

    #[test]
    fn work_without_allocations_counts_none() {
        assert_eq!(heap_use(|| ()).allocations, 0.0);
    }
}
