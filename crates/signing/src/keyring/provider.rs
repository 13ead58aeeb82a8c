//! Where keys come from when there are more senders than one.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::KeyRing;
use crate::key::Key;
use crate::secret::Secret;

/// Says whose keys a verification needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyQuery<'a> {
    /// Is the tenant that the caller named with [`Attempt::tenant`](crate::Attempt::tenant).
    pub tenant: Option<&'a str>,
    /// Is the key that the message names. It is not yet proven to be the sender's.
    pub key_id: Option<&'a str>,
}

impl<'a> KeyQuery<'a> {
    pub(crate) const fn new(tenant: Option<&'a str>, key_id: Option<&'a str>) -> Self {
        Self { tenant, key_id }
    }
}

/// Finds the keys of a sender, by tenant or key id.
///
/// Implementors write `async fn keys`, and keep what they fetch for a while: a call comes for each
/// message, before it is known to be authentic, and whoever sends rubbish should not reach the
/// database behind it. Tenants and key ids that are not known get [`KeyRing::empty`], which costs
/// the sender as much time as a known one; `Err` means that the keys could not be had, and is
/// answered with 503.
///
/// # Examples
///
/// ```
/// use std::collections::HashMap;
/// use seawall_signing::{KeyProvider, KeyProviderError, KeyQuery, KeyRing};
///
/// struct Tenants(HashMap<String, KeyRing>);
///
/// impl KeyProvider for Tenants {
///     async fn keys(&self, query: KeyQuery<'_>) -> Result<KeyRing, KeyProviderError> {
///         let ring = query.tenant.and_then(|tenant| self.0.get(tenant));
///         Ok(ring.cloned().unwrap_or_else(KeyRing::empty))
///     }
/// }
/// ```
pub trait KeyProvider: Send + Sync + 'static {
    /// Returns the keys to try, [`KeyRing::empty`] when there are none.
    fn keys(
        &self,
        query: KeyQuery<'_>,
    ) -> impl Future<Output = Result<KeyRing, KeyProviderError>> + Send;

    /// Returns the keys when that needs no waiting, or `None` to be asked with [`keys`](Self::keys).
    fn keys_now(&self, query: KeyQuery<'_>) -> Option<Result<KeyRing, KeyProviderError>> {
        let _ = query;
        None
    }
}

impl KeyProvider for KeyRing {
    fn keys(&self, _: KeyQuery<'_>) -> impl Future<Output = Result<Self, KeyProviderError>> + Send {
        std::future::ready(Ok(self.clone()))
    }

    fn keys_now(&self, _: KeyQuery<'_>) -> Option<Result<Self, KeyProviderError>> {
        Some(Ok(self.clone()))
    }
}

impl<K: KeyProvider> KeyProvider for Arc<K> {
    fn keys(
        &self,
        query: KeyQuery<'_>,
    ) -> impl Future<Output = Result<KeyRing, KeyProviderError>> + Send {
        (**self).keys(query)
    }

    fn keys_now(&self, query: KeyQuery<'_>) -> Option<Result<KeyRing, KeyProviderError>> {
        (**self).keys_now(query)
    }
}

/// Says that keys could not be had. It keeps the cause for operators.
#[derive(Debug)]
pub struct KeyProviderError(Box<dyn Error + Send + Sync>);

impl KeyProviderError {
    /// Wraps what went wrong.
    #[must_use]
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for KeyProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the keys could not be fetched")
    }
}

impl Error for KeyProviderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// Is any [`KeyProvider`] behind one type: what a verifier keeps.
///
/// It is made `from` a provider, a ring, a key or a secret. A fetch is boxed only where `keys_now`
/// has no answer, so rings cost no allocation here.
#[derive(Clone)]
pub struct Keys(Arc<dyn Erased>);

impl Keys {
    pub(crate) fn now(&self, query: KeyQuery<'_>) -> Option<Result<KeyRing, KeyProviderError>> {
        self.0.erased_now(query)
    }

    pub(crate) async fn fetch(&self, query: KeyQuery<'_>) -> Result<KeyRing, KeyProviderError> {
        self.0.erased(query).await
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl<K: KeyProvider> From<K> for Keys {
    fn from(provider: K) -> Self {
        Self(Arc::new(provider))
    }
}

impl From<Key> for Keys {
    fn from(key: Key) -> Self {
        KeyRing::single(key).into()
    }
}

impl From<Secret> for Keys {
    fn from(secret: Secret) -> Self {
        KeyRing::single(secret).into()
    }
}

type Fetch<'a> = Pin<Box<dyn Future<Output = Result<KeyRing, KeyProviderError>> + Send + 'a>>;

trait Erased: Send + Sync {
    fn erased<'a>(&'a self, query: KeyQuery<'a>) -> Fetch<'a>;
    fn erased_now(&self, query: KeyQuery<'_>) -> Option<Result<KeyRing, KeyProviderError>>;
}

impl<K: KeyProvider> Erased for K {
    fn erased<'a>(&'a self, query: KeyQuery<'a>) -> Fetch<'a> {
        Box::pin(self.keys(query))
    }

    fn erased_now(&self, query: KeyQuery<'_>) -> Option<Result<KeyRing, KeyProviderError>> {
        self.keys_now(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> KeyRing {
        Secret::new([7; 16]).unwrap().into()
    }

    #[test]
    fn a_shared_provider_answers_at_once_where_the_provider_does() {
        let keys = Keys::from(Arc::new(ring()));
        let answer = keys.now(KeyQuery::new(None, None)).unwrap();
        assert_eq!(answer.unwrap().len(), 1);
    }

    #[test]
    fn a_failure_keeps_its_cause_for_operators() {
        let failure = KeyProviderError::new("no route to host");
        assert_eq!(failure.to_string(), "the keys could not be fetched");
        assert_eq!(failure.source().unwrap().to_string(), "no route to host");
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", Keys::from(ring())), "Keys");
    }
}
