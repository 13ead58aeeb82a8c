//! Types that are small by nature: `bool`, `char`, `()`, network addresses.

use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use serde::de::{Deserializer, Error};

use crate::cx::Mode;
use crate::input::Input;
use crate::schema::{Schema, Schemas};
use crate::visitor::{self, Take};
use crate::{Code, Cx, Validate};

struct TakeBool;

impl<'de> Take<'de> for TakeBool {
    type Out = bool;
    const WANTS: Code = Code::TYPE_BOOLEAN;

    fn boolean<E: Error>(self, value: bool, _: &mut Cx<'_>) -> Result<Option<bool>, E> {
        Ok(Some(value))
    }

    fn text<E: Error>(self, input: Input<'de, '_>, cx: &mut Cx<'_>) -> Result<Option<bool>, E> {
        match input.as_str() {
            "true" | "1" if cx.mode == Mode::Text => Ok(Some(true)),
            "false" | "0" if cx.mode == Mode::Text => Ok(Some(false)),
            _ => {
                cx.fault(Self::WANTS);
                Ok(None)
            }
        }
    }
}

impl<'de> Validate<'de> for bool {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        visitor::read(TakeBool, d, cx)
    }

    fn check(&self, _: &mut Cx<'_>) {}

    fn schema(_: &mut Schemas) -> Schema {
        Schema::of_type("boolean")
    }
}

struct TakeUnit;

impl<'de> Take<'de> for TakeUnit {
    type Out = ();
    const WANTS: Code = Code::TYPE_NULL;

    fn null<E: Error>(self, _: &mut Cx<'_>) -> Result<Option<()>, E> {
        Ok(Some(()))
    }
}

impl<'de> Validate<'de> for () {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        visitor::read(TakeUnit, d, cx)
    }

    fn check(&self, _: &mut Cx<'_>) {}

    fn schema(_: &mut Schemas) -> Schema {
        Schema::of_type("null")
    }
}

/// Reads a text of at most `most` bytes through `FromStr`.
struct TakeShort<T> {
    most: usize,
    code: Code,
    value: PhantomData<T>,
}

impl<'de, T: FromStr> Take<'de> for TakeShort<T> {
    type Out = T;
    const WANTS: Code = Code::TYPE_STRING;

    fn text<E: Error>(self, input: Input<'de, '_>, cx: &mut Cx<'_>) -> Result<Option<T>, E> {
        let text = input.as_str();
        let value = if text.len() <= self.most {
            text.parse().ok()
        } else {
            None
        };
        if value.is_none() {
            cx.fault(self.code);
        }
        Ok(value)
    }
}

macro_rules! short {
    ($($type:ty, $most:literal, $code:expr, $keyword:literal = $value:literal;)*) => {$(
        impl<'de> Validate<'de> for $type {
            fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
                visitor::read(TakeShort { most: $most, code: $code, value: PhantomData }, d, cx)
            }

            fn check(&self, _: &mut Cx<'_>) {}

            fn schema(_: &mut Schemas) -> Schema {
                let mut schema = Schema::of_type("string");
                schema.set($keyword, $value);
                schema
            }
        }
    )*};
}

/// One character, and not a string of one.
const ONE_CHARACTER: Code = Code::new("string_too_long", "must be exactly one character");

short! {
    char, 4, ONE_CHARACTER, "pattern" = "^[\\s\\S]$";
    // The longest spelling: eight groups, the last two written as IPv4.
    IpAddr, 45, Code::IP, "maxLength" = 45_u8;
    Ipv4Addr, 15, Code::IP, "format" = "ipv4";
    Ipv6Addr, 45, Code::IP, "format" = "ipv6";
    // Brackets, a zone of ten digits, a colon and five digits more.
    SocketAddr, 64, Code::IP, "maxLength" = 64_u8;
}
