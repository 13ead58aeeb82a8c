//! Standard Webhooks, the dialect that Svix began: `v1` with a shared secret, `v1a` with Ed25519.

use super::{Freshness, Needs, Scheme};
use crate::clock::UnixTime;
use crate::encoding::{self, Encoding};
use crate::envelope::{Envelope, MAX_SIGNATURES};
use crate::head::{self, Head};
use crate::key::Algorithm;
use crate::refused::{Refused, RefusedKind};

/// Reads `webhook-id`, `webhook-timestamp` and `webhook-signature`.
///
/// Signed is `{id}.{timestamp}.{body}`. An id with a `.` in it is refused, as the specification
/// has it: with one, the signature of a message fits another whose body begins earlier. Against
/// senders that use such ids all the same, a body that begins with a time and a `.`, which no JSON
/// object or array does, is refused as well. Ids stay the same over a sender's retries, each of which has a time of its own, so a retry is no replay;
/// to handle each event once, key an idempotency store by
/// [`Verification::message_id`](crate::Verification::message_id).
///
/// Which of the versions count is decided by the keys: a shared secret checks `v1`, an Ed25519 key
/// `v1a`. Others are ignored, and a message with neither is refused.
///
/// # Examples
///
/// ```
/// use seawall_signing::{OwnedHead, Secret, UnixTime, Verifier, scheme::StandardWebhooks};
///
/// let secret = Secret::from_whsec("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")?;
/// let verifier = Verifier::new(StandardWebhooks::new(), secret)?;
/// let head = OwnedHead::request("POST", "/hooks")
///     .header("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk")
///     .header("webhook-timestamp", "1649367553")
///     .header("webhook-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
/// let body = br#"{"email":"test@example.com","username":"test_user"}"#;
///
/// let received = verifier.attempt().at(UnixTime::from_secs(1_649_367_560));
/// let verified = received.verify_now(&head, body).expect("a ring answers at once")?;
/// assert_eq!(verified.message_id(), Some("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct StandardWebhooks {
    headers: [&'static str; 3],
}

impl StandardWebhooks {
    /// Reads the headers that begin with `webhook-`.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            headers: ["webhook-id", "webhook-timestamp", "webhook-signature"],
        }
    }

    /// Reads the headers that begin with `svix-` instead, and only those: where both sets are
    /// looked at, a message can be put together of two.
    #[must_use]
    pub const fn svix() -> Self {
        Self {
            headers: ["svix-id", "svix-timestamp", "svix-signature"],
        }
    }
}

impl Default for StandardWebhooks {
    fn default() -> Self {
        Self::new()
    }
}

fn read_list(envelope: &mut Envelope, line: &[u8]) -> Result<(), Refused> {
    for item in line.split(|byte| *byte == b' ') {
        let Some(at) = item.iter().position(|byte| *byte == b',') else {
            return Err(Refused::malformed("signatures of the form version,Base64"));
        };
        let algorithm = match &item[..at] {
            b"v1" => Algorithm::HmacSha256,
            b"v1a" => Algorithm::Ed25519,
            b"" => return Err(Refused::malformed("a version before each signature")),
            _ => continue,
        };
        envelope.push_text(algorithm, Encoding::Base64, &item[at + 1..])?;
    }
    Ok(())
}

