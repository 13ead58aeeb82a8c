//! Our own dialect, for services that are both ends: everything that matters is signed.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::{BodyForm, Freshness, Needs, Scheme};
use crate::clock::UnixTime;
use crate::config_error::ConfigError;
use crate::encoding::{self, Encoding};
use crate::envelope::Envelope;
use crate::head::{self, Head};
use crate::key::Algorithm;
use crate::refused::{Refused, RefusedKind};

/// Signs method, authority, path, query, chosen headers and the body, with time, nonce and key id.
///
/// The header is `X-Signature: t=1700000000,n=<nonce>,k=<key id>,v1=<hex>`, in this order and form
/// only. Signed are lines, each ended by a line feed that none of them can hold:
///
/// ```text
/// seawall-sig/v1
/// POST
/// api.example.com
/// /api/webhooks/signed
/// <query without '?', empty where there is none>
/// 1700000000
/// <nonce>
/// <key id>
/// content-type:application/json        (a line for each value of each chosen header)
/// <hex SHA-256 of the body>            (without a line feed)
/// ```
///
/// Path and query are taken as sent, neither decoded nor put in order; a `?` with nothing behind
/// it counts as no query, because not every framework tells the two apart. The authority is
/// lower-cased and loses the port that its scheme implies. Behind a proxy that rewrites `Host`,
/// set [`authority`](Self::authority). A replay under another path, query, method or host fails,
/// and with a replay store so does one under the same.
#[derive(Clone, Debug)]
pub struct Native {
    header: Cow<'static, str>,
    covered: Vec<String>,
    authority: Option<String>,
}

/// What everything that is signed begins with, so that no other dialect's bytes can be meant.
pub(super) const FIRST_LINE: &[u8] = b"seawall-sig/v1\n";

impl Native {
    /// Signs no headers, and takes the authority from the request.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            header: Cow::Borrowed("x-signature"),
            covered: Vec::new(),
            authority: None,
        }
    }

    /// Sets the header that carries the signature. Default: `x-signature`.
    #[must_use]
    pub fn header(mut self, name: &str) -> Self {
        self.header = Cow::Owned(name.to_ascii_lowercase());
        self
    }

    /// Signs these headers too. Default: none. Both ends must name the same ones in the same order.
    #[must_use]
    pub fn covering<N: AsRef<str>>(mut self, headers: impl IntoIterator<Item = N>) -> Self {
        self.covered = headers
            .into_iter()
            .map(|name| name.as_ref().to_ascii_lowercase())
            .collect();
        self
    }

    /// Takes the authority from here, not from the request. Default: from the request.
    ///
    /// # Errors
    ///
    /// Refuses the empty text and control characters.
    pub fn authority(mut self, authority: impl Into<String>) -> Result<Self, ConfigError> {
        let authority = authority.into();
        if authority.is_empty() || !is_line(authority.as_bytes()) {
            return Err(ConfigError::new("authority", "a host, perhaps with a port"));
        }
        self.authority = Some(authority);
        Ok(self)
    }

    fn read_line(envelope: &mut Envelope, line: &[u8]) -> Result<(), Refused> {
        let mut fields = line.split(|byte| *byte == b',');
        let mut field = |name: &[u8]| fields.next()?.strip_prefix(name);
        let (t, n, k, v1) = (field(b"t="), field(b"n="), field(b"k="), field(b"v1="));
        let (Some(t), Some(n), Some(k), Some(v1), None) = (t, n, k, v1, fields.next()) else {
            return Err(Refused::malformed("t=…,n=…,k=…,v1=… in this order"));
        };
        let seconds =
            encoding::seconds(t).ok_or_else(|| Refused::malformed("t in whole seconds"))?;
        envelope.set_timestamp(UnixTime::from_secs(seconds));
        envelope.set_nonce(n)?;
        envelope.set_key_id(k)?;
        envelope.push_text(Algorithm::HmacSha256, Encoding::LowerHex, v1)
    }
}

impl Default for Native {
    fn default() -> Self {
        Self::new()
    }
}

