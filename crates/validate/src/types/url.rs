//! URLs to call or to show.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error};
use url::Url;

use crate::input::Input;
use crate::visitor::{self, Take};
use crate::{Code, Cx, Schema, Schemas, Validate, Violation, Violations, rule};

/// Bytes of a URL; what browsers and proxies commonly take.
const MOST: usize = 2048;

trait Policy {
    fn check(text: &str) -> Result<(), Code>;
}

macro_rules! url_type {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Url);

        impl Policy for $name {
            fn check(text: &str) -> Result<(), Code> {
                let check: fn(&str) -> Result<(), Code> = $check;
                check(text)
            }
        }

        impl $name {
            /// Checks a text.
            ///
            /// # Errors
            ///
            /// What is wrong with it.
            pub fn parse(text: &str) -> Result<Self, Violations> {
                crate::from_deserializer(
                    serde::de::IntoDeserializer::<serde::de::value::Error>::into_deserializer(text),
                    &crate::Limits::API,
                )
            }

            /// The URL.
            #[must_use]
            pub const fn as_url(&self) -> &Url {
                &self.0
            }

            /// The URL as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::parser::deserialize(deserializer)
            }
        }

        impl<'de> Validate<'de> for $name {
            fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
                Ok(visitor::read(TakeUrl::<Self>(PhantomData), d, cx)?.map(Self))
            }

            fn check(&self, _: &mut Cx<'_>) {}

            fn schema(_: &mut Schemas) -> Schema {
                let mut schema = Schema::of_type("string");
                schema.set("maxLength", MOST);
                schema.set("format", "iri");
                schema
            }
        }
    };
}

url_type! {
    /// An `http` or `https` URL with a host and without credentials.
    HttpUrl, |text| rule::check_url(text, &["https", "http"])
}

url_type! {
    /// An `https` URL whose host is public, as far as its text can tell: for webhooks and everything
    /// that your service will fetch on a client's word. A name may still resolve to a private
    /// address: check that when connecting.
    PublicUrl, |text| {
        rule::check_url(text, &["https"])?;
        if rule::is_public_host(text) { Ok(()) } else { Err(Code::URL_PRIVATE_HOST) }
    }
}

struct TakeUrl<P>(PhantomData<P>);

impl<'de, P: Policy> Take<'de> for TakeUrl<P> {
    type Out = Url;
    const WANTS: Code = Code::TYPE_STRING;

    fn text<E: Error>(self, input: Input<'de, '_>, cx: &mut Cx<'_>) -> Result<Option<Url>, E> {
        let text = input.as_str();
        if text.len() > MOST {
            cx.report(Violation::new(Code::BYTES_TOO_LONG).param("max", MOST));
            return Ok(None);
        }
        match (P::check(text), Url::parse(text)) {
            (Ok(()), Ok(url)) => Ok(Some(url)),
            (Err(code), _) => {
                cx.report(Violation::new(code).param("schemes", "https"));
                Ok(None)
            }
            (_, Err(_)) => {
                cx.fault(Code::URL);
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls_are_https_and_public() {
        assert!(PublicUrl::parse("https://example.com/hook").is_ok());
        assert!(PublicUrl::parse("http://example.com/hook").is_err());
        assert!(PublicUrl::parse("https://10.0.0.1").is_err());
        assert!(HttpUrl::parse("http://10.0.0.1").is_ok());
    }
}
