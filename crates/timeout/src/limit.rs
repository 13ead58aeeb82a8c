//! How long a step may take: a span, a deadline, or both, and what the surrounding deadline leaves.

use std::time::{Duration, Instant};

use crate::{Cause, Deadline, Elapsed};

/// What bounds a step: a span of time from its start, a [`Deadline`], or the earlier of the two.
///
/// Made by `into()` from a [`Duration`], a [`Deadline`] or a [`Class`](crate::Class). Whatever it
/// says, the deadline of the surrounding [`scope`](crate::scope) holds as well.
///
/// ```
/// use std::time::Duration;
/// use seawall_timeout::{Deadline, Limit};
///
/// let request = Deadline::after(Duration::from_secs(5));
/// let both = Limit::from(Duration::from_secs(2)).and(request);
/// assert_eq!(both.span(), Some(Duration::from_secs(2)));
/// assert_eq!(both.deadline(), Some(request));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    span: Option<Duration>,
    by: Option<Deadline>,
    class: Option<&'static str>,
}

impl Limit {
    /// This limit and `deadline`, whichever comes first.
    #[must_use]
    pub fn and(self, deadline: Deadline) -> Self {
        Self {
            by: Some(self.by.map_or(deadline, |by| by.min(deadline))),
            ..self
        }
    }

    /// The span from the start of the step, if one is set.
    #[must_use]
    pub fn span(self) -> Option<Duration> {
        self.span
    }

    /// The deadline, if one is set.
    #[must_use]
    pub fn deadline(self) -> Option<Deadline> {
        self.by
    }

    pub(crate) fn of_class(name: &'static str, span: Duration) -> Self {
        Self {
            class: Some(name),
            ..Self::from(span)
        }
    }

    /// Whether the end can be known without the clock: there is none but a span, and it is not empty.
    #[inline]
    pub(crate) fn is_open_ended(&self) -> bool {
        self.by.is_none() && self.span.is_none_or(|span| !span.is_zero())
    }

    /// Where a step ends which starts at `start` under the surrounding deadline.
    #[inline]
    pub(crate) fn ends(self, start: Instant, surrounding: Option<Deadline>, own: Cause) -> End {
        let mut end = match (self.span, self.by) {
            (Some(span), _) => End {
                deadline: Deadline::starting(start, span),
                cause: own,
                class: self.class,
            },
            (None, Some(by)) => End::of(by, own),
            (None, None) => unreachable!("a limit has a span or a deadline"),
        };
        // On a tie the first is named: the step's own limit, which its author chose.
        if let Some(by) = self.by {
            end = end.earlier(by, own);
        }
        if let Some(surrounding) = surrounding {
            end = end.earlier(surrounding, Cause::Inherited);
        }
        end
    }
}

impl From<Duration> for Limit {
    #[inline]
    fn from(span: Duration) -> Self {
        Self {
            span: Some(span),
            by: None,
            class: None,
        }
    }
}

impl From<Deadline> for Limit {
    #[inline]
    fn from(deadline: Deadline) -> Self {
        Self {
            span: None,
            by: Some(deadline),
            class: None,
        }
    }
}

/// The end of a step which has started, and the reason why it is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) deadline: Deadline,
    cause: Cause,
    class: Option<&'static str>,
}

impl End {
    fn of(deadline: Deadline, cause: Cause) -> Self {
        Self {
            deadline,
            cause,
            class: None,
        }
    }

    #[inline]
    fn earlier(self, deadline: Deadline, cause: Cause) -> Self {
        if deadline.instant() < self.deadline.instant() {
            Self::of(deadline, cause)
        } else {
            self
        }
    }

    pub(crate) fn elapsed(self, ran: bool) -> Elapsed {
        Elapsed::new(self.deadline.limit(), self.cause, self.class, ran)
    }
}
