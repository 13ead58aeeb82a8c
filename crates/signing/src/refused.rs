//! Why a message was not accepted: one answer for callers, one reason for operators.

use std::error::Error;
use std::fmt;

/// Says that a message is not to be trusted.
///
/// [`kind`](Self::kind) and the text are for operators: logs, metrics, a developer's terminal. A
/// caller is told [`status`](Self::status) and nothing more, since a reason that differs between
/// a wrong key and a wrong byte teaches an attacker which of the two to mend.
#[derive(Debug)]
pub struct Refused {
    kind: RefusedKind,
    expected: Option<&'static str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Is the reason of a refusal, for operators only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusedKind {
    /// A header that the scheme needs is absent.
    MissingSignature,
    /// A header that the scheme needs came more than once, even if the copies agree.
    DuplicateHeader,
    /// A header does not have the form that the scheme prescribes.
    Malformed,
    /// No signature of a version or algorithm that this verifier accepts: perhaps a downgrade.
    UnsupportedSignature,
    /// More signatures than [`MAX_SIGNATURES`](crate::MAX_SIGNATURES) in one message.
    TooManySignatures,
    /// The signature leaves out a part of the message that the policy wants signed.
    InsufficientCoverage,
    /// The message names a key that the ring does not hold, or the ring has none to try.
    UnknownKey,
    /// The key is right, but revoked, expired or not yet valid.
    KeyInactive,
    /// The signed time is too long ago, or the signature says that it has expired.
    TooOld,
    /// The signed time is too far ahead.
    TooNew,
    /// No signature fits the bytes.
    Mismatch,
    /// The body does not have the digest that the head claims.
    DigestMismatch,
    /// The message was accepted before.
    Replayed,
    /// The store can no longer tell whether the message was accepted before.
    ReplayWindowClosed,
    /// The replay store holds as many live entries as it may.
    ReplayStoreFull,
    /// The replay store's clock and this machine's disagree by more than is allowed.
    ClockSkew,
    /// The replay store could not answer.
    StoreUnavailable,
    /// The keys could not be had.
    KeysUnavailable,
    /// The body is longer than the verifier reads.
    BodyTooLarge,
    /// The body ended in an error.
    BodyRead,
}

impl RefusedKind {
    /// Returns the name of this reason in `snake_case`, for a metric's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingSignature => "missing_signature",
            Self::DuplicateHeader => "duplicate_header",
            Self::Malformed => "malformed",
            Self::UnsupportedSignature => "unsupported_signature",
            Self::TooManySignatures => "too_many_signatures",
            Self::InsufficientCoverage => "insufficient_coverage",
            Self::UnknownKey => "unknown_key",
            Self::KeyInactive => "key_inactive",
            Self::TooOld => "too_old",
            Self::TooNew => "too_new",
            Self::Mismatch => "mismatch",
            Self::DigestMismatch => "digest_mismatch",
            Self::Replayed => "replayed",
            Self::ReplayWindowClosed => "replay_window_closed",
            Self::ReplayStoreFull => "replay_store_full",
            Self::ClockSkew => "clock_skew",
            Self::StoreUnavailable => "store_unavailable",
            Self::KeysUnavailable => "keys_unavailable",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyRead => "body_read",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::MissingSignature => "the signature is missing",
            Self::DuplicateHeader => "a signature header came more than once",
            Self::Malformed => "the signature header is malformed",
            Self::UnsupportedSignature => "no signature of an accepted version",
            Self::TooManySignatures => "too many signatures",
            Self::InsufficientCoverage => "the signature does not cover what the policy requires",
            Self::UnknownKey => "the key is unknown",
            Self::KeyInactive => "the key is not valid at this time",
            Self::TooOld => "the signed time is too old",
            Self::TooNew => "the signed time is in the future",
            Self::Mismatch => "the signature does not match",
            Self::DigestMismatch => "the body does not match its digest",
            Self::Replayed => "the message was accepted before",
            Self::ReplayWindowClosed => "the replay window of the message has closed",
            Self::ReplayStoreFull => "the replay store is full",
            Self::ClockSkew => "the replay store's clock differs too much",
            Self::StoreUnavailable => "the replay store is unavailable",
            Self::KeysUnavailable => "the keys are unavailable",
            Self::BodyTooLarge => "the body is too large",
            Self::BodyRead => "the body could not be read",
        }
    }
}

/// Is what a caller may learn of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The message is not proven authentic and fresh, whatever the cause: 401.
    Unauthorized,
    /// The body is longer than the limit: 413.
    TooLarge,
    /// The verifier cannot decide at present: 503.
    Unavailable,
    /// The body broke off: 400.
    BodyRead,
}

impl Refused {
    pub(crate) fn new(kind: RefusedKind) -> Self {
        Self {
            kind,
            expected: None,
            source: None,
        }
    }

    /// Refuses a header of the wrong form, and tells operators what was `expected` instead.
    ///
    /// For implementors of [`Scheme`](crate::scheme::Scheme).
    #[must_use]
    pub fn malformed(expected: &'static str) -> Self {
        Self {
            expected: Some(expected),
            ..Self::new(RefusedKind::Malformed)
        }
    }

    /// Refuses for the reason `kind`, and tells operators what was `expected` instead.
    #[must_use]
    pub fn because(kind: RefusedKind, expected: &'static str) -> Self {
        Self {
            expected: Some(expected),
            ..Self::new(kind)
        }
    }

    /// Refuses because the body broke off. For adapters, which are the ones to read it.
    #[must_use]
    pub fn body_read(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(RefusedKind::BodyRead).caused_by(source)
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the reason, for operators only: never answer a caller with it.
    #[must_use]
    pub const fn kind(&self) -> RefusedKind {
        self.kind
    }

    /// Returns what a caller may learn.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self.kind {
            RefusedKind::BodyTooLarge => Class::TooLarge,
            RefusedKind::BodyRead => Class::BodyRead,
            RefusedKind::ReplayStoreFull
            | RefusedKind::ClockSkew
            | RefusedKind::StoreUnavailable
            | RefusedKind::KeysUnavailable => Class::Unavailable,
            _ => Class::Unauthorized,
        }
    }

    /// Returns the HTTP status to answer with: 401, 413, 503 or 400.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self.class() {
            Class::Unauthorized => 401,
            Class::TooLarge => 413,
            Class::Unavailable => 503,
            Class::BodyRead => 400,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.text())?;
        match self.expected {
            Some(expected) => write!(f, ": expected {expected}"),
            None => Ok(()),
        }
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_read_the_reason_and_callers_a_status() {
        let refused = Refused::malformed("one value of 64 hexadecimal digits");
        assert_eq!(
            refused.to_string(),
            "the signature header is malformed: expected one value of 64 hexadecimal digits"
        );
        assert_eq!(refused.status(), 401);
        assert_eq!(Refused::new(RefusedKind::Mismatch).status(), 401);
        assert_eq!(Refused::new(RefusedKind::ReplayStoreFull).status(), 503);
        assert_eq!(Refused::new(RefusedKind::BodyTooLarge).status(), 413);
        let cut = Refused::body_read("reset by peer");
        assert_eq!(
            (cut.status(), cut.source().map(ToString::to_string)),
            (400, Some("reset by peer".into()))
        );
    }

    #[test]
    fn what_was_expected_is_told_to_operators() {
        let refused = Refused::because(RefusedKind::InsufficientCoverage, "the digest");
        assert_eq!(
            refused.to_string(),
            "the signature does not cover what the policy requires: expected the digest"
        );
    }
}
