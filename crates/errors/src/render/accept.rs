//! Which body an `Accept` header asks for (RFC 9110, sections 12.4.2 and 12.5.1).

use super::Format;

/// Chooses between the two formats; see [`FormatPolicy::Negotiate`](super::FormatPolicy) for the
/// rule. Whatever the header holds, there is an answer.
pub(super) fn choose(accept: &[u8], default: Format) -> Format {
    let weights = Weights::of(accept);
    let (json, problem) = (
        weights.effective(weights.json),
        weights.effective(weights.problem),
    );
    let names_problem = weights.problem.is_some_and(|weight| weight > 0);
    let names_json = weights.json.is_some_and(|weight| weight > 0);
    match default {
        Format::Simple if names_problem && problem >= json => Format::Problem,
        Format::Simple if weights.json == Some(0) && problem > 0 => Format::Problem,
        Format::Problem if names_json && json > problem => Format::Simple,
        Format::Problem if weights.problem == Some(0) && json > 0 => Format::Simple,
        default => default,
    }
}

/// The weights, in thousandths, of the ranges that concern us.
#[derive(Default)]
struct Weights {
    json: Option<u16>,
    problem: Option<u16>,
    application: Option<u16>,
    anything: Option<u16>,
}

impl Weights {
    fn of(accept: &[u8]) -> Self {
        let mut weights = Self::default();
        for range in pieces(accept, b',') {
            let mut parts = pieces(range, b';').map(<[u8]>::trim_ascii);
            let Some(slot) = parts.next().and_then(|name| weights.slot(name)) else {
                continue;
            };
            if let Some(weight) = weight(parts) {
                // Of a range given twice, perhaps with different parameters, the better one counts,
                // so that order does not.
                *slot = Some(slot.map_or(weight, |known| known.max(weight)));
            }
        }
        weights
    }

    fn slot(&mut self, name: &[u8]) -> Option<&mut Option<u16>> {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        if is(b"application/json") {
            Some(&mut self.json)
        } else if is(b"application/problem+json") {
            Some(&mut self.problem)
        } else if is(b"application/*") {
            Some(&mut self.application)
        } else if is(b"*/*") {
            Some(&mut self.anything)
        } else {
            None
        }
    }

    /// The most specific range that covers a type decides its weight.
    fn effective(&self, exact: Option<u16>) -> u16 {
        exact.or(self.application).or(self.anything).unwrap_or(0)
    }
}

/// The weight among a range's parameters, 1 where none is given; `None` when it is broken.
///
/// Other parameters are passed over: `application/json;charset=utf-8` means JSON.
fn weight<'a>(parameters: impl Iterator<Item = &'a [u8]>) -> Option<u16> {
    for parameter in parameters {
        let name = parameter.split(|&b| b == b'=').next().unwrap_or_default();
        if name.trim_ascii().eq_ignore_ascii_case(b"q") {
            // Where a blank stands before the `=`, the `=` itself is read, and is no weight.
            return parameter.get(2..).and_then(thousandths);
        }
        if !is_closed(parameter) {
            // A quotation without an end has swallowed what follows.
            return None;
        }
    }
    Some(1000)
}

/// Reads a `qvalue`: `0` or `1`, with at most three decimals, none of which may exceed 1.
fn thousandths(value: &[u8]) -> Option<u16> {
    let (whole, decimals) = match value {
        [whole] | [whole, b'.'] => (whole, &b""[..]),
        [whole, b'.', decimals @ ..] => (whole, decimals),
        _ => return None,
    };
    if decimals.len() > 3 || !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let fraction = decimals
        .iter()
        .chain(b"000")
        .take(3)
        .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match whole {
        b'0' => Some(fraction),
        b'1' if fraction == 0 => Some(1000),
        _ => None,
    }
}

/// Splits at a separator that stands outside of quotations.
fn pieces(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut quotes = Quotes::default();
    text.split(move |&byte| !quotes.cover(byte) && byte == separator)
}

/// Whether every quotation ends.
fn is_closed(text: &[u8]) -> bool {
    let mut quotes = Quotes::default();
    for &byte in text {
        quotes.cover(byte);
    }
    !quotes.open
}

/// Follows quoted strings (RFC 9110, section 5.6.4) byte by byte.
#[derive(Default)]
struct Quotes {
    open: bool,
    escaping: bool,
}

impl Quotes {
    /// Takes the next byte, and tells whether it belongs to a quotation.
    fn cover(&mut self, byte: u8) -> bool {
        let was_open = self.open;
        let escaped = std::mem::replace(&mut self.escaping, was_open && byte == b'\\');
        if escaped {
            self.escaping = false;
        } else if byte == b'"' {
            self.open = !was_open;
        }
        was_open
    }
}
