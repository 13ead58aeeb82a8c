//! Types that cannot hold what breaks their rules: parse once, and every function that takes one
//! is spared the check.

mod bounded;
mod non_empty;
mod patch;
mod text;
#[cfg(feature = "url")]
mod url;

pub use bounded::Bounded;
pub use non_empty::NonEmpty;
pub use patch::Patch;
pub use text::{Email, Username};
#[cfg(feature = "url")]
#[cfg_attr(docsrs, doc(cfg(feature = "url")))]
pub use url::{HttpUrl, PublicUrl};

/// What every type of text here can do.
macro_rules! text_type {
    ([$($generics:tt)*] $name:ty, $rules:ty) => {
        impl<$($generics)*> $name {
            /// Normalises and checks a text.
            ///
            /// # Errors
            ///
            /// What is wrong with it.
            pub fn parse(text: &str) -> Result<Self, crate::Violations> {
                crate::from_deserializer(
                    serde::de::IntoDeserializer::<serde::de::value::Error>::into_deserializer(text),
                    &crate::Limits::API,
                )
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, given away.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl<'de, $($generics)*> crate::Validate<'de> for $name {
            fn read<D: serde::Deserializer<'de>>(
                deserializer: D,
                cx: &mut crate::Cx<'_>,
            ) -> Result<Option<Self>, D::Error> {
                let text = <String as crate::read::Read<'de, crate::read::Text<$rules>>>::read(
                    deserializer,
                    cx,
                )?;
                Ok(text.map(Self))
            }

            // There is no such value that breaks its rules.
            fn check(&self, _: &mut crate::Cx<'_>) {}

            fn schema(schemas: &mut crate::Schemas) -> crate::Schema {
                <String as crate::read::Read<'de, crate::read::Text<$rules>>>::schema(schemas)
            }
        }

        impl<'de, $($generics)*> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::parser::deserialize(deserializer)
            }
        }

        impl<$($generics)*> serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<$($generics)*> std::str::FromStr for $name {
            type Err = crate::Violations;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl<$($generics)*> std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl<$($generics)*> AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl<$($generics)*> std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(crate) use text_type;