impl Scheme for Native {
    fn name(&self) -> &'static str {
        "seawall"
    }

    fn freshness(&self) -> Freshness {
        Freshness::Timestamp
    }

    fn names_key(&self) -> bool {
        true
    }

    fn body_form(&self) -> BodyForm {
        BodyForm::Sha256Hex
    }

    fn needs(&self) -> Needs {
        Needs::nothing().and_timestamp().and_nonce()
    }

    fn read(&self, head: &dyn Head) -> Result<Envelope, Refused> {
        let mut envelope = Envelope::new();
        head::only(head, &self.header, &mut |line| {
            Self::read_line(&mut envelope, line)
        })?;
        Ok(envelope)
    }

    fn before_body(
        &self,
        envelope: &Envelope,
        head: &dyn Head,
        put: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Refused> {
        let authority = self
            .authority
            .as_deref()
            .or_else(|| head.authority())
            .unwrap_or_default();
        let texts = [
            head.method(),
            head.path(),
            head.query().unwrap_or_default(),
            authority,
        ];
        if !texts.iter().all(|text| is_line(text.as_bytes())) {
            return Err(Refused::malformed(
                "a request line and host without control characters",
            ));
        }
        let mut line = |text: &str| {
            put(text.as_bytes());
            put(b"\n");
        };
        line("seawall-sig/v1");
        line(head.method());
        put_authority(authority, head.scheme(), put);
        let mut line = |text: &str| {
            put(text.as_bytes());
            put(b"\n");
        };
        line(head.path());
        line(head.query().unwrap_or_default());
        encoding::with_decimal(envelope.timestamp().unwrap_or_default().as_secs(), |text| {
            line(std::str::from_utf8(text).unwrap_or_default());
        });
        line(envelope.nonce().unwrap_or_default());
        line(envelope.key_id().unwrap_or_default());
        for name in &self.covered {
            let mut seen = Ok(0_usize);
            head.each_header(name, &mut |value| {
                let value = value.trim_ascii();
                if !is_line(value) {
                    seen = Err(Refused::malformed(
                        "covered headers without control characters",
                    ));
                    return ControlFlow::Break(());
                }
                for piece in [name.as_bytes(), b":", value, b"\n"] {
                    put(piece);
                }
                seen = seen
                    .as_ref()
                    .map(|count| count + 1)
                    .map_err(|_| Refused::new(RefusedKind::Malformed));
                ControlFlow::Continue(())
            });
            if seen? == 0 {
                // No colon: an absent header is not an empty one.
                put(name.as_bytes());
                put(b"\n");
            }
        }
        Ok(())
    }

    fn write(&self, envelope: &Envelope, put: &mut dyn FnMut(&str, String)) -> Result<(), Refused> {
        let key_id = envelope.key_id().unwrap_or_default();
        if key_id.contains(',') {
            return Err(Refused::malformed("a key id without a comma"));
        }
        let mut line = format!(
            "t={},n={},k={key_id},v1=",
            envelope.timestamp().unwrap_or_default(),
            envelope.nonce().unwrap_or_default(),
        );
        if let Some(tag) = envelope.tags().first() {
            Encoding::LowerHex.write(tag.bytes(), &mut line);
        }
        put(&self.header, line);
        Ok(())
    }
}

/// Writes the authority in lower case, without the port that the scheme implies, and a line feed.
fn put_authority(authority: &str, scheme: Option<&str>, put: &mut dyn FnMut(&[u8])) {
    let authority = without_default_port(authority, scheme);
    let mut piece = [0; 64];
    for part in authority.as_bytes().chunks(piece.len()) {
        let piece = &mut piece[..part.len()];
        piece.copy_from_slice(part);
        piece.make_ascii_lowercase();
        put(piece);
    }
    put(b"\n");
}

pub(crate) fn without_default_port<'a>(authority: &'a str, scheme: Option<&str>) -> &'a str {
    let port = match scheme {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => ":443",
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => ":80",
        _ => return authority,
    };
    authority.strip_suffix(port).unwrap_or(authority)
}

