//! Accepted messages of `seawall-signing`, each remembered until it expires.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Value;
use seawall_signing::{Claim, Nonce, NonceStore, StoreFailure};

use crate::error::Error;
use crate::key::nonce_key;
use crate::link::{Rest, Script};
use crate::store::RedisStore;

impl NonceStore for RedisStore {
    type Error = Error;

    /// One round trip; two after the server has forgotten the script.
    ///
    /// # Cancel safety
    ///
    /// A dropped call counts as perhaps claimed.
    async fn claim(&self, nonce: Nonce<'_>) -> Result<Claim, Error> {
        let mut rest = Rest::with_capacity(1, 3);
        rest.keys.push(nonce_key(nonce.digest));
        rest.push(nonce.expires.as_secs().min(LAST));
        rest.push(nonce.now.as_secs().min(LAST));
        rest.push(whole_seconds(nonce.max_skew));
        let answer = self.inner().link.call(&CLAIM, &rest).await?;
        Ok(match answer {
            Value::Int(0) => Claim::Fresh,
            Value::Int(1) => Claim::Replayed,
            Value::Int(2) => Claim::Expired,
            Value::Int(3) => Claim::Skewed,
            _ => return Err(Error::answer()),
        })
    }
}

/// Rounded down: times have whole seconds, and a difference of those is over the limit or not.
const fn whole_seconds(time: Duration) -> u64 {
    time.as_secs()
}

/// Far enough for any message, and exact in Lua's numbers: the year 33,658.
const LAST: u64 = 1_000_000_000_000;

impl From<Error> for StoreFailure {
    fn from(error: Error) -> Self {
        if error.is_unavailable() {
            Self::unavailable(error)
        } else {
            Self::refused(error)
        }
    }
}

static CLAIM: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("claim.lua")));
