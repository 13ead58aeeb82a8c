//! Named limits, and the check that they fit into each other.
//!
//! Timeouts written where they are used drift apart, until some step may take longer than the request
//! it is part of. Named once, they can be checked once.

use std::time::Duration;

use crate::{ConfigError, Limit};

/// A limit with a name, which its [`Elapsed`](crate::Elapsed) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Class {
    name: &'static str,
    limit: Duration,
}

impl Class {
    /// A class of steps that take no longer than `limit`.
    #[must_use]
    pub const fn new(name: &'static str, limit: Duration) -> Self {
        Self { name, limit }
    }

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The limit.
    #[must_use]
    pub const fn limit(self) -> Duration {
        self.limit
    }
}

impl From<Class> for Limit {
    fn from(class: Class) -> Self {
        Self::of_class(class.name, class.limit)
    }
}

/// The limits of a service, by the kind of step.
///
/// What takes longer than the longest of them is not a slow request but a job: answer 202 with the
/// URL of a status resource, and let the client ask there.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_timeout::{Class, Classes, within};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let limits = Classes::builder()
///     .simple_read(Duration::from_secs(2))
///     .class(Class::new("report", Duration::from_secs(20)))
///     .client_timeout(Duration::from_secs(30))
///     .build()?;
///
/// let row = std::future::pending::<()>();
/// let elapsed = within(limits.simple_read(), row).await.unwrap_err();
/// assert_eq!(elapsed.class(), Some("simple_read"));
///
/// // A total that outlives the client's patience is a mistake, and both numbers are named.
/// let error = Classes::builder()
///     .total(Duration::from_secs(60))
///     .client_timeout(Duration::from_secs(30))
///     .build()
///     .unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`total` is 60.0s but must be less than `client_timeout`, which is 30.0s",
/// );
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    simple_read: Duration,
    complex_query: Duration,
    external: Duration,
    total: Duration,
    client_timeout: Option<Duration>,
    others: Vec<Class>,
}

impl Classes {
    /// Starts from the defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Reads one record by its key; 2 s unless set.
    #[must_use]
    pub fn simple_read(&self) -> Class {
        Class::new(SIMPLE_READ, self.simple_read)
    }

    /// Searches, joins, aggregates; 15 s unless set.
    #[must_use]
    pub fn complex_query(&self) -> Class {
        Class::new(COMPLEX_QUERY, self.complex_query)
    }

    /// Calls another service; 10 s unless set.
    #[must_use]
    pub fn external(&self) -> Class {
        Class::new(EXTERNAL, self.external)
    }

    /// The whole request; 25 s unless set.
    #[must_use]
    pub fn total(&self) -> Class {
        Class::new(TOTAL, self.total)
    }

    /// How long clients wait, if that is known.
    #[must_use]
    pub fn client_timeout(&self) -> Option<Duration> {
        self.client_timeout
    }

    /// The class of this name, one of the four or of the user's own.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Class> {
        self.iter().find(|class| class.name == name)
    }

    /// All classes, the four first.
    pub fn iter(&self) -> impl Iterator<Item = Class> {
        [
            self.simple_read(),
            self.complex_query(),
            self.external(),
            self.total(),
        ]
        .into_iter()
        .chain(self.others.iter().copied())
    }
}

impl Default for Classes {
    fn default() -> Self {
        let Builder { classes } = Builder::default();
        classes
    }
}

/// Builds [`Classes`].
#[derive(Clone, Debug)]
#[must_use = "nothing is checked before `build`"]
pub struct Builder {
    classes: Classes,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            classes: Classes {
                simple_read: Duration::from_secs(2),
                complex_query: Duration::from_secs(15),
                external: Duration::from_secs(10),
                total: Duration::from_secs(25),
                client_timeout: None,
                others: Vec::new(),
            },
        }
    }
}

impl Builder {
    /// Reading one record by its key. Default 2 s; 1 to 5 s are usual: a database which needs longer
    /// for that is in trouble, and waiting makes it worse.
    pub fn simple_read(mut self, limit: Duration) -> Self {
        self.classes.simple_read = limit;
        self
    }