fn is_line(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| !byte.is_ascii_control() || *byte == b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owned_head::OwnedHead;

    fn base(native: &Native, head: &OwnedHead) -> Result<String, RefusedKind> {
        let mut envelope = Envelope::new();
        envelope.set_timestamp(UnixTime::from_secs(1_700_000_000));
        envelope.set_nonce(b"0123456789abcdef").unwrap();
        envelope.set_key_id(b"k1").unwrap();
        let mut bytes = Vec::new();
        let put = &mut |piece: &[u8]| bytes.extend_from_slice(piece);
        native
            .before_body(&envelope, head, put)
            .map_err(|refused| refused.kind())?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn every_part_has_its_line() {
        let head = OwnedHead::request("POST", "https://API.Example.com:443/a%2Fb?x=1&y")
            .header("content-type", " application/json ")
            .header("x-tag", "1")
            .header("x-tag", "2");
        let native = Native::new().covering(["content-type", "x-tag", "x-absent"]);
        assert_eq!(
            base(&native, &head).unwrap(),
            "seawall-sig/v1\nPOST\napi.example.com\n/a%2Fb\nx=1&y\n1700000000\n0123456789abcdef\nk1\n\
             content-type:application/json\nx-tag:1\nx-tag:2\nx-absent\n"
        );
    }

    #[test]
    fn a_line_feed_cannot_forge_a_line() {
        let head = OwnedHead::request("POST", "/a\nb");
        assert_eq!(base(&Native::new(), &head), Err(RefusedKind::Malformed));
        let head = OwnedHead::request("POST", "/").header("x", "1\nx:2");
        assert_eq!(
            base(&Native::new().covering(["x"]), &head),
            Err(RefusedKind::Malformed)
        );
    }

    #[test]
    fn the_header_has_one_form() {
        let read = |line: &str| {
            let head = OwnedHead::request("POST", "/").header("x-signature", line);
            Native::new().read(&head).is_ok()
        };
        let mac = "ab".repeat(32);
        assert!(read(&format!("t=1,n=0123456789abcdef,k=a,v1={mac}")));
        for wrong in [
            format!("n=0123456789abcdef,t=1,k=a,v1={mac}"),
            format!("t=1,n=0123456789abcdef,k=a,v1={mac},v1={mac}"),
            format!("t=1,n=0123456789abcdef,k=a,v1={}", mac.to_uppercase()),
            format!("t=1, n=0123456789abcdef,k=a,v1={mac}"),
            format!("t=01,n=0123456789abcdef,k=a,v1={mac}"),
            format!("t=1,n=0123456789abcde,k=a,v1={mac}"),
            format!("t=1,n=0123456789abcdef,k=,v1={mac}"),
            format!("t=1,n=0123456789abcdef,v1={mac}"),
            String::new(),
        ] {
            assert!(!read(&wrong), "{wrong}");
        }
    }

    #[test]
    fn only_the_implied_port_is_dropped() {
        assert_eq!(without_default_port("a:443", Some("https")), "a");
        assert_eq!(without_default_port("a:80", Some("https")), "a:80");
        assert_eq!(without_default_port("a:80", Some("HTTP")), "a");
        assert_eq!(without_default_port("a:443", None), "a:443");
        assert_eq!(without_default_port("a:80", Some("ws")), "a:80");
    }

    #[test]
    fn the_header_may_have_another_name() {
        let line = format!("t=1,n=0123456789abcdef,k=a,v1={}", "ab".repeat(32));
        let native = Native::new().covering(["x-tag"]).header("X-Acme");
        let read = |name| native.read(&OwnedHead::request("POST", "/").header(name, line.as_str()));
        assert!(read("x-acme").is_ok());
        assert_eq!(
            read("x-signature").unwrap_err().kind(),
            RefusedKind::MissingSignature
        );
        let head = OwnedHead::request("POST", "/").header("x-tag", "1");
        assert!(base(&native, &head).unwrap().ends_with("x-tag:1\n"));
    }

    #[test]
    fn an_authority_of_ones_own_is_a_line_that_says_something() {
        let refuses = |text: &str| Native::new().authority(text).is_err();
        assert!(refuses("") && refuses("a\nb") && refuses("a\0"));
        let native = Native::new().authority("Shop.Example:8443").unwrap();
        let head = OwnedHead::request("GET", "https://10.0.0.7/x");
        let signed = base(&native, &head).unwrap();
        assert!(signed.starts_with("seawall-sig/v1\nGET\nshop.example:8443\n/x\n"));
    }
}
