//! What a signature must cover to count, and the settings of the scheme.

use std::time::Duration;

use super::HttpSignatures;
use super::component::{Component, External};
use super::structured::Bare;
use crate::config_error::ConfigError;

/// Collects the settings of [`HttpSignatures`].
#[derive(Clone, Debug)]
#[must_use]
pub struct HttpSignaturesBuilder {
    scheme: HttpSignatures,
    wrong: Option<ConfigError>,
}

impl HttpSignaturesBuilder {
    pub(super) fn new() -> Self {
        let scheme = HttpSignatures {
            label: None,
            cover: None,
            require: None,
            created_required: true,
            key_id_required: true,
            body_required: true,
            tag: None,
            lifetime: None,
            external: None,
        };
        Self {
            scheme,
            wrong: None,
        }
    }

    pub(super) fn scheme(self) -> HttpSignatures {
        self.scheme
    }

    /// Names the signature that is looked at and written; others in the message are ignored.
    ///
    /// Default: a message has exactly one signature, under any label, and is written as `sig1`.
    /// With a label a message may carry signatures of others, say a proxy's. Do not name one where
    /// a sender signs the same message under several of your keys: labels are not signed, so each
    /// of those signatures could be presented under this label, once.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        let label = label.into();
        let key = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.')
        };
        if !label.starts_with(|letter: char| letter.is_ascii_lowercase()) || !label.bytes().all(key)
        {
            self.wrong = Some(ConfigError::new(
                "label",
                "a key of lower-case letters, digits, '_', '-' and '.'",
            ));
        }
        self.scheme.label = Some(label);
        self
    }

    /// Sets what a signer covers, such as `@method`, `content-type` or
    /// `"@query-param";name="id"`.
    ///
    /// Default: method, authority, path and query, and the digest of a body that is not empty; of a
    /// response, its status and digest.
    pub fn cover<T: AsRef<str>>(mut self, components: impl IntoIterator<Item = T>) -> Self {
        self.scheme.cover = self.components("cover", components);
        self
    }

    /// Sets what a signature must cover to be accepted, in the place of the default.
    ///
    /// Default: the method and the whole target (`@target-uri`, or `@authority` with `@path` and
    /// `@query` or with `@request-target`); of a response, its status. A signature over nothing at
    /// all is valid by the RFC, and says nothing.
    pub fn require<T: AsRef<str>>(mut self, components: impl IntoIterator<Item = T>) -> Self {
        self.scheme.require = self.components("require", components);
        self
    }

    /// Accepts a body that no signed digest covers. Default: a body that is not empty must be
    /// covered by a signed `Content-Digest`, since nothing else of it is signed.
    pub fn allow_uncovered_body(mut self) -> Self {
        self.scheme.body_required = false;
        self
    }

    /// Accepts signatures that do not say when they were made. Default: they are refused. Without
    /// the time there is no tolerance to keep and no memory of replays.
    pub fn allow_undated(mut self) -> Self {
        self.scheme.created_required = false;
        self
    }

    /// Accepts signatures that do not name their key, and tries the active ones. Default: they are
    /// refused.
    pub fn allow_unnamed_key(mut self) -> Self {
        self.scheme.key_id_required = false;
        self
    }

    /// Writes this `tag`, and accepts no signature with another or none. Default: none is written,
    /// and any is accepted.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        let tag = tag.into();
        if !tag.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            self.wrong = Some(ConfigError::new(
                "tag",
                "visible ASCII characters and spaces",
            ));
        }
        self.scheme.tag = Some(tag);
        self
    }

    /// Writes that signatures expire so long after they were made. Default: that is left to the
    /// verifier's tolerance. A verifier keeps to what a signature says in either case.
    pub fn expires_after(mut self, lifetime: Duration) -> Self {
        self.scheme.lifetime = Some(lifetime);
        self
    }

    /// Sets scheme and authority as clients see them, for a service behind a proxy that ends TLS
    /// or rewrites `Host`. Default: what the request says.
    pub fn external(mut self, scheme: impl Into<String>, authority: impl Into<String>) -> Self {
        let (scheme, authority) = (scheme.into(), authority.into());
        let visible =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible(&scheme) || !visible(&authority) {
            self.wrong = Some(ConfigError::new(
                "external",
                "a scheme such as https, and a host",
            ));
        }
        self.scheme.external = Some(External { scheme, authority });
        self
    }

    /// Closes the settings.
    ///
    /// # Errors
    ///
    /// Refuses parts of a message that RFC 9421 does not know or that come twice, and texts that a
    /// header cannot carry.
    pub fn build(self) -> Result<HttpSignatures, ConfigError> {
        match self.wrong {
            Some(wrong) => Err(wrong),
            None => Ok(self.scheme),
        }
    }

    fn components<T: AsRef<str>>(
        &mut self,
        setting: &'static str,
        texts: impl IntoIterator<Item = T>,
    ) -> Option<Vec<Component>> {
        let mut components: Vec<Component> = Vec::new();
        for text in texts {
            let text = text.as_ref();
            match Component::parse(text) {
                Some(component) if !components.iter().any(|known| known.is(&component)) => {
                    components.push(component);
                }
                _ => {
                    let expected = format!("different components of RFC 9421, got {text:?}");
                    self.wrong = Some(ConfigError::new(setting, expected));
                }
            }
        }
        Some(components)
    }
}

impl HttpSignatures {
    /// Returns whether a signature over these parts says enough.
    pub(super) fn is_enough(&self, covered: &[Component], response: bool) -> bool {
        if let Some(required) = &self.require {
            return required
                .iter()
                .all(|wanted| covered.iter().any(|known| known.is(wanted)));
        }
        let has = |name: &str| {
            Component::parse(name)
                .is_some_and(|wanted| covered.iter().any(|known| known.is(&wanted)))
        };
        if response {
            return has("@status");
        }
        let target = has("@target-uri")
            || has("@authority") && (has("@request-target") || has("@path") && has("@query"));
        has("@method") && target
    }

    /// Returns what a signer covers.
    pub(super) fn covered(&self, response: bool, body: bool) -> Vec<Component> {
        if let Some(cover) = &self.cover {
            return cover.clone();
        }
        let names: &[&str] = match response {
            true => &["@status"],
            false => &["@method", "@authority", "@path", "@query"],
        };
        let digest = body.then_some("content-digest");
        names
            .iter()
            .copied()
            .chain(digest)
            .filter_map(Component::parse)
            .collect()
    }

    pub(super) fn tag_fits(&self, found: Option<&Bare>) -> bool {
        match (&self.tag, found) {
            (None, _) => true,
            (Some(tag), Some(Bare::String(found))) => tag == found,
            (Some(_), _) => false,
        }
    }
}
