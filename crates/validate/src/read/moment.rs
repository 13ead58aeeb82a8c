//! Moments and days, and where they lie from the present.

use std::marker::PhantomData;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::de::{Deserializer, Error};

use super::Read;
use crate::input::Input;
use crate::schema::{Schema, Schemas};
use crate::visitor::{self, Take};
use crate::{Code, Cx, Validate, Violation, rule};

/// A type of moments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no moment",
    label = "`past`, `future`, `before`, `after` and `within` are for `jiff::Timestamp` and `jiff::civil::Date`",
    note = "of a text, `datetime` and `date` check the spelling"
)]
pub trait Moment: Copy + PartialOrd + ToString {
    /// What is reported when the text is no such moment.
    const FORM: Code;
    /// The name of the form in JSON Schema.
    const FORMAT: &'static str;

    /// Reads the one spelling of a moment.
    fn parse(text: &str) -> Option<Self>;
    /// The present.
    fn present(now: Timestamp) -> Self;
    /// How far this is from another.
    fn apart(self, other: Self) -> Duration;
}

impl Moment for Timestamp {
    const FORM: Code = Code::DATETIME;
    const FORMAT: &'static str = "date-time";

    fn parse(text: &str) -> Option<Self> {
        // The library reads more than RFC 3339; one spelling is enough.
        (text.len() <= 64 && rule::is_datetime(text.as_bytes())).then(|| text.parse().ok())?
    }

    fn present(now: Timestamp) -> Self {
        now
    }

    fn apart(self, other: Self) -> Duration {
        self.duration_since(other).unsigned_abs()
    }
}

impl Moment for Date {
    const FORM: Code = Code::DATE;
    const FORMAT: &'static str = "date";

    fn parse(text: &str) -> Option<Self> {
        rule::is_date(text.as_bytes()).then(|| text.parse().ok())?
    }

    fn present(now: Timestamp) -> Self {
        Offset::UTC.to_datetime(now).date()
    }

    fn apart(self, other: Self) -> Duration {
        self.duration_since(other).unsigned_abs()
    }
}

/// The moment inside a field's type: `Timestamp` for `Option<Timestamp>`.
pub trait MomentOf {
    /// The type of moments.
    type Moment: Moment;
}

impl<M: Moment> MomentOf for M {
    type Moment = M;
}

impl<T: MomentOf> MomentOf for Option<T> {
    type Moment = T::Moment;
}

/// A side of the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before it.
    Past,
    /// After it.
    Future,
}

/// The permitted moments.
#[derive(Clone, Copy, Debug)]
pub struct Times<M> {
    /// On which side of the present.
    pub side: Option<Side>,
    /// How far from the present at most, on either side.
    pub within: Option<Duration>,
    /// The upper bound, excluded.
    pub before: Option<M>,
    /// The lower bound, excluded.
    pub after: Option<M>,
}

impl<M: Moment> Times<M> {
    /// Asks for the present only where a rule does.
    fn check(&self, value: M, cx: &mut Cx<'_>) {
        match self.side {
            Some(Side::Past) if value >= M::present(cx.now()) => cx.fault(Code::DATE_PAST),
            Some(Side::Future) if value <= M::present(cx.now()) => cx.fault(Code::DATE_FUTURE),
            _ => {}
        }
        if let Some(within) = self.within
            && value.apart(M::present(cx.now())) > within
        {
            cx.report(Violation::new(Code::DATE_WITHIN).param("within", within.as_secs()));
        }
        if let Some(before) = self.before.filter(|before| value >= *before) {
            cx.report(Violation::new(Code::DATE_BEFORE).param("before", before.to_string()));
        }
        if let Some(after) = self.after.filter(|after| value <= *after) {
            cx.report(Violation::new(Code::DATE_AFTER).param("after", after.to_string()));
        }
    }
}

/// What one field says about its moment.
pub trait MomentRules<M: Moment> {
    /// The permitted moments.
    const TIMES: Times<M>;
}

/// A moment by the rules `R`.
#[derive(Debug)]
pub struct When<R>(PhantomData<R>);

/// No rules but the spelling.
struct Any;

impl<M: Moment> MomentRules<M> for Any {
    const TIMES: Times<M> = Times {
        side: None,
        within: None,
        before: None,
        after: None,
    };
}

impl<'de, M: Moment, R: MomentRules<M>> Read<'de, When<R>> for M {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        visitor::read(TakeMoment::<R, M>(PhantomData), d, cx)
    }

    fn check(&self, cx: &mut Cx<'_>) {
        R::TIMES.check(*self, cx);
    }

    fn schema(_: &mut Schemas) -> Schema {
        let mut schema = Schema::of_type("string");
        schema.set("format", M::FORMAT);
        schema
    }
}

struct TakeMoment<R, M>(PhantomData<(R, M)>);

impl<'de, M: Moment, R: MomentRules<M>> Take<'de> for TakeMoment<R, M> {
    type Out = M;
    const WANTS: Code = Code::TYPE_STRING;

    fn text<E: Error>(self, input: Input<'de, '_>, cx: &mut Cx<'_>) -> Result<Option<M>, E> {
        let Some(value) = M::parse(input.as_str()) else {
            cx.fault(M::FORM);
            return Ok(None);
        };
        let before = cx.faults();
        R::TIMES.check(value, cx);
        Ok((cx.faults() == before).then_some(value))
    }
}

macro_rules! own {
    ($($moment:ty),*) => {$(
        impl<'de> Validate<'de> for $moment {
            fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
                <Self as Read<'de, When<Any>>>::read(d, cx)
            }

            fn check(&self, cx: &mut Cx<'_>) {
                <Self as Read<'de, When<Any>>>::check(self, cx);
            }

            fn schema(schemas: &mut Schemas) -> Schema {
                <Self as Read<'de, When<Any>>>::schema(schemas)
            }
        }
    )*};
}
own!(Timestamp, Date);
