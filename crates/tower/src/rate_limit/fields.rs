//! Writes the headers of a decision, once, however many layers have decided.

use std::sync::Arc;

use http::header::InvalidHeaderValue;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use seawall_ratelimit::headers::{self, Dialects, Value};
use seawall_ratelimit::{Decision, Denied};
use seawall_web::answer;

use crate::ReplyBody;
use crate::known;
use crate::outside::Outside;
use crate::reply::refuse;

/// What is needed to answer, whoever decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    pub(crate) dialects: Dialects,
    pub(crate) nested: Nested,
}

impl Fields {
    /// The answer to a request that is not let in.
    pub(super) fn denial<ReqB, B>(
        self,
        request: &Request<ReqB>,
        denied: Denied,
    ) -> Response<ReplyBody<B>> {
        let mut response = refuse(request, answer::ratelimit::denied(&denied));
        self.finish(&denied.into(), &mut response);
        response
    }

    /// Writes the headers, or hands the decision to the layer outside that will.
    #[inline]
    pub(crate) fn finish<B>(self, decision: &Decision, response: &mut Response<B>) {
        let inner = response.extensions_mut().remove::<Inner>();
        if inner.is_none() && self.nested == Nested::Outermost {
            return self.write(decision, response.headers_mut());
        }
        let merged = match inner.map(|Inner(inner)| Arc::unwrap_or_clone(inner)) {
            Some(inner) => Decision::merge(decision.clone(), inner),
            None => decision.clone(),
        };
        match self.nested {
            Nested::Inside => {
                response.extensions_mut().insert(Inner(Arc::new(merged)));
            }
            Nested::Outermost => self.write(&merged, response.headers_mut()),
        }
    }

    fn write(self, decision: &Decision, fields: &mut HeaderMap) {
        // At once, while there is little in the map to be moved.
        fields.reserve(MOST_FIELDS);
        headers::each(decision, self.dialects, |name, value| {
            let value = match value {
                Value::Number(number) => decimal(number),
                Value::Text(text) => HeaderValue::from_str(text),
                _ => return,
            };
            if let Ok(value) = value {
                // What is not known is checked: the names of dialects are header names.
                let name = known::name(name).unwrap_or_else(|| HeaderName::from_static(name));
                fields.insert(name, value);
            }
        });
    }
}

/// Three of one dialect, two of the other, and the wait or a request's id.
const MOST_FIELDS: usize = 6;

/// A number as a value. Below a thousand, as most limits are, nothing is allocated: the text is part
/// of the program.
#[inline]
fn decimal(number: u64) -> Result<HeaderValue, InvalidHeaderValue> {
    let small = usize::try_from(number).ok().and_then(|at| SMALL.get(at));
    match small {
        Some(text) => Ok(HeaderValue::from_static(text)),
        None => HeaderValue::from_str(itoa::Buffer::new().format(number)),
    }
}

/// The numbers below a thousand.
static SMALL: [&str; 1_000] = {
    let mut all = [""; 1_000];
    let mut number = 0;
    while number < all.len() {
        let leading = match number {
            0..10 => 2,
            10..100 => 1,
            _ => 0,
        };
        let (_, digits) = DIGITS[number].split_at(leading);
        all[number] = match str::from_utf8(digits) {
            Ok(text) => text,
            Err(_) => panic!("digits are text"),
        };
        number += 1;
    }
    all
};

/// The same with leading zeros.
static DIGITS: [[u8; 3]; 1_000] = {
    let mut all = [[b'0'; 3]; 1_000];
    let mut number = 0;
    let (mut hundreds, mut tens, mut ones) = (b'0', b'0', b'0');
    while number < all.len() {
        all[number] = [hundreds, tens, ones];
        number += 1;
        ones += 1;
        if ones > b'9' {
            (ones, tens) = (b'0', tens + 1);
        }
        if tens > b'9' {
            (tens, hundreds) = (b'0', hundreds + 1);
        }
    }
    all
};

/// Whether another rate limit layer stands outside of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nested {
    Inside,
    Outermost,
}

/// What an inner layer decided, on its way to the layer that writes the headers.
#[derive(Clone, Debug)]
struct Inner(Arc<Decision>);

impl Nested {
    /// Told by those that stand outside.
    #[inline]
    pub(crate) fn of(outside: Outside) -> Self {
        if outside.has(Outside::RATE_LIMIT) {
            Self::Inside
        } else {
            Self::Outermost
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_standard_library_does() {
        for number in (0..1_001).chain([u64::MAX]) {
            assert_eq!(decimal(number).unwrap(), number.to_string());
        }
    }
}
