//! The same as methods, for those who read from left to right.

use std::future::Future;

use crate::{Deadline, Limit, Scope, Total, Within, scope, total, within};

/// [`within`], [`total`] and [`scope`] as methods of every future.
///
/// ```
/// use std::time::Duration;
/// use seawall_timeout::DeadlineExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let four = async { 2 + 2 }.within(Duration::from_secs(1)).await?;
/// assert_eq!(four, 4);
/// # Ok(()) }
/// ```
pub trait DeadlineExt: Future + Sized {
    /// Runs the future for no longer than `limit`: [`within`].
    fn within(self, limit: impl Into<Limit>) -> Within<Self> {
        within(limit, self)
    }

    /// Runs the future for no longer than `limit` and lets everything inside see it: [`total`].
    fn total(self, limit: impl Into<Limit>) -> Total<Self> {
        total(limit, self)
    }

    /// Lets everything inside the future see `deadline`: [`scope`].
    fn scope(self, deadline: Deadline) -> Scope<Self> {
        scope(deadline, self)
    }
}

impl<F: Future> DeadlineExt for F {}
