//! Records of `seawall-idempotency`: each one key, each step one script.

mod script;

use std::time::Duration;

use seawall_idempotency::{
    Caps, Completion, Durability, Reach, Reserve, Reserved, Settled, Store, StoreFailure, Token,
};

use crate::error::Error;
use crate::link::{Rest, Script};
use crate::store::RedisStore;

/// Every step is one round trip; two after the server has forgotten the script.
///
/// # Cancel safety
///
/// A dropped step has perhaps been made. Making it again with the same nonce or token is harmless.
impl Store for RedisStore {
    type Error = Error;

    async fn reserve(&self, reserve: Reserve) -> Result<Reserved, Error> {
        let ask = script::reserve(&reserve, self.inner().conformance_time());
        let answer = self.inner().link.call(&script::RESERVE, &ask).await?;
        script::reserved(answer).ok_or(Error::answer())
    }

    async fn complete(&self, completion: &Completion) -> Result<Settled, Error> {
        if completion.payload().len() > LARGEST {
            return Ok(Settled::TooLarge);
        }
        let ask = script::complete(completion, self.inner().conformance_time());
        self.settle(&script::COMPLETE, ask).await
    }

    async fn release(&self, token: Token) -> Result<Settled, Error> {
        let ask = script::release(token, self.inner().conformance_time());
        self.settle(&script::RELEASE, ask).await
    }

    async fn renew(&self, token: Token, lease: Duration) -> Result<Settled, Error> {
        let ask = script::renew(token, lease, self.inner().conformance_time());
        self.settle(&script::RENEW, ask).await
    }

    /// Does nothing: Redis removes what has expired by itself.
    async fn sweep(&self, _most: usize) -> Result<usize, Error> {
        Ok(0)
    }

    /// [`Durability::Process`]: whether the server writes to disk before it answers, and whether its
    /// replicas have heard, it does not tell.
    fn caps(&self) -> Caps {
        Caps::new(Durability::Process, Reach::Network).largest(LARGEST)
    }
}

impl RedisStore {
    async fn settle(&self, script: &Script, ask: Rest) -> Result<Settled, Error> {
        let answer = self.inner().link.call(script, &ask).await?;
        script::settled(&answer).ok_or(Error::answer())
    }
}

impl From<Error> for StoreFailure {
    fn from(error: Error) -> Self {
        if error.is_unavailable() {
            Self::unavailable(error)
        } else {
            Self::refused(error)
        }
    }
}

/// An eighth of what a server takes unless told otherwise (`proto-max-bulk-len`). It has one thread,
/// which copies the payload a few times while everybody else waits.
const LARGEST: usize = 64 << 20;
