//! One verification: what is refused before the body, and how it goes on.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::pass::Pass;
use super::{Session, Unclaimed, Verification, Verifier};
use crate::clock::UnixTime;
use crate::envelope::Envelope;
use crate::head::Head;
use crate::keyring::{KeyProviderError, KeyQuery, KeyRing};
use crate::refused::{Refused, RefusedKind};
use crate::scheme::Freshness;

/// Is a verification that has settings of its own.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Attempt<'v> {
    verifier: &'v Verifier,
    tenant: Option<&'v str>,
    at: Option<UnixTime>,
}

impl<'v> Attempt<'v> {
    pub(super) const fn new(verifier: &'v Verifier) -> Self {
        Self {
            verifier,
            tenant: None,
            at: None,
        }
    }

    /// Names whose message it should be: the provider is asked for the keys of that tenant, and
    /// replays are remembered for it apart. Take the name from the route, not from the message.
    /// Default: no tenant.
    pub const fn tenant(mut self, tenant: &'v str) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// Judges as of `now`. Default: the verifier's clock.
    pub const fn at(mut self, now: UnixTime) -> Self {
        self.at = Some(now);
        self
    }

    /// See [`Verifier::verify`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn verify<H: Head>(self, head: &H, body: &[u8]) -> Result<Verification, Refused> {
        let now = self.now();
        let envelope = self.read(head, now)?;
        let keys = self.fetch(&envelope).await;
        self.judge(head, &envelope, keys, now, body)?.claim().await
    }

    /// See [`Verifier::verify_now`].
    pub fn verify_now<H: Head>(
        self,
        head: &H,
        body: &[u8],
    ) -> Option<Result<Verification, Refused>> {
        let now = self.now();
        let envelope = match self.read(head, now) {
            Ok(envelope) => envelope,
            Err(refused) => return Some(Err(refused)),
        };
        let keys = self.keys_now(&envelope)?;
        match self.judge(head, &envelope, keys, now, body) {
            Ok(unclaimed) => unclaimed.claim_now().ok(),
            Err(refused) => Some(Err(refused)),
        }
    }

    /// See [`Verifier::begin`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn begin<H: Head>(self, head: &H) -> Result<Session, Refused> {
        let now = self.now();
        let envelope = self.read(head, now)?;
        let keys = self.fetch(&envelope).await;
        self.open(head, envelope, keys, now)
    }

    /// See [`Verifier::begin_now`].
    pub fn begin_now<H: Head>(self, head: &H) -> Option<Result<Session, Refused>> {
        let now = self.now();
        let envelope = match self.read(head, now) {
            Ok(envelope) => envelope,
            Err(refused) => return Some(Err(refused)),
        };
        let keys = self.keys_now(&envelope)?;
        Some(self.open(head, envelope, keys, now))
    }

    fn keys_now(&self, envelope: &Envelope) -> Option<Result<KeyRing, KeyProviderError>> {
        let query = KeyQuery::new(self.tenant, envelope.key_id());
        self.verifier.0.keys.now(query)
    }

    async fn fetch(&self, envelope: &Envelope) -> Result<KeyRing, KeyProviderError> {
        match self.keys_now(envelope) {
            Some(keys) => keys,
            None => {
                let query = KeyQuery::new(self.tenant, envelope.key_id());
                self.verifier.0.keys.fetch(query).await
            }
        }
    }

    fn now(&self) -> UnixTime {
        self.at.unwrap_or_else(|| self.verifier.0.clock.now())
    }

    /// Refuses what costs nothing to refuse.
    fn read(&self, head: &dyn Head, now: UnixTime) -> Result<Envelope, Refused> {
        let inner = &self.verifier.0;
        let envelope = inner.scheme.read(head);
        match &envelope {
            Ok(envelope) => self
                .check(head, envelope, now)
                .map_err(|refused| inner.note(refused))?,
            Err(refused) => inner.observer.refused(inner.scheme.name(), refused),
        }
        envelope
    }

    fn check(&self, head: &dyn Head, envelope: &Envelope, now: UnixTime) -> Result<(), Refused> {
        let inner = &self.verifier.0;
        if inner.scheme.freshness() == Freshness::Timestamp {
            let signed = envelope
                .timestamp()
                .ok_or_else(|| Refused::malformed("a time"))?;
            inner.tolerance.check(signed, now)?;
        }
        if envelope.expires().is_some_and(|until| until < now) {
            let expected = "a signature that has not expired";
            return Err(Refused::because(RefusedKind::TooOld, expected));
        }
        if announces_more(head, inner.max_body) {
            return Err(Refused::new(RefusedKind::BodyTooLarge));
        }
        Ok(())
    }

    /// Judges a message whose body is at hand.
    fn judge(
        &self,
        head: &dyn Head,
        envelope: &Envelope,
        keys: Result<KeyRing, KeyProviderError>,
        now: UnixTime,
        body: &[u8],
    ) -> Result<Unclaimed, Refused> {
        let inner = &self.verifier.0;
        let judged = self.ring(keys).and_then(|ring| {
            let mut pass = Pass::new(inner, envelope, ring);
            pass.open(inner, head, envelope, self.tenant, now)?;
            pass.update(inner, body)?;
            pass.judge(inner, envelope)
        });
        let judged = judged.map_err(|refused| inner.note(refused))?;
        let tenant = self.tenant.map(Into::into);
        let verification = Verification::new(inner, envelope, judged, tenant);
        Ok(Unclaimed::new(Arc::clone(inner), verification, self.at))
    }

    fn open(
        &self,
        head: &dyn Head,
        envelope: Envelope,
        keys: Result<KeyRing, KeyProviderError>,
        now: UnixTime,
    ) -> Result<Session, Refused> {
        let inner = &self.verifier.0;
        let pass = self.ring(keys).and_then(|ring| {
            let mut pass = Pass::new(inner, &envelope, ring);
            pass.open(inner, head, &envelope, self.tenant, now)?;
            Ok(pass)
        });
        let pass = pass.map_err(|refused| inner.note(refused))?;
        let tenant = self.tenant.map(Into::into);
        Ok(Session::new(
            Arc::clone(inner),
            envelope,
            pass,
            tenant,
            self.at,
        ))
    }

    fn ring(&self, keys: Result<KeyRing, KeyProviderError>) -> Result<KeyRing, Refused> {
        keys.map_err(|cause| Refused::new(RefusedKind::KeysUnavailable).caused_by(cause))
    }
}

/// Returns whether a `Content-Length` says that the body is too long. What it says otherwise is
/// not relied upon: bytes are counted as they come.
fn announces_more(head: &dyn Head, max: usize) -> bool {
    let mut more = false;
    head.each_header("content-length", &mut |line| {
        let length = std::str::from_utf8(line)
            .ok()
            .and_then(|line| line.trim().parse::<u128>().ok());
        more |= length.is_some_and(|length| length > max as u128);
        ControlFlow::Continue(())
    });
    more
}
