//! A seat for metrics and logs: what came of each request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::ApiError;

/// Is told what comes of each request. Every method does nothing by default.
///
/// The calls come inline, on the path of the request: keep them short, and do not panic. What is fit for a label says
/// so; the rest is the caller's text.
pub trait Observer: Send + Sync + 'static {
    /// A request has arrived, and [`ended`](Self::ended) will follow.
    fn arrived(&self) {}

    /// A request was answered: the head is ready, the body may be still to come.
    fn answered(&self, answer: &Answer<'_>) {
        let _ = answer;
    }

    /// A request is over; told once for each that has [`arrived`](Self::arrived).
    fn ended(&self, ending: Ending) {
        let _ = ending;
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn arrived(&self) {
        (**self).arrived();
    }

    fn answered(&self, answer: &Answer<'_>) {
        (**self).answered(answer);
    }

    fn ended(&self, ending: Ending) {
        (**self).ended(ending);
    }
}

impl fmt::Debug for dyn Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dyn Observer")
    }
}

/// What a request was answered, free of any framework.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Answer<'a> {
    /// The method, as the caller wrote it: no label, since it may be any token.
    pub method: &'a str,
    /// The template of the route, where one matched: fit for a label, as a path is not.
    pub route: Option<&'a str>,
    /// The status.
    pub status: u16,
    /// The id of the error's code, unmasked: fit for a label. Nothing where the answer is no error,
    /// or one that was left as it is.
    pub code: Option<&'a str>,
    /// The error, where it is one that arose now. One that is repeated has a code only.
    pub error: Option<&'a ApiError>,
    /// The time from the arrival to this answer.
    pub took: Duration,
}

impl<'a> Answer<'a> {
    /// An answer that is no error, of no route.
    #[must_use]
    pub const fn new(method: &'a str, status: u16, took: Duration) -> Self {
        Self {
            method,
            route: None,
            status,
            code: None,
            error: None,
            took,
        }
    }

    /// Sets the template of the route.
    #[must_use]
    pub fn route(mut self, route: impl Into<Option<&'a str>>) -> Self {
        self.route = route.into();
        self
    }

    /// Sets the code of an error that is repeated.
    #[must_use]
    pub const fn code(mut self, code: &'a str) -> Self {
        self.code = Some(code);
        self
    }

    /// Sets the error, and its code.
    #[must_use]
    pub fn error(mut self, error: &'a ApiError) -> Self {
        self.code = Some(error.code().id());
        self.error = Some(error);
        self
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// It was answered. Whether the caller has read all of it is not known.
    Answered,
    /// It was answered, and the body failed midway.
    Aborted,
    /// It was dropped before there was an answer: its caller left, or the server gave up.
    Unanswered,
}

impl Ending {
    /// The name in lower case, for labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Aborted => "aborted",
            Self::Unanswered => "unanswered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn an_answers_code_is_not_masked() {
        let error = ApiError::new(codes::INTERNAL_ERROR);
        let answer = Answer::new("GET", 500, Duration::ZERO)
            .route("/a")
            .error(&error);
        assert_eq!(
            (answer.code, answer.route),
            (Some("internal_error"), Some("/a"))
        );
        let other = codes::for_status(599);
        let error = ApiError::new(other);
        assert_eq!(error.public_id(), "internal_error");
        let answer = Answer::new("GET", 599, Duration::ZERO).error(&error);
        assert_eq!(answer.code, Some("server_error"));
    }

    #[test]
    fn a_shared_observer_is_told_everything() {
        #[derive(Default)]
        struct Log(std::sync::Mutex<Vec<String>>);
        impl Observer for Log {
            fn arrived(&self) {
                self.0.lock().unwrap().push("arrived".to_owned());
            }
            fn answered(&self, answer: &Answer<'_>) {
                self.0.lock().unwrap().push(answer.status.to_string());
            }
            fn ended(&self, ending: Ending) {
                self.0.lock().unwrap().push(ending.as_str().to_owned());
            }
        }
        let log = Arc::new(Log::default());
        let shared: &dyn Observer = &Arc::clone(&log);
        shared.arrived();
        shared.answered(&Answer::new("GET", 200, Duration::ZERO));
        shared.ended(Ending::Answered);
        assert_eq!(*log.0.lock().unwrap(), ["arrived", "200", "answered"]);
    }
}
