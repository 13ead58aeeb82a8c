//! `uuid::Uuid`, in its usual spelling only.

use serde::de::{Deserializer, Error};

use crate::input::Input;
use crate::visitor::{self, Take};
use crate::{Code, Cx, Schema, Schemas, Validate, rule};

struct TakeUuid;

impl<'de> Take<'de> for TakeUuid {
    type Out = uuid::Uuid;
    const WANTS: Code = Code::TYPE_STRING;

    fn text<E: Error>(
        self,
        input: Input<'de, '_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<uuid::Uuid>, E> {
        // The crate also reads braces, URNs and bare digits; one spelling is enough, and keeps two
        // spellings of one id from being two keys.
        let text = input.as_str();
        let plain = rule::is_uuid(text.as_bytes());
        let value = if plain {
            uuid::Uuid::try_parse(text).ok()
        } else {
            None
        };
        if value.is_none() {
            cx.fault(Code::UUID);
        }
        Ok(value)
    }
}

impl<'de> Validate<'de> for uuid::Uuid {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        visitor::read(TakeUuid, d, cx)
    }

    fn check(&self, _: &mut Cx<'_>) {}

    fn schema(_: &mut Schemas) -> Schema {
        let mut schema = Schema::of_type("string");
        schema.set("format", "uuid");
        schema
    }
}
