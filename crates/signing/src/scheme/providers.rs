//! The dialects of well-known senders. Each is a [`Template`], and each says what it cannot do.

use std::borrow::Cow;

use super::template::{Part, Place, Template, Time};
use crate::encoding::Encoding;
use crate::key::Algorithm;

const HMAC: [Algorithm; 1] = [Algorithm::HmacSha256];
const BODY: &[Part] = &[Part::Body];

fn alone(
    name: &'static str,
    header: Cow<'static, str>,
    prefix: &'static str,
    encoding: Encoding,
) -> Template {
    Template {
        name: Cow::Borrowed(name),
        place: Place::Header {
            name: header,
            prefix: Cow::Borrowed(prefix),
        },
        time: Time::Nowhere,
        id_header: None,
        encoding,
        algorithm: HMAC,
        parts: Cow::Borrowed(BODY),
    }
}

const fn fields(
    name: &'static str,
    header: &'static str,
    separator: u8,
    [time, field]: [&'static str; 2],
    parts: &'static [Part],
) -> Template {
    Template {
        name: Cow::Borrowed(name),
        place: Place::Fields {
            header: Cow::Borrowed(header),
            separator,
            field: Cow::Borrowed(field),
        },
        time: Time::Field(Cow::Borrowed(time)),
        id_header: None,
        encoding: Encoding::Hex,
        algorithm: HMAC,
        parts: Cow::Borrowed(parts),
    }
}

/// Reads a bare MAC of the body in lower-case hexadecimal, such as `X-Signature: 5257a8…`.
///
/// Nothing else of the message is signed, so an old one verifies for ever: use
/// [`Native`](super::Native) where you are both ends.
#[must_use]
pub fn plain(header: &str) -> Template {
    alone(
        "plain",
        Cow::Owned(header.to_ascii_lowercase()),
        "",
        Encoding::LowerHex,
    )
}

/// Reads a bare MAC of the body in Base64.
#[must_use]
pub fn plain_base64(header: &str) -> Template {
    alone(
        "plain-base64",
        Cow::Owned(header.to_ascii_lowercase()),
        "",
        Encoding::Base64,
    )
}

/// Reads GitHub's `X-Hub-Signature-256: sha256=…` over the body.
///
/// The older SHA-1 header is not looked at. GitHub signs no time, so replays cannot be told from
/// redeliveries here; `X-GitHub-Delivery` is not signed either.
#[must_use]
pub fn github() -> Template {
    alone(
        "github",
        Cow::Borrowed("x-hub-signature-256"),
        "sha256=",
        Encoding::Hex,
    )
}

/// Reads Shopify's `X-Shopify-Hmac-Sha256`, Base64 over the body. No time is signed.
#[must_use]
pub fn shopify() -> Template {
    alone(
        "shopify",
        Cow::Borrowed("x-shopify-hmac-sha256"),
        "",
        Encoding::Base64,
    )
}

/// Reads Square's `X-Square-HmacSha256-Signature`, Base64 over the notification URL and the body.
///
/// The URL is the one that Square was given, from your configuration, and never from the request,
/// whose host a caller chooses. No time is signed.
#[must_use]
pub fn square(notification_url: impl Into<String>) -> Template {
    let url = Part::Text(Cow::Owned(notification_url.into()));
    Template {
        parts: Cow::Owned(vec![url, Part::Body]),
        ..alone(
            "square",
            Cow::Borrowed("x-square-hmacsha256-signature"),
            "",
            Encoding::Base64,
        )
    }
}

/// Reads Stripe's `Stripe-Signature: t=…,v1=…` over time and body.
///
/// The secret is used as it is shown, `whsec_` included: [`Secret::new`](crate::Secret::new).
/// Versions other than `v1` are ignored, and a header with none of it is refused.
#[must_use]
pub fn stripe() -> Template {
    const DOT: &[Part] = &[Part::Timestamp, Part::Text(Cow::Borrowed(".")), Part::Body];
    fields("stripe", "stripe-signature", b',', ["t", "v1"], DOT)
}

/// Reads Paddle's `Paddle-Signature: ts=…;h1=…` over time and body.
#[must_use]
pub fn paddle() -> Template {
    const COLON: &[Part] = &[Part::Timestamp, Part::Text(Cow::Borrowed(":")), Part::Body];
    fields("paddle", "paddle-signature", b';', ["ts", "h1"], COLON)
}

/// Reads Slack's `X-Slack-Signature: v0=…` over `X-Slack-Request-Timestamp` and the body.
#[must_use]
pub fn slack() -> Template {
    const V0: &[Part] = &[
        Part::Text(Cow::Borrowed("v0:")),
        Part::Timestamp,
        Part::Text(Cow::Borrowed(":")),
        Part::Body,
    ];
    Template {
        time: Time::Header(Cow::Borrowed("x-slack-request-timestamp")),
        parts: Cow::Borrowed(V0),
        ..alone(
            "slack",
            Cow::Borrowed("x-slack-signature"),
            "v0=",
            Encoding::Hex,
        )
    }
}

/// Reads Discord's `X-Signature-Ed25519` over `X-Signature-Timestamp` and the body.
///
/// Nothing stands between the two, so digits could be moved from one to the other; the time would
/// then be off by a factor of ten, which the tolerance refuses. Do not switch it off here.
#[cfg(feature = "ed25519")]
#[cfg_attr(docsrs, doc(cfg(feature = "ed25519")))]
#[must_use]
pub fn discord() -> Template {
    const JOINED: &[Part] = &[Part::Timestamp, Part::Body];
    Template {
        time: Time::Header(Cow::Borrowed("x-signature-timestamp")),
        algorithm: [Algorithm::Ed25519],
        parts: Cow::Borrowed(JOINED),
        ..alone(
            "discord",
            Cow::Borrowed("x-signature-ed25519"),
            "",
            Encoding::Hex,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixTime;
    use crate::envelope::Envelope;
    use crate::owned_head::OwnedHead;
    use crate::scheme::{Freshness, Scheme};

    /// Shows what a dialect signs, with `*` for the body.
    fn signed(scheme: &Template) -> String {
        let mut envelope = Envelope::new();
        envelope.set_timestamp(UnixTime::from_secs(1_700_000_000));
        let mut bytes = Vec::new();
        let put = &mut |piece: &[u8]| bytes.extend_from_slice(piece);
        let head = OwnedHead::request("POST", "/");
        scheme.before_body(&envelope, &head, put).unwrap();
        put(b"*");
        scheme.after_body(&envelope, put);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn each_sender_signs_its_own_bytes() {
        for (scheme, expected) in [
            (plain("x"), "*"),
            (plain_base64("x"), "*"),
            (github(), "*"),
            (shopify(), "*"),
            (
                square("https://a.example/hooks"),
                "https://a.example/hooks*",
            ),
            (stripe(), "1700000000.*"),
            (paddle(), "1700000000:*"),
            (slack(), "v0:1700000000:*"),
            #[cfg(feature = "ed25519")]
            (discord(), "1700000000*"),
        ] {
            assert_eq!(signed(&scheme), expected, "{scheme:?}");
            let dated = scheme.freshness() == Freshness::Timestamp;
            assert_eq!(dated, expected.contains("1700000000"), "{scheme:?}");
        }
    }
}