    /// Searches, joins, aggregates. Default 15 s; 10 to 30 s are usual.
    pub fn complex_query(mut self, limit: Duration) -> Self {
        self.classes.complex_query = limit;
        self
    }

    /// One call of another service. Default 10 s: long enough for a slow payment provider, and two
    /// attempts still fit into the default total.
    pub fn external(mut self, limit: Duration) -> Self {
        self.classes.external = limit;
        self
    }

    /// The whole request. Default 25 s: below the 30 s after which most gateways give up.
    pub fn total(mut self, limit: Duration) -> Self {
        self.classes.total = limit;
        self
    }

    /// How long the client, or the gateway before the service, waits. Not set by default. When set,
    /// the total has to be less, so that the client gets the answer rather than the silence.
    pub fn client_timeout(mut self, limit: Duration) -> Self {
        self.classes.client_timeout = Some(limit);
        self
    }

    /// One more class of the user's own.
    pub fn class(mut self, class: Class) -> Self {
        self.classes.others.push(class);
        self
    }

    /// Checks that the limits make sense together.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a limit is zero, when the total is not less than the client's timeout,
    /// when a class is longer than the total, which would always end first, or when two classes have
    /// one name.
    pub fn build(self) -> Result<Classes, ConfigError> {
        let classes = self.classes;
        let total = classes.total;
        let client = classes.client_timeout.map(|d| Class::new(CLIENT, d));
        for class in classes.iter().chain(client) {
            if class.limit.is_zero() {
                return Err(ConfigError::zero(class.name));
            }
        }
        if let Some(client) = client.filter(|client| total >= client.limit) {
            return Err(ConfigError::not_less(classes.total(), client));
        }
        for (index, class) in classes.iter().enumerate() {
            if class.limit > total {
                return Err(ConfigError::above(class, classes.total()));
            }
            if classes.iter().take(index).any(|c| c.name == class.name) {
                return Err(ConfigError::twice(class.name));
            }
        }
        Ok(classes)
    }
}

const SIMPLE_READ: &str = "simple_read";
const COMPLEX_QUERY: &str = "complex_query";
const EXTERNAL: &str = "external";
const TOTAL: &str = "total";
const CLIENT: &str = "client_timeout";

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn check(builder: Builder, expected: &str) {
        assert_eq!(builder.build().unwrap_err().to_string(), expected);
    }

    #[test]
    fn the_defaults_fit_into_each_other() {
        assert_eq!(Classes::builder().build(), Ok(Classes::default()));
    }

    #[test]
    fn the_total_has_to_be_less_than_what_the_client_waits() {
        let total = |t| Classes::builder().client_timeout(20 * SECOND).total(t);
        assert!(total(19 * SECOND).build().is_ok());
        check(
            total(20 * SECOND),
            "`total` is 20.0s but must be less than `client_timeout`, which is 20.0s",
        );
    }

    #[test]
    fn no_class_is_longer_than_the_total() {
        let report = |t| Classes::builder().class(Class::new("report", t));
        assert!(report(25 * SECOND).build().is_ok());
        check(
            report(26 * SECOND),
            "`report` is 26.0s but must be at most `total`, which is 25.0s",
        );
    }

    #[test]
    fn no_limit_is_zero() {
        check(
            Classes::builder().external(Duration::ZERO),
            "`external` must be longer than zero",
        );
        check(
            Classes::builder().client_timeout(Duration::ZERO),
            "`client_timeout` must be longer than zero",
        );
    }

    #[test]
    fn classes_are_found_by_name() {
        let report = Class::new("report", 20 * SECOND);
        let classes = Classes::builder().class(report).build().unwrap();
        assert_eq!(classes.get("report"), Some(report));
        assert_eq!(classes.get("external"), Some(classes.external()));
        assert_eq!(classes.get("client_timeout"), None);
        let names: Vec<_> = classes.iter().map(Class::name).collect();
        assert_eq!(
            names,
            [
                "simple_read",
                "complex_query",
                "external",
                "total",
                "report"
            ]
        );
    }

    #[test]
    fn a_name_is_given_once() {
        check(
            Classes::builder().class(Class::new("external", SECOND)),
            "`external` is given twice but must be unique",
        );
    }
}
