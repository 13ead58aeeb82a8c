//! HTTP Message Signatures (RFC 9421) with `hmac-sha256` and `ed25519`.

mod component;
mod digest_field;
mod policy;
mod query;
mod structured;

use std::time::Duration;

use component::{Component, External, field_lines};
pub use policy::HttpSignaturesBuilder;
use structured::{Bare, InnerList, Item, Member, Parameters};

use super::{BodyForm, Freshness, Needs, Scheme};
use crate::clock::UnixTime;
use crate::envelope::Envelope;
use crate::head::Head;
use crate::key::Algorithm;
use crate::refused::{Refused, RefusedKind};

/// Reads and writes `Signature-Input` and `Signature`.
///
/// A signature by this RFC is over the parts that it lists, and valid however few they are. What it
/// must list to be accepted is the policy of a verifier, and this one's default is strict: method
/// and target, the digest of a body, the time of signing and the key's name. Which algorithm counts
/// is decided by the key; an `alg` that says otherwise is refused.
///
/// For responses, give a head whose [`status`](Head::status) is set; parts marked `req` are taken
/// from its [`request`](Head::request). Trailers and signatures by RSA or ECDSA are not supported.
///
/// # Examples
///
/// ```
/// use seawall_signing::{OwnedHead, Secret, Signer, Verifier, scheme::HttpSignatures};
///
/// let signer = Signer::new(HttpSignatures::new(), Secret::new("between the two services")?);
/// let verifier = Verifier::new(HttpSignatures::new(), Secret::new("between the two services")?)?;
///
/// let head = OwnedHead::request("POST", "https://api.example.com/orders?dry=1");
/// let signed = signer.sign(&head, b"{}")?;
/// assert!(signed.value("content-digest").is_some());
///
/// let head = head.headers(signed);
/// assert!(verifier.verify_now(&head, b"{}").expect("a ring answers at once").is_ok());
/// assert!(verifier.verify_now(&head, b"[]").expect("a ring answers at once").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct HttpSignatures {
    label: Option<String>,
    cover: Option<Vec<Component>>,
    require: Option<Vec<Component>>,
    created_required: bool,
    key_id_required: bool,
    body_required: bool,
    tag: Option<String>,
    lifetime: Option<Duration>,
    external: Option<External>,
}

impl HttpSignatures {
    /// Takes every setting at its default.
    #[must_use]
    pub fn new() -> Self {
        HttpSignaturesBuilder::new().scheme()
    }

    /// Starts with every setting at its default.
    pub fn builder() -> HttpSignaturesBuilder {
        HttpSignaturesBuilder::new()
    }

    /// Returns the bytes that the signature in this head is over, to compare them with the other
    /// side's when two implementations disagree.
    ///
    /// # Errors
    ///
    /// Refuses a head without a signature, or whose covered parts are not there.
    pub fn signature_base(&self, head: &impl Head) -> Result<Vec<u8>, Refused> {
        let mut base = Vec::new();
        self.write_base(head, &mut |piece| base.extend_from_slice(piece))?;
        Ok(base)
    }

    fn write_base(&self, head: &dyn Head, put: &mut dyn FnMut(&[u8])) -> Result<(), Refused> {
        let (_, input) = self.input(head)?;
        for component in components(&input)? {
            component.write_line(head, self.external.as_ref(), put)?;
        }
        let mut last = String::from("\"@signature-params\": ");
        structured::write_inner(&input, &mut last);
        put(last.as_bytes());
        Ok(())
    }

    /// Finds the signature that counts, and what it covers.
    fn input(&self, head: &dyn Head) -> Result<(String, InnerList), Refused> {
        match self.pick(head, "signature-input")? {
            (label, Member::Inner(input)) => Ok((label, input)),
            _ => Err(Refused::malformed(
                "a list of covered components in Signature-Input",
            )),
        }
    }

