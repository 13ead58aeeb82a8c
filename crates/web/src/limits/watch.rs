//! Notices limits that are set up in a way that nobody means.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use seawall_ratelimit::Store;

use super::{Keys, RateLimits};
use crate::request::RequestHead;

/// Looks at the first thousand requests that limits decide about; afterwards it costs one load a
/// request.
///
/// What it finds is for the operator's log: nothing is decided by it.
#[derive(Debug)]
pub struct Watch {
    seen: AtomicU32,
    ignores_forwarded: bool,
    told_of_forwarded: AtomicBool,
    alike: Mutex<Alike>,
}

/// What the keys of all requests so far have in common.
#[derive(Debug, Default)]
struct Alike {
    first: Option<Keys>,
    /// Policies that should tell callers apart and have not yet: their places and names.
    policies: Vec<(usize, String)>,
}

/// Looks like a mistake in how limits are set up. `Display` says why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Suspicion {
    /// A forwarding header came where limits by address trust no proxy.
    ForwardedIgnored,
    /// All requests so far had the same key of a policy that should tell callers apart.
    SameKey {
        /// The policy's name.
        policy: String,
    },
}

impl Watch {
    /// Watches these limits.
    #[must_use]
    pub fn new<S: Store>(limits: &RateLimits<S>) -> Self {
        let policies = limits.policies();
        let apart = limits
            .key_by()
            .iter()
            .zip(policies.policies())
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
        }
    }

    /// Looks at a request, and tells each suspicion once. Relaxed: the numbers decide about a line in
    /// the log and nothing else.
    #[inline]
    pub fn look(&self, head: &dyn RequestHead, keys: &Keys, tell: &mut dyn FnMut(Suspicion)) {
        if self.seen.load(Relaxed) < WATCHED {
            self.look_closer(head, keys, tell);
        }
    }

    /// How many requests it has looked at: a thousand, or all that there were.
    #[must_use]
    pub fn looked_at(&self) -> u32 {
        self.seen.load(Relaxed).min(WATCHED)
    }

    fn look_closer(&self, head: &dyn RequestHead, keys: &Keys, tell: &mut dyn FnMut(Suspicion)) {
        let seen = self.seen.fetch_add(1, Relaxed).saturating_add(1);
        if self.ignores_forwarded
            && FORWARDED.iter().any(|name| head.header(name).is_some())
            && !self.told_of_forwarded.swap(true, Relaxed)
        {
            tell(Suspicion::ForwardedIgnored);
        }
        let mut alike = self.alike.lock().unwrap_or_else(PoisonError::into_inner);
        alike.compare(keys);
        if seen == WATCHED {
            for (_, policy) in alike.policies.drain(..) {
                tell(Suspicion::SameKey { policy });
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

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForwardedIgnored => f.write_str(
                "a request carries a forwarding header, but limits by address trust no proxy: if \
                 there is one in front of this service, all of its callers share one count; name \
                 its network with ClientIp::behind",
            ),
            Self::SameKey { policy } => write!(
                f,
                "the first {WATCHED} requests all had the same key for the policy {policy}: if they \
                 came from more than one caller, these share one count; is the service behind a \
                 proxy that is not trusted, or does the limit stand outside of what finds out who \
                 is calling?"
            ),
        }
    }
}

/// So many requests are looked at.
const WATCHED: u32 = 1000;
const FORWARDED: [&str; 2] = ["x-forwarded-for", "forwarded"];

#[cfg(test)]
mod tests {
    use seawall_ratelimit::{MemoryStore, Policy, quota};

    use super::*;
    use crate::request::{ClientIp, ForwardedHeader, KeyBy};
    use crate::testing::FakeHead;

    /// What is told of so many requests.
    fn told(key: KeyBy, requests: u32, make: impl Fn(u32) -> FakeHead) -> Vec<Suspicion> {
        let limits = RateLimits::builder(MemoryStore::new(8))
            .limit(Policy::new("address", quota!("1/minute")).unwrap(), key)
            .build()
            .unwrap();
        let watch = Watch::new(&limits);
        let mut told = Vec::new();
        for number in 0..requests {
            let head = make(number);
            let keys = limits.keys(&head).unwrap();
            watch.look(&head, &keys, &mut |suspicion| told.push(suspicion));
        }
        told
    }

    fn by_peer() -> KeyBy {
        KeyBy::address(ClientIp::peer())
    }

    #[test]
    fn a_forwarding_header_that_nobody_reads_is_told_of_once() {
        for name in FORWARDED {
            let forwarded = |_| FakeHead::from_peer("10.0.0.1").with_header(name, "203.0.113.7");
            assert_eq!(told(by_peer(), 3, forwarded), [Suspicion::ForwardedIgnored]);
            let trusting = ClientIp::behind(["10.0.0.0/8"], ForwardedHeader::XForwardedFor);
            let trusting = KeyBy::address(trusting.unwrap());
            assert_eq!(told(trusting, 3, forwarded), []);
        }
        assert_eq!(told(by_peer(), 3, |_| FakeHead::from_peer("10.0.0.1")), []);
    }

    #[test]
    fn a_key_that_never_differs_is_told_of_once() {
        let same = |_| FakeHead::from_peer("10.0.0.1");
        let policy = "address".to_owned();
        assert_eq!(told(by_peer(), 1100, same), [Suspicion::SameKey { policy }]);
        assert_eq!(told(by_peer(), 999, same), []);
        assert_eq!(told(KeyBy::everyone(), 1100, same), []);
        let one_of_many = |number| {
            FakeHead::from_peer(if number == 900 {
                "10.0.0.2"
            } else {
                "10.0.0.1"
            })
        };
        assert_eq!(told(by_peer(), 1100, one_of_many), []);
    }
}
