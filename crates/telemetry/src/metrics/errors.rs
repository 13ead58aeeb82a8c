//! Requests: how many, how they were answered, and what was wrong with those refused.

use ::metrics::Histogram;
use seawall_errors::{Answer, Ending, Observer, codes};

use super::count::{Count, Level};
use super::family::{Family, Target};
use super::{Metric, Metrics};

pub(super) static ALL: &[Metric] = &[
    Metric::counter(
        "seawall_http_requests_total",
        &["method", "route", "status"],
        "Requests answered, by route template and class of status: 2xx, 4xx",
    ),
    Metric::seconds(
        "seawall_http_request_seconds",
        &["method", "route"],
        "The time from a request's arrival to the head of its answer",
    ),
    Metric::gauge(
        "seawall_http_requests_in_flight",
        &[],
        "Requests whose answer, or its body, is still to come",
    ),
    Metric::counter(
        "seawall_http_endings_total",
        &["ending"],
        "Requests that are over: answered, aborted midway, or unanswered since the caller left",
    ),
    Metric::counter(
        "seawall_errors_answers_total",
        &["route", "code"],
        "Errors answered, by the id of their code, unmasked",
    ),
    Metric::counter(
        "seawall_validate_violations_total",
        &["code"],
        "Violations in the details of validation errors, by their code",
    ),
];

pub(super) struct Families {
    requests: Family<Count, 3>,
    seconds: Family<Histogram, 2>,
    in_flight: Family<Level, 0>,
    endings: Family<Count, 1>,
    answers: Family<Count, 2>,
    violations: Family<Count, 1>,
}

impl Families {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            requests: Family::new(&ALL[0], target),
            seconds: Family::new(&ALL[1], target),
            in_flight: Family::new(&ALL[2], target),
            endings: Family::new(&ALL[3], target),
            answers: Family::new(&ALL[4], target),
            violations: Family::new(&ALL[5], target),
        }
    }
}

impl Observer for Metrics {
    fn arrived(&self) {
        self.inner.errors.in_flight.of([]).up();
    }

    fn answered(&self, answer: &Answer<'_>) {
        let families = &self.inner.errors;
        let method = known_method(answer.method);
        let route = answer.route.unwrap_or(UNMATCHED);
        let labels = [method, route, class(answer.status)];
        families.requests.of(labels).increment(1);
        let seconds = families.seconds.of([method, route]);
        seconds.record(answer.took.as_secs_f64());
        if let Some(code) = answer.code {
            families.answers.of([route, code]).increment(1);
        }
        let Some(error) = answer.error else { return };
        if error.code() == codes::VALIDATION_ERROR {
            for detail in error.public_details() {
                families.violations.of([detail.code()]).increment(1);
            }
        }
        #[cfg(feature = "timeout")]
        self.inner.timeout.answered(route, error);
    }

    fn ended(&self, ending: Ending) {
        let families = &self.inner.errors;
        families.in_flight.of([]).down();
        families.endings.of([ending.as_str()]).increment(1);
    }
}

/// The route of requests that match none: their paths are the callers' text.
pub(crate) const UNMATCHED: &str = "unmatched";

/// A method may be any token, so those that nobody has heard of are one.
pub(crate) fn known_method(method: &str) -> &'static str {
    match method {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "CONNECT" => "CONNECT",
        "TRACE" => "TRACE",
        _ => super::family::OTHER,
    }
}

const fn class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
