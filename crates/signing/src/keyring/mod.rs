//! The keys that are good at a time, and which of them signs.

mod builder;
mod provider;
mod shared;

use std::sync::{Arc, LazyLock};

pub use builder::{KeyRingBuilder, NamedKey};
pub use provider::{KeyProvider, KeyProviderError, KeyQuery, Keys};
pub use shared::SharedKeyRing;

use crate::clock::UnixTime;
use crate::key::{Algorithm, HmacSha256, Key, KeyId};
use crate::secret::Secret;

/// The most keys of one ring that a message without a key id is tried against.
///
/// Each of them costs a pass over the body. Two are enough for a rotation.
pub const MAX_ACTIVE_KEYS: usize = 4;

/// Holds the keys of one sender, as a snapshot that is cheap to clone.
///
/// During a rotation a ring has two keys: the primary, which signs, and the former one, which is
/// still good for verifying until its `not_after`. To change the keys of a running verifier, give
/// it a [`SharedKeyRing`]; for many senders, a [`KeyProvider`].
///
/// # Examples
///
/// ```
/// use seawall_signing::{KeyRing, NamedKey, Secret, UnixTime};
///
/// let ring = KeyRing::builder()
///     .primary(NamedKey::new("2026-07", Secret::new("the secret since July 2026")?))
///     .key(
///         NamedKey::new("2026-01", Secret::new("the secret before July 2026")?)
///             .not_after(UnixTime::from_secs(1_783_000_000)),
///     )
///     .build()?;
/// assert_eq!(ring.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeyRing(Arc<Ring>);

#[derive(Debug)]
struct Ring {
    entries: Box<[Entry]>,
    primary: usize,
    is_timeless: bool,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: KeyId,
    pub(crate) key: Key,
    not_before: Option<UnixTime>,
    not_after: Option<UnixTime>,
    revoked: bool,
}

impl Entry {
    pub(crate) fn is_active(&self, now: UnixTime) -> bool {
        !self.revoked
            && self.not_before.is_none_or(|from| from <= now)
            && self.not_after.is_none_or(|to| now <= to)
    }
}

/// Is what is worked with when the named key is not there, so that both take as long.
static DECOY: LazyLock<HmacSha256> = LazyLock::new(|| crate::key::keyed(b"a decoy, never a key"));

static EMPTY: LazyLock<KeyRing> = LazyLock::new(|| KeyRing::of(Vec::new(), 0));

impl KeyRing {
    /// Starts an empty ring.
    pub fn builder() -> KeyRingBuilder {
        KeyRingBuilder::default()
    }

    /// Makes a ring of one key, whose name is `default`.
    #[must_use]
    pub fn single(key: impl Into<Key>) -> Self {
        let entry = builder::entry(KeyId::of_a_single_key(), key.into());
        Self::of(vec![entry], 0)
    }

    /// Makes a ring without keys, against which nothing verifies.
    ///
    /// A [`KeyProvider`] answers with it for a tenant that it does not know: the refusal then costs
    /// as much as one for a wrong signature, and looks the same.
    #[must_use]
    pub fn empty() -> Self {
        EMPTY.clone()
    }

    fn of(entries: Vec<Entry>, primary: usize) -> Self {
        let unbounded = |entry: &Entry| entry.not_before.is_none() && entry.not_after.is_none();
        Self(Arc::new(Ring {
            is_timeless: entries.iter().all(unbounded),
            entries: entries.into(),
            primary,
        }))
    }

    /// Returns how many keys there are, those out of date included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Returns whether there is no key at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// Returns the names of the keys, the primary first.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        let primary = self.0.primary;
        let others = self
            .0
            .entries
            .iter()
            .enumerate()
            .filter(move |(at, _)| *at != primary);
        self.0
            .entries
            .get(primary)
            .into_iter()
            .chain(others.map(|(_, entry)| entry))
            .map(|entry| &entry.id)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.0.entries
    }

    pub(crate) fn primary(&self) -> Option<&Entry> {
        self.0.entries.get(self.0.primary)
    }

    pub(crate) fn decoy() -> &'static HmacSha256 {
        &DECOY
    }

    /// Finds a key by its name, at a cost that does not depend on where it stands.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        let entries = self.0.entries.iter().enumerate();
        entries.fold(None, |found, (at, entry)| {
            if entry.id.as_str() == id {
                Some(at)
            } else {
                found
            }
        })
    }

    /// Returns whether every key is as good at one time as at any other.
    pub(crate) fn is_timeless(&self) -> bool {
        self.0.is_timeless
    }

    /// Returns whether ever, from `now` on, more keys are active at once than a message without a
    /// key id is tried against.
    pub(crate) fn peak(&self, algorithms: &[Algorithm]) -> usize {
        let wanted = |entry: &&Entry| algorithms.contains(&entry.key.algorithm());
        // The number of active keys grows only where one begins, so those moments hold the peak.
        let starts = self
            .0
            .entries
            .iter()
            .map(|entry| entry.not_before.unwrap_or_default());
        let at = |now| {
            self.0
                .entries
                .iter()
                .filter(wanted)
                .filter(|entry| entry.is_active(now))
                .count()
        };
        starts.map(at).max().unwrap_or(0)
    }
}

impl From<Key> for KeyRing {
    fn from(key: Key) -> Self {
        Self::single(key)
    }
}

impl From<Secret> for KeyRing {
    fn from(secret: Secret) -> Self {
        Self::single(secret)
    }
}