impl Scheme for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standard-webhooks"
    }

    fn algorithms(&self) -> &[Algorithm] {
        &[Algorithm::HmacSha256, Algorithm::Ed25519]
    }

    fn freshness(&self) -> Freshness {
        Freshness::Timestamp
    }

    fn max_signatures(&self) -> usize {
        MAX_SIGNATURES
    }

    fn needs(&self) -> Needs {
        Needs::nothing().and_timestamp().and_message_id()
    }

    fn read(&self, head: &dyn Head) -> Result<Envelope, Refused> {
        let [id, time, signature] = self.headers;
        let mut envelope = Envelope::new();
        head::only(head, signature, &mut |line| read_list(&mut envelope, line))?;
        head::only(head, id, &mut |line| envelope.set_message_id(line))?;
        head::only(head, time, &mut |line| {
            let wrong = || Refused::malformed("a time in whole seconds");
            let seconds = encoding::seconds(line).ok_or_else(wrong)?;
            envelope.set_timestamp(UnixTime::from_secs(seconds));
            Ok(())
        })?;
        if envelope.tags().is_empty() {
            return Err(Refused::new(RefusedKind::UnsupportedSignature));
        }
        Ok(envelope)
    }

    fn before_body(
        &self,
        envelope: &Envelope,
        _: &dyn Head,
        put: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Refused> {
        put(envelope.message_id().unwrap_or_default().as_bytes());
        put(b".");
        encoding::with_decimal(envelope.timestamp().unwrap_or_default().as_secs(), |text| {
            put(text);
        });
        put(b".");
        Ok(())
    }

    /// Tells a body that begins like a time with a `.` behind it.
    fn refuses_body(&self, start: &[u8]) -> bool {
        let mut pieces = start.splitn(2, |byte| *byte == b'.');
        let time = pieces.next().unwrap_or_default();
        pieces.next().is_some() && encoding::seconds(time).is_some()
    }

    fn write(&self, envelope: &Envelope, put: &mut dyn FnMut(&str, String)) -> Result<(), Refused> {
        let [id, time, signature] = self.headers;
        let mut list = String::with_capacity(64);
        for tag in envelope.tags() {
            if !list.is_empty() {
                list.push(' ');
            }
            list.push_str(match tag.algorithm {
                Algorithm::HmacSha256 => "v1,",
                Algorithm::Ed25519 => "v1a,",
            });
            Encoding::Base64.write(tag.bytes(), &mut list);
        }
        put(id, envelope.message_id().unwrap_or_default().to_owned());
        put(time, envelope.timestamp().unwrap_or_default().to_string());
        put(signature, list);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owned_head::OwnedHead;

    fn read(list: &str) -> Result<usize, RefusedKind> {
        let head = OwnedHead::request("POST", "/")
            .header("webhook-id", "msg_1")
            .header("webhook-timestamp", "1")
            .header("webhook-signature", list);
        StandardWebhooks::new()
            .read(&head)
            .map(|read| read.tags().len())
            .map_err(|e| e.kind())
    }

    #[test]
    fn a_body_cannot_begin_with_what_stands_before_bodies() {
        let refuses = |body: &[u8]| StandardWebhooks::new().refuses_body(body);
        assert!(refuses(b"1700000000.X") && refuses(b"0.") && refuses(b"3.14"));
        for body in [
            &b"{\"a\":1.5}"[..],
            b"",
            b".",
            b"1700000000",
            b"-1.5",
            b"[1.5]",
            b"a.b",
            b"01.5",
        ] {
            assert!(!refuses(body), "{body:?}");
        }
    }

    #[test]
    fn both_versions_are_read_and_others_ignored() {
        let v1 = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=";
        let v1a = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
        assert_eq!(read(v1), Ok(1));
        assert_eq!(read(&format!("{v1} {v1a} v2,?")), Ok(2));
        assert_eq!(read("v2,abc"), Err(RefusedKind::UnsupportedSignature));
        assert_eq!(read(""), Err(RefusedKind::Malformed));
        assert_eq!(read(&format!("{v1} ")), Err(RefusedKind::Malformed));
        assert_eq!(read(&format!("{v1}  {v1}")), Err(RefusedKind::Malformed));
        assert_eq!(read("v1,K5oZ"), Err(RefusedKind::Malformed));
        assert_eq!(read(&format!("{v1} ,abc")), Err(RefusedKind::Malformed));
        assert_eq!(
            read(&[v1; 9].join(" ")),
            Err(RefusedKind::TooManySignatures)
        );
    }
}
