//! The comparison, in constant time: every key that may fit against every signature that came.

use hmac::Mac;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::public::PublicLanes;
use crate::clock::UnixTime;
use crate::envelope::Envelope;
use crate::key::{Algorithm, HmacSha256, KeyId};
use crate::keyring::{KeyRing, MAX_ACTIVE_KEYS};
use crate::refused::{Refused, RefusedKind};

/// Computes one MAC for each key, side by side, while the message goes by once.
pub(super) struct Lanes {
    ring: KeyRing,
    macs: [Option<Lane>; MAX_ACTIVE_KEYS],
    public: PublicLanes,
    verdict: Verdict,
    fed: u64,
}

/// Is what the comparison decides.
enum Verdict {
    /// Everything.
    Open,
    /// Whether the reason is an inactive key or a wrong signature.
    Inactive,
    /// Nothing: the work is done for a key that is not there.
    Decoy(RefusedKind),
}

struct Lane {
    slot: u32,
    mac: HmacSha256,
}

impl Lanes {
    pub(super) fn new(ring: KeyRing) -> Self {
        Self {
            ring,
            macs: [const { None }; MAX_ACTIVE_KEYS],
            public: PublicLanes::default(),
            verdict: Verdict::Open,
            fed: 0,
        }
    }

    /// Takes the keys that may fit.
    pub(super) fn open(
        &mut self,
        envelope: &Envelope,
        algorithms: &[Algorithm],
        now: UnixTime,
    ) -> Result<(), Refused> {
        PublicLanes::admit(envelope)?;
        match envelope.key_id() {
            Some(id) => self.open_named(id, envelope, algorithms, now),
            None => self.open_active(envelope, algorithms, now)?,
        }
        Ok(())
    }

    /// Takes the key that the message names. One that is not there is worked for all the same.
    fn open_named(
        &mut self,
        id: &str,
        envelope: &Envelope,
        algorithms: &[Algorithm],
        now: UnixTime,
    ) {
        let found = self.ring.find(id).filter(|at| {
            self.ring
                .entries()
                .get(*at)
                .is_some_and(|entry| algorithms.contains(&entry.key.algorithm()))
        });
        let Some(at) = found else {
            return self.open_decoy(RefusedKind::UnknownKey, envelope);
        };
        self.push(0, at, envelope);
        if !self
            .ring
            .entries()
            .get(at)
            .is_some_and(|entry| entry.is_active(now))
        {
            self.verdict = Verdict::Inactive;
        }
    }

    /// Takes every key that is good now.
    fn open_active(
        &mut self,
        envelope: &Envelope,
        algorithms: &[Algorithm],
        now: UnixTime,
    ) -> Result<(), Refused> {
        let ring = self.ring.clone();
        let fitting = ring.entries().iter().enumerate();
        let fitting = fitting.filter(|(_, entry)| algorithms.contains(&entry.key.algorithm()));
        let mut taken = 0;
        let mut inactive = false;
        for (at, entry) in fitting {
            if !entry.is_active(now) {
                inactive = true;
            } else if taken == MAX_ACTIVE_KEYS {
                let expected = "at most four active keys for messages that name none";
                return Err(Refused::because(RefusedKind::KeysUnavailable, expected));
            } else {
                self.push(taken, at, envelope);
                taken += 1;
            }
        }
        if taken == 0 {
            let kind = if inactive {
                RefusedKind::KeyInactive
            } else {
                RefusedKind::UnknownKey
            };
            self.open_decoy(kind, envelope);
        }
        Ok(())
    }

    fn push(&mut self, lane: usize, at: usize, envelope: &Envelope) {
        let (Some(entry), Ok(slot)) = (self.ring.entries().get(at), u32::try_from(at)) else {
            return;
        };
        if let (Some(mac), Some(lane)) = (entry.key.mac(), self.macs.get_mut(lane)) {
            *lane = Some(Lane {
                slot,
                mac: mac.clone(),
            });
        }
        self.public.push(slot, &entry.key, envelope);
    }

    fn open_decoy(&mut self, kind: RefusedKind, envelope: &Envelope) {
        self.verdict = Verdict::Decoy(kind);
        if envelope
            .tags()
            .iter()
            .any(|tag| tag.algorithm == Algorithm::HmacSha256)
        {
            self.macs[0] = Some(Lane {
                slot: 0,
                mac: KeyRing::decoy().clone(),
            });
        }
        self.public.push_decoy(envelope);
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        let len = bytes.len() as u64;
        for lane in self.macs.iter_mut().flatten() {
            lane.mac.update(bytes);
            self.fed = self.fed.wrapping_add(len);
        }
        self.public.update(bytes);
    }

    pub(super) const fn mac_bytes(&self) -> u64 {
        self.fed
    }

    /// Compares, and names the key that fits. The MACs are used up by it.
    ///
    /// Every MAC is compared with every signature, and the loops do not end early: how long this
    /// takes tells neither how much of a signature was right nor which key it belongs to. How many
    /// keys are active, and how many signatures came, is no secret.
    pub(super) fn finish(&mut self, envelope: &Envelope) -> Result<KeyId, Refused> {
        let mut fits = Choice::from(0);
        let mut slot = 0_u32;
        for lane in self.macs.iter_mut().filter_map(Option::take) {
            let mac = lane.mac.finalize().into_bytes();
            for tag in envelope
                .tags()
                .iter()
                .filter(|tag| tag.algorithm == Algorithm::HmacSha256)
            {
                let equal = mac.as_slice().ct_eq(tag.bytes());
                slot.conditional_assign(&lane.slot, equal);
                fits |= equal;
            }
        }
        // Signatures that anyone can check hold no secret, so these need not take constant time.
        if let Some(public) = self.public.finish() {
            slot.conditional_assign(&public, Choice::from(1));
            fits |= Choice::from(1);
        }
        match (&self.verdict, bool::from(fits)) {
            (Verdict::Decoy(kind), _) => Err(Refused::new(*kind)),
            (_, false) => Err(Refused::new(RefusedKind::Mismatch)),
            (Verdict::Inactive, true) => Err(Refused::new(RefusedKind::KeyInactive)),
            (Verdict::Open, true) => {
                let entry = usize::try_from(slot)
                    .ok()
                    .and_then(|at| self.ring.entries().get(at));
                entry
                    .map(|entry| entry.id.clone())
                    .ok_or_else(|| Refused::new(RefusedKind::UnknownKey))
            }
        }
    }
}
