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
/// headers::write(&decision, headers::Dialect::Ietf, &mut |name, value| {
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
    put: &mut dyn FnMut(&'static str, &str),
) {
    let dialects = dialects.into();
    let mut text = String::with_capacity(64);
    if let Some(report) = decision.binding() {
        if dialects.has(Dialect::XRateLimit) {
            number(
                &mut text,
                u64::from(report.quota().burst()),
                "x-ratelimit-limit",
                put,
            );
            number(
                &mut text,
                u64::from(report.remaining()),
                "x-ratelimit-remaining",
                put,
            );
            number(&mut text, report.reset_unix(), "x-ratelimit-reset", put);
        }
        if dialects.has(Dialect::Ietf) {
            text.clear();
            for report in decision
                .reports()
                .iter()
                .filter(|report| !report.is_shadow())
            {
                policy_item(&mut text, report);
            }
            put("ratelimit-policy", &text);
            text.clear();
            limit_item(&mut text, report);
            put("ratelimit", &text);
        }
    }
    if let Decision::Deny(denied) = decision
        && let Some(wait) = denied.retry_after()
    {
        number(&mut text, ceil_seconds(wait).max(1), "retry-after", put);
    }
}

fn number(
    text: &mut String,
    value: u64,
    name: &'static str,
    put: &mut dyn FnMut(&'static str, &str),
) {
    text.clear();
    decimal(text, value);
    put(name, text);
}

/// Appends the digits: a third of what the formatting of the standard library takes, on every answer.
fn decimal(text: &mut String, mut value: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        // The remainder is one digit.
        digits[first] = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    text.extend(digits[first..].iter().map(|digit| char::from(*digit)));
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
    decimal(text, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_standard_library_does() {
        for value in [0, 1, 9, 10, 99, 100, 1_234_567_890, u64::MAX] {
            let mut text = String::from("x");
            decimal(&mut text, value);
            assert_eq!(text, format!("x{value}"));
        }
    }
}
