//! Writes the headers of a decision, once, however many middlewares have decided.

use actix_web::HttpResponse;
use actix_web::body::EitherBody;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};
use seawall_ratelimit::headers::{self, Dialects, Value};
use seawall_ratelimit::{Decision, Denied};
use seawall_web::answer;

use crate::outside::Outside;
use crate::reply::refuse;

/// What is needed to answer, whoever decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub(super) dialects: Dialects,
    pub(super) nested: Nested,
}

impl Fields {
    /// The answer to a request that is not let in.
    pub(super) fn denial<B>(
        self,
        request: ServiceRequest,
        denied: Denied,
    ) -> ServiceResponse<EitherBody<B>> {
        let mut response = refuse(request, answer::ratelimit::denied(&denied));
        self.finish(&denied.into(), response.response_mut());
        response
    }

    /// Writes the headers, or hands the decision to the middleware outside that will.
    #[inline]
    pub(super) fn finish<B>(self, decision: &Decision, response: &mut HttpResponse<B>) {
        let inner = response.extensions_mut().remove::<Inner>();
        if inner.is_none() && self.nested == Nested::Outermost {
            return self.write(decision, response.headers_mut());
        }
        let merged = match inner {
            Some(Inner(inner)) => Decision::merge(decision.clone(), inner),
            None => decision.clone(),
        };
        match self.nested {
            Nested::Inside => {
                response.extensions_mut().insert(Inner(merged));
            }
            Nested::Outermost => self.write(&merged, response.headers_mut()),
        }
    }

    fn write(self, decision: &Decision, fields: &mut HeaderMap) {
        headers::each(decision, self.dialects, |name, value| {
            let value = match value {
                Value::Number(number) => decimal(number),
                Value::Text(text) => HeaderValue::from_str(text),
                _ => return,
            };
            if let Ok(value) = value {
                fields.insert(header_name(name), value);
            }
        });
    }
}

/// A number as a value. Below a thousand, as most limits are, nothing is allocated: the text is part
/// of the program.
#[inline]
fn decimal(number: u64) -> Result<HeaderValue, InvalidHeaderValue> {
    let small = usize::try_from(number).ok().and_then(|at| SMALL.get(at));
    match small {
        Some(digits) => {
            let leading = digits[..2].iter().take_while(|digit| **digit == b'0');
            // No text at all would be no number; these are digits.
            let text = str::from_utf8(&digits[leading.count()..]).unwrap_or_default();
            Ok(HeaderValue::from_static(text))
        }
        None => HeaderValue::from_str(itoa::Buffer::new().format(number)),
    }
}

/// The numbers below a thousand, with leading zeros.
static SMALL: [[u8; 3]; 1_000] = {
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

/// The names that the dialects write, checked when this is compiled rather than for each answer.
#[inline]
fn header_name(name: &'static str) -> HeaderName {
    macro_rules! known {
        ($($known:literal)*) => {
            match name {
                $($known => const { HeaderName::from_static($known) },)*
                other => HeaderName::from_static(other),
            }
        };
    }
    known!(
        "x-ratelimit-limit" "x-ratelimit-remaining" "x-ratelimit-reset"
        "ratelimit-policy" "ratelimit" "retry-after"
    )
}

/// Whether another rate limit middleware stands outside of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nested {
    Inside,
    Outermost,
}

/// What an inner middleware decided, on its way to the one that writes the headers.
#[derive(Debug)]
struct Inner(Decision);

impl Nested {
    #[inline]
    pub(super) fn enter(extensions: &mut Extensions) -> Self {
        if Outside::enter(extensions, Outside::RATE_LIMIT).has(Outside::RATE_LIMIT) {
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
