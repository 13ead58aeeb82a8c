//! Notices limits that are set up in a way that nobody means, and says so once in the log.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use seawall_ratelimit::Store;
use seawall_web::limits::{Keys, RateLimits};

/// Looks at the first requests of a layer; afterwards it costs one load a request.
#[derive(Debug)]
pub(super) struct Watch {
    seen: AtomicU32,
    ignores_forwarded: bool,
    told_of_forwarded: AtomicBool,
    alike: Mutex<Alike>,
    short_lived: &'static ShortLived,
}

/// What the keys of all requests so far have in common.
#[derive(Debug, Default)]
struct Alike {
    first: Option<Keys>,
    /// Policies that should tell callers apart and have not yet: their places and names.
    policies: Vec<(usize, String)>,
}

impl Watch {
    pub(super) fn new<S: Store>(limits: &RateLimits<S>) -> Self {
        Self::with(limits, &SHORT_LIVED)
    }

    fn with<S: Store>(limits: &RateLimits<S>, short_lived: &'static ShortLived) -> Self {
        let policies = limits.policies().policies();
        let apart = limits
            .key_by()
            .iter()
            .zip(policies)
            .enumerate()
            .filter(|(_, (key, _))| key.tells_callers_apart())
            .map(|(place, (_, policy))| (place, policy.name().to_string()))
            .collect();
        Self {
            seen: AtomicU32::new(0),
            ignores_forwarded: limits.key_by().iter().any(|key| key.ignores_forwarded()),
            told_of_forwarded: AtomicBool::new(false),
            alike: Mutex::new(Alike {
                first: None,
                policies: apart,
            }),
            short_lived,
        }
    }

    /// Looks at a request. Relaxed: the numbers decide about a line in the log and nothing else.
    pub(super) fn look(&self, headers: &HeaderMap, keys: &Keys) {
        if self.seen.load(Relaxed) >= WATCHED {
            return;
        }
        let seen = self.seen.fetch_add(1, Relaxed).saturating_add(1);
        if self.ignores_forwarded
            && FORWARDED.iter().any(|name| headers.contains_key(*name))
            && !self.told_of_forwarded.swap(true, Relaxed)
        {
            tracing::warn!(
                "a request carries a forwarding header, but limits by address trust no proxy: if \
                 there is one in front of this service, all of its callers share one count; name \
                 its network with ClientIp::behind"
            );
        }
        let mut alike = self.alike.lock().unwrap_or_else(PoisonError::into_inner);
        alike.compare(keys);
        if seen == WATCHED {
            for (_, policy) in alike.policies.drain(..) {
                tracing::warn!(
                    policy,
                    "the first {WATCHED} requests all had the same key: if they came from more than \
                     one caller, these share one count; is the service behind a proxy that is not \
                     trusted, or the layer outside of what finds out who is calling?"
                );
            }
        }
    }
}

impl Alike {
    fn compare(&mut self, keys: &Keys) {
        let Some(first) = &self.first else {
            self.first = Some(keys.clone());
            return;
        };
        self.policies
            .retain(|(place, _)| keys.get(*place) == first.get(*place));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if *self.seen.get_mut() == 1 {
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

/// So many requests are looked at.
const WATCHED: u32 = 1000;
/// So many layers that served one request are no accident.
const LAYERS: u32 = 100;
const FORWARDED: [&str; 2] = ["x-forwarded-for", "forwarded"];

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::Arc;

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
                watch.look(&HeaderMap::new(), &Keys::new());
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
