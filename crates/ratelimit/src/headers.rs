//! Decisions as response header fields.

use crate::decision::Decision;
use crate::quota::Quota;
use crate::report::{Report, ceil_seconds};

/// A family of header fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// `X-RateLimit-Limit` (the capacity), `-Remaining`, and `-Reset` (Unix seconds at which all of
    /// the capacity is there again).
    XRateLimit,
    /// `RateLimit-Policy` and `RateLimit` of the IETF draft "`RateLimit` header fields for HTTP",
    /// structured fields of RFC 9651. Its `t` is the time until *more* is there, not all.
    Ietf,
}

/// A set of dialects. Default: all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dialects(u8);

impl Dialects {
    /// No fields but `Retry-After`.
    pub const NONE: Self = Self(0);
    /// Both dialects.
    pub const ALL: Self = Self::NONE.with(Dialect::XRateLimit).with(Dialect::Ietf);

    /// This set and one more dialect.
    #[must_use]
    pub const fn with(self, dialect: Dialect) -> Self {
        Self(self.0 | Self::bit(dialect))
    }

    /// Whether the dialect is in the set.
    #[must_use]
    pub const fn has(self, dialect: Dialect) -> bool {
        self.0 & Self::bit(dialect) != 0
    }

    const fn bit(dialect: Dialect) -> u8 {
        match dialect {
            Dialect::XRateLimit => 1,
            Dialect::Ietf => 2,
        }
    }
}

impl Default for Dialects {
    fn default() -> Self {
        Self::ALL
    }
}

impl From<Dialect> for Dialects {
    fn from(dialect: Dialect) -> Self {
        Self::NONE.with(dialect)
    }
}

/// Writes the fields of `decision`, names in lower case.
///
/// All speak for the [binding](Decision::binding) policy, except that `RateLimit-Policy` lists every
/// policy that applied; shadow policies are not shown. `Retry-After` is written for a denial that
/// waiting helps, whatever the dialects: whole seconds, rounded up, at least 1.
///
/// # Examples
///
/// ```
/// use seawall_ratelimit::{Limiter, MemoryStore, headers, quota};
///
/// let limiter = Limiter::new(MemoryStore::default(), quota!("10/minute"));
/// let decision = limiter.check_local("alice");
///
/// let mut fields = Vec::new();
/// headers::write(&decision, headers::Dialect::Ietf, |name, value| {
///     fields.push(format!("{name}: {value}"));
/// });
/// assert_eq!(fields, [
///     r#"ratelimit-policy: "default";q=10;w=60"#,
///     r#"ratelimit: "default";r=9;t=6"#,
/// ]);
/// ```
pub fn write(
    decision: &Decision,
    dialects: impl Into<Dialects>,
    mut put: impl FnMut(&'static str, &str),
) {
    each(decision, dialects, |name, value| match value {
        Value::Number(number) => put(name, itoa::Buffer::new().format(number)),
        Value::Text(text) => put(name, text),
    });
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// To be written in decimal.
    Number(u64),
    /// To be written as it is: visible ASCII and spaces.
    Text(&'a str),
}

/// What [`write`](fn@write) writes, numbers as numbers: for adapters of frameworks that have their own
/// way to make a header value of one.
#[inline]
pub fn each(
    decision: &Decision,
    dialects: impl Into<Dialects>,
    mut put: impl FnMut(&'static str, Value<'_>),
) {
    let dialects = dialects.into();
    if let Some(report) = decision.binding() {
        if dialects.has(Dialect::XRateLimit) {
            let limit = u64::from(report.quota().burst());
            put("x-ratelimit-limit", Value::Number(limit));
            let remaining = u64::from(report.remaining());
            put("x-ratelimit-remaining", Value::Number(remaining));
            put("x-ratelimit-reset", Value::Number(report.reset_unix()));
        }
        if dialects.has(Dialect::Ietf) {
            let mut text = String::with_capacity(64);
            let shown = decision.reports().iter().filter(|r| !r.is_shadow());
            for report in shown {
                policy_item(&mut text, report);
            }
            put("ratelimit-policy", Value::Text(&text));
            text.clear();
            limit_item(&mut text, report);
            put("ratelimit", Value::Text(&text));
        }
    }
    if let Decision::Deny(denied) = decision
        && let Some(wait) = denied.retry_after()
    {
        put("retry-after", Value::Number(ceil_seconds(wait).max(1)));
    }
}

/// `q` is the quota for the window `w`; `w` is whole seconds, so that a shorter period has none.
fn policy_item(text: &mut String, report: &Report) {
    if !text.is_empty() {
        text.push_str(", ");
    }
    let quota: &Quota = report.quota();
    item(text, report, ";q=", u64::from(quota.limit()));
    let period = quota.period();
    if period.subsec_nanos() == 0 {
        parameter(text, ";w=", period.as_secs());
    }
}

fn limit_item(text: &mut String, report: &Report) {
    item(text, report, ";r=", u64::from(report.remaining()));
    let next = ceil_seconds(report.next());
    if next > 0 {
        parameter(text, ";t=", next);
    }
}

/// A name holds nothing that a string of a structured field would have to escape.
fn item(text: &mut String, report: &Report, name: &str, value: u64) {
    text.push('"');
    text.push_str(report.policy().as_str());
    text.push('"');
    parameter(text, name, value);
}

fn parameter(text: &mut String, name: &str, value: u64) {
    text.push_str(name);
    text.push_str(itoa::Buffer::new().format(value));
}