    fn pick(&self, head: &dyn Head, field: &'static str) -> Result<(String, Member), Refused> {
        let lines = field_lines(head, field)?;
        if lines.is_empty() {
            return Err(Refused::new(RefusedKind::MissingSignature));
        }
        let members = structured::dictionary(&lines.join(&b", "[..]));
        let mut members =
            members.ok_or_else(|| Refused::malformed("a dictionary of signatures"))?;
        match &self.label {
            Some(label) => members.retain(|(known, _)| known == label),
            None if members.len() > 1 => {
                return Err(Refused::because(
                    RefusedKind::TooManySignatures,
                    "exactly one signature",
                ));
            }
            None => {}
        }
        members
            .pop()
            .ok_or_else(|| Refused::new(RefusedKind::MissingSignature))
    }

    fn read_parameters(&self, envelope: &mut Envelope, input: &InnerList) -> Result<(), Refused> {
        for (key, bare) in &input.parameters {
            match (key.as_str(), bare) {
                ("created", Bare::Integer(seconds)) => envelope.set_timestamp(time(*seconds)?),
                ("expires", Bare::Integer(seconds)) => envelope.set_expires(time(*seconds)?),
                ("keyid", Bare::String(id)) => envelope.set_key_id(id.as_bytes())?,
                ("alg" | "nonce" | "tag", Bare::String(_)) => {}
                ("created" | "expires" | "keyid" | "alg" | "nonce" | "tag", _) => {
                    return Err(Refused::malformed("signature parameters of their types"));
                }
                _ => {}
            }
        }
        if self.created_required && envelope.timestamp().is_none() {
            return Err(Refused::because(
                RefusedKind::InsufficientCoverage,
                "the parameter created",
            ));
        }
        if self.key_id_required && envelope.key_id().is_none() {
            return Err(Refused::because(
                RefusedKind::InsufficientCoverage,
                "the parameter keyid",
            ));
        }
        if !self.tag_fits(parameter(&input.parameters, "tag")) {
            return Err(Refused::because(
                RefusedKind::InsufficientCoverage,
                "the tag of this application",
            ));
        }
        Ok(())
    }
}

impl Default for HttpSignatures {
    fn default() -> Self {
        Self::new()
    }
}

/// The most parts that one signature may cover. Each costs a look at its header before anything
/// is known of the sender.
const MAX_COMPONENTS: usize = 32;

/// Reads the covered parts, each of which may come once.
fn components(input: &InnerList) -> Result<Vec<Component>, Refused> {
    if input.items.len() > MAX_COMPONENTS {
        return Err(Refused::malformed("at most 32 covered components"));
    }
    let mut components: Vec<Component> = Vec::with_capacity(input.items.len());
    for item in &input.items {
        let component = Component::of(item)?;
        if components.iter().any(|known| known.is(&component)) {
            return Err(Refused::malformed("each covered component once"));
        }
        components.push(component);
    }
    Ok(components)
}

fn parameter<'a>(parameters: &'a Parameters, key: &str) -> Option<&'a Bare> {
    parameters
        .iter()
        .find(|(known, _)| known == key)
        .map(|(_, bare)| bare)
}

fn time(seconds: i64) -> Result<UnixTime, Refused> {
    let seconds = u64::try_from(seconds);
    seconds
        .map(UnixTime::from_secs)
        .map_err(|_| Refused::malformed("a time after 1970"))
}

