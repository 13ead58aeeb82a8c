//! Notices limits that are set up in a way that nobody means, and says so once in the log.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use seawall_ratelimit::Store;
use seawall_web::limits::{self, Keys, RateLimits, Suspicion};
use seawall_web::request::RequestHead;

/// Looks at the first requests of a layer; afterwards it costs one load a request.
#[derive(Debug)]
pub(crate) struct Watch {
    limits: limits::Watch,
    short_lived: &'static ShortLived,
}

impl Watch {
    pub(crate) fn new<S: Store>(limits: &RateLimits<S>) -> Self {
        Self::with(limits, &SHORT_LIVED)
    }

    fn with<S: Store>(limits: &RateLimits<S>, short_lived: &'static ShortLived) -> Self {
        Self {
            limits: limits::Watch::new(limits),
            short_lived,
        }
    }

    /// Looks at a request.
    #[inline]
    pub(crate) fn look(&self, head: &dyn RequestHead, keys: &Keys) {
        self.limits
            .look(head, keys, &mut |suspicion| match &suspicion {
                Suspicion::SameKey { policy } => tracing::warn!(policy, "{suspicion}"),
                _ => tracing::warn!("{suspicion}"),
            });
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.limits.looked_at() == 1 {
            self.short_lived.count();
        }
    }
}

/// Layers that have served exactly one request. A layer made for each request counts to one and
/// limits nobody, and this is how that looks from inside.
#[derive(Debug)]
struct ShortLived(AtomicU32);

impl ShortLived {
    fn count(&self) {
        if self.0.fetch_add(1, Relaxed).saturating_add(1) == LAYERS {
            tracing::warn!(
                "{LAYERS} rate limit layers have been dropped after one request each: a layer that \
                 is made for each request starts its counts anew and limits nobody; make it once, \
                 with the router"
            );
        }
    }
}

static SHORT_LIVED: ShortLived = ShortLived(AtomicU32::new(0));

/// So many layers that served one request are no accident.
const LAYERS: u32 = 100;

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use seawall_ratelimit::{MemoryStore, Policy, quota};
    use seawall_web::request::KeyBy;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        fn lines(&self) -> usize {
            self.0.lock().unwrap().split(|byte| *byte == b'\n').count() - 1
        }
    }

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn layers_that_serve_one_request_each_are_told_of_once() {
        static COUNT: ShortLived = ShortLived(AtomicU32::new(0));

        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let serve = |requests: u32| {
            let limits = RateLimits::builder(MemoryStore::new(8))
                .limit(
                    Policy::new("all", quota!("1/minute")).unwrap(),
                    KeyBy::everyone(),
                )
                .build()
                .unwrap();
            let watch = Watch::with(&limits, &COUNT);
            for _ in 0..requests {
                let request = http::Request::new(());
                watch.look(&crate::HttpHead::of(&request), &Keys::new());
            }
        };
        for _ in 0..LAYERS {
            serve(0);
            serve(2);
        }
        assert_eq!(log.lines(), 0);
        for _ in 1..LAYERS {
            serve(1);
        }
        assert_eq!(log.lines(), 0);
        for _ in 0..3 {
            serve(1);
        }
        assert_eq!(log.lines(), 1);
    }
}
