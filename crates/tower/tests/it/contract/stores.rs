//! Stores and keys that have to be waited for.

use std::convert::Infallible;
use std::time::Duration;

use seawall_idempotency::{Caps, Completion, Reserve, Reserved, Settled, Token};
use seawall_ratelimit::{Charge, Now, Op, Verdict};
use seawall_signing::{
    Claim, KeyProvider, KeyProviderError, KeyQuery, KeyRing, Nonce, NonceStore, Secret,
};
use tokio::task::yield_now;

/// A store that says nothing at once, and all of it later.
#[derive(Clone, Debug)]
pub(super) struct Late<S>(pub(super) S);

impl<S: seawall_ratelimit::Store> seawall_ratelimit::Store for Late<S> {
    type Error = S::Error;

    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, S::Error> {
        yield_now().await;
        self.0.decide(op, charges, out).await
    }
}

impl<S: NonceStore> NonceStore for Late<S> {
    type Error = S::Error;

    async fn claim(&self, nonce: Nonce<'_>) -> Result<Claim, S::Error> {
        yield_now().await;
        self.0.claim(nonce).await
    }
}

impl seawall_idempotency::Store for Late<seawall_idempotency::MemoryStore> {
    type Error = Infallible;

    async fn reserve(&self, reserve: Reserve) -> Result<Reserved, Infallible> {
        yield_now().await;
        self.0.reserve(reserve).await
    }

    async fn complete(&self, completion: &Completion) -> Result<Settled, Infallible> {
        yield_now().await;
        self.0.complete(completion).await
    }

    async fn release(&self, token: Token) -> Result<Settled, Infallible> {
        yield_now().await;
        self.0.release(token).await
    }

    async fn renew(&self, token: Token, lease: Duration) -> Result<Settled, Infallible> {
        yield_now().await;
        self.0.renew(token, lease).await
    }

    async fn sweep(&self, most: usize) -> Result<usize, Infallible> {
        self.0.sweep(most).await
    }

    fn caps(&self) -> Caps {
        self.0.caps()
    }
}

/// Keys that come from elsewhere.
pub(super) struct Fetched(pub(super) fn() -> Secret);

impl KeyProvider for Fetched {
    async fn keys(&self, _: KeyQuery<'_>) -> Result<KeyRing, KeyProviderError> {
        yield_now().await;
        Ok(KeyRing::single((self.0)()))
    }
}
