//! Putting a ring together.

use super::{Entry, KeyRing};
use crate::clock::UnixTime;
use crate::config_error::ConfigError;
use crate::key::{Key, KeyId};

/// Is a key with its name and the time in which it is good.
#[derive(Clone, Debug)]
#[must_use]
pub struct NamedKey {
    id: String,
    key: Key,
    not_before: Option<UnixTime>,
    not_after: Option<UnixTime>,
    revoked: bool,
}

impl NamedKey {
    /// Names a key. Whether the name is a valid one is told by [`KeyRingBuilder::build`].
    pub fn new(id: impl Into<String>, key: impl Into<Key>) -> Self {
        let (not_before, not_after) = (None, None);
        Self {
            id: id.into(),
            key: key.into(),
            not_before,
            not_after,
            revoked: false,
        }
    }

    /// Makes the key good from `time` on. By default it is so from the beginning.
    pub fn not_before(mut self, time: UnixTime) -> Self {
        self.not_before = Some(time);
        self
    }

    /// Makes the key good until `time`, that second included. By default it has no end.
    pub fn not_after(mut self, time: UnixTime) -> Self {
        self.not_after = Some(time);
        self
    }

    /// Makes the key good for nothing, but keeps its name, so that operators read of an inactive
    /// key where they would read of an unknown one. By default a key is not revoked.
    pub fn revoked(mut self) -> Self {
        self.revoked = true;
        self
    }
}

/// Collects the keys of a [`KeyRing`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct KeyRingBuilder {
    keys: Vec<NamedKey>,
    primary: Option<usize>,
}

impl KeyRingBuilder {
    /// Adds the key that signs. By default that is the first key.
    pub fn primary(mut self, key: NamedKey) -> Self {
        self.primary = Some(self.keys.len());
        self.key(key)
    }

    /// Adds a key that verifies.
    pub fn key(mut self, key: NamedKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Closes the ring.
    ///
    /// # Errors
    ///
    /// Refuses an invalid name, one name for two keys, a key that ends before it begins, no key at
    /// all and more than 64.
    pub fn build(self) -> Result<KeyRing, ConfigError> {
        const MAX: usize = 64;
        if !(1..=MAX).contains(&self.keys.len()) {
            return Err(ConfigError::new(
                "keys",
                format!("1 to {MAX} keys, got {}", self.keys.len()),
            ));
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(self.keys.len());
        for named in self.keys {
            let id = KeyId::new(&named.id)
                .map_err(|wrong| ConfigError::new("key id", wrong.to_string()))?;
            if entries.iter().any(|entry| entry.id == id) {
                return Err(ConfigError::new(
                    "key id",
                    format!("one key for each name, got two for {id}"),
                ));
            }
            if matches!((named.not_before, named.not_after), (Some(from), Some(to)) if to < from) {
                return Err(ConfigError::new(
                    "not_after",
                    format!("a time after not_before for key {id}"),
                ));
            }
            let mut entry = entry(id, named.key);
            (entry.not_before, entry.not_after) = (named.not_before, named.not_after);
            entry.revoked = named.revoked;
            entries.push(entry);
        }
        Ok(KeyRing::of(entries, self.primary.unwrap_or(0)))
    }
}

pub(super) fn entry(id: KeyId, key: Key) -> Entry {
    Entry {
        id,
        key,
        not_before: None,
        not_after: None,
        revoked: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Algorithm;
    use crate::secret::Secret;

    fn key(id: &str) -> NamedKey {
        NamedKey::new(id, Secret::new(*b"0123456789abcdef").unwrap())
    }

    fn t(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    #[test]
    fn an_impossible_ring_does_not_close() {
        assert!(KeyRing::builder().build().is_err());
        assert!(
            KeyRing::builder()
                .key(key("a"))
                .key(key("a"))
                .build()
                .is_err()
        );
        assert!(KeyRing::builder().key(key("a b")).build().is_err());
        assert!(
            KeyRing::builder()
                .key(key("a").not_before(t(2)).not_after(t(1)))
                .build()
                .is_err()
        );
        let many = (0..65).fold(KeyRing::builder(), |ring, n| ring.key(key(&n.to_string())));
        assert!(many.build().is_err());
    }

    #[test]
    fn both_ends_of_a_keys_life_belong_to_it() {
        let ring = KeyRing::builder()
            .key(key("a").not_before(t(10)).not_after(t(20)))
            .build()
            .unwrap();
        let active = |secs| ring.entries()[0].is_active(t(secs));
        assert_eq!(
            [active(9), active(10), active(20), active(21)],
            [false, true, true, false]
        );
    }

    #[test]
    fn the_peak_counts_keys_that_overlap() {
        let ring = KeyRing::builder()
            .key(key("a").not_after(t(10)))
            .key(key("b").not_before(t(10)).not_after(t(20)))
            .key(key("c").not_before(t(21)))
            .key(key("d").revoked())
            .build()
            .unwrap();
        assert_eq!(ring.peak(&[Algorithm::HmacSha256]), 2);
        assert_eq!(ring.peak(&[Algorithm::Ed25519]), 0);
    }

    #[test]
    fn the_primary_is_the_first_unless_told() {
        let ring = KeyRing::builder()
            .key(key("a"))
            .primary(key("b"))
            .build()
            .unwrap();
        let names: Vec<_> = ring.ids().map(KeyId::as_str).collect();
        assert_eq!(names, ["b", "a"]);
    }

    #[test]
    fn a_ring_tells_how_many_keys_it_has() {
        let ring = KeyRing::builder().key(key("a")).key(key("b")).build();
        let ring = ring.unwrap();
        assert_eq!((ring.len(), ring.is_empty()), (2, false));
        let none = KeyRing::empty();
        assert_eq!((none.len(), none.is_empty()), (0, true));
    }
}