impl Scheme for HttpSignatures {
    fn name(&self) -> &'static str {
        "http-signatures"
    }

    fn algorithms(&self) -> &[Algorithm] {
        &[Algorithm::HmacSha256, Algorithm::Ed25519]
    }

    fn freshness(&self) -> Freshness {
        if self.created_required {
            Freshness::Timestamp
        } else {
            Freshness::None
        }
    }

    fn names_key(&self) -> bool {
        true
    }

    fn body_form(&self) -> BodyForm {
        BodyForm::ContentDigest {
            required: self.body_required,
        }
    }

    fn needs(&self) -> Needs {
        Needs::nothing().and_timestamp().and_nonce()
    }

    fn read(&self, head: &dyn Head) -> Result<Envelope, Refused> {
        let (label, input) = self.input(head)?;
        let (name, signature) = self.pick(head, "signature")?;
        let Member::Item(Item {
            bare: Bare::Bytes(signature),
            ..
        }) = signature
        else {
            return Err(Refused::malformed("a signature in Base64 between colons"));
        };
        if name != label {
            return Err(Refused::malformed(
                "one label in Signature and Signature-Input",
            ));
        }
        let mut envelope = Envelope::new();
        let (algorithm, alg) = match signature.len() {
            32 => (Algorithm::HmacSha256, "hmac-sha256"),
            64 => (Algorithm::Ed25519, "ed25519"),
            _ => return Err(Refused::new(RefusedKind::UnsupportedSignature)),
        };
        if parameter(&input.parameters, "alg")
            .is_some_and(|said| *said != Bare::String(alg.to_owned()))
        {
            return Err(Refused::new(RefusedKind::UnsupportedSignature));
        }
        envelope.push_signature(algorithm, &signature)?;
        self.read_parameters(&mut envelope, &input)?;
        let components = components(&input)?;
        if !self.is_enough(&components, head.status().is_some()) {
            let expected = "every component that the policy requires";
            return Err(Refused::because(
                RefusedKind::InsufficientCoverage,
                expected,
            ));
        }
        if components.iter().any(Component::is_content_digest) {
            envelope.set_content_digest(digest_field::read(head)?);
        }
        Ok(envelope)
    }

    fn before_body(
        &self,
        _: &Envelope,
        head: &dyn Head,
        put: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Refused> {
        self.write_base(head, put)
    }

    fn announce(
        &self,
        envelope: &Envelope,
        head: &dyn Head,
        body: &[u8],
        put: &mut dyn FnMut(&str, String),
    ) -> Result<(), Refused> {
        let covered = self.covered(head.status().is_some(), !body.is_empty());
        if covered.iter().any(Component::is_content_digest) {
            if field_lines(head, "content-digest")?.is_empty() {
                put("content-digest", digest_field::write(body));
            } else if !digest_field::read(head)?.matches(body) {
                return Err(Refused::new(RefusedKind::DigestMismatch));
            }
        }
        let items = covered.iter().map(Component::to_item).collect();
        let mut parameters = Parameters::new();
        let mut push = |key: &str, bare| parameters.push((key.to_owned(), bare));
        if let Some(created) = envelope.timestamp() {
            let seconds = |time: UnixTime| i64::try_from(time.as_secs()).map(Bare::Integer);
            let wrong = |_| Refused::malformed("a time that fits the format");
            push("created", seconds(created).map_err(wrong)?);
            if let Some(lifetime) = self.lifetime {
                push(
                    "expires",
                    seconds(created.saturating_add(lifetime)).map_err(wrong)?,
                );
            }
        }
        let named = [
            ("nonce", envelope.nonce()),
            ("keyid", envelope.key_id()),
            ("tag", self.tag.as_deref()),
        ];
        for (key, text) in named {
            if let Some(text) = text {
                push(key, Bare::String(text.to_owned()));
            }
        }
        let mut value = self.label.clone().unwrap_or_else(|| "sig1".to_owned());
        value.push('=');
        structured::write_inner(&InnerList { items, parameters }, &mut value);
        put("signature-input", value);
        Ok(())
    }

    fn write(&self, envelope: &Envelope, put: &mut dyn FnMut(&str, String)) -> Result<(), Refused> {
        let mut value = self.label.clone().unwrap_or_else(|| "sig1".to_owned());
        value.push('=');
        if let Some(tag) = envelope.tags().first() {
            structured::write_bare(&Bare::Bytes(tag.bytes().to_vec()), &mut value);
        }
        put("signature", value);
        Ok(())
    }
}
