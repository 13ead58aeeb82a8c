//! The second stage: rules that have to ask somebody, once the value is known to be sound.

use std::fmt;

use crate::{Valid, Violation, Violations};

/// Checks that need I/O: is the name taken, does the coupon exist.
///
/// It runs on a [`Valid`] value, so never for input that was refused anyway, and never while
/// parsing: no connection is held for a slow client. The runtime, and the deadline around it, are
/// the caller's.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use std::convert::Infallible;
/// use seawall_validate::{AsyncCheck, Code, Findings, Limits, Valid, Validate, Violation, from_json};
///
/// const TAKEN: Code = Code::new("taken", "is taken already");
///
/// #[derive(Debug, Validate)]
/// struct Signup {
///     #[validate(chars(1..=20), slug)]
///     name: String,
/// }
///
/// struct Users(Vec<&'static str>); // stands for a database
///
/// impl AsyncCheck<Users> for Signup {
///     type Error = Infallible;
///
///     async fn check_async(&self, users: &Users, found: &mut Findings) -> Result<(), Infallible> {
///         if users.0.contains(&self.name.as_str()) {
///             found.report(Violation::new(TAKEN).at_field("name"));
///         }
///         Ok(())
///     }
/// }
///
/// # async fn story() -> Result<(), Box<dyn std::error::Error>> {
/// let signup: Valid<Signup> = from_json(br#"{"name":"alice"}"#, &Limits::API)?;
/// let refused = signup.check_async(&Users(vec!["alice"])).await.unwrap_err();
/// assert_eq!(refused.to_string(), "name: is taken already");
/// # Ok(()) }
/// # }
/// ```
pub trait AsyncCheck<C: ?Sized + Sync>: Sync {
    /// How asking can fail; which is no fault of the client's.
    type Error;

    /// Asks, and reports what is wrong.
    ///
    /// # Errors
    ///
    /// If the answer could not be had.
    fn check_async(
        &self,
        context: &C,
        found: &mut Findings,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What a second stage found, capped.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Violation>,
    truncated: bool,
}

impl Findings {
    /// As many as [`Limits::errors`](crate::Limits::errors) of the default profile.
    const MOST: usize = 32;

    /// Records a violation; the place is said with [`Violation::at_field`].
    pub fn report(&mut self, violation: Violation) {
        if self.list.len() < Self::MOST {
            self.list.push(violation);
        } else {
            self.truncated = true;
        }
    }
}

/// Why the second stage did not let a value pass.
#[derive(Debug)]
#[non_exhaustive]
pub enum LaterError<E> {
    /// The value is not acceptable.
    Refused(Violations),
    /// Nobody could tell.
    Failed(E),
}

impl<E: fmt::Display> fmt::Display for LaterError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(violations) => violations.fmt(f),
            Self::Failed(_) => f.write_str("the input could not be checked"),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for LaterError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(_) => None,
            Self::Failed(error) => Some(error),
        }
    }
}

impl<T> Valid<T> {
    /// Runs the second stage and gives the value back if it passes.
    ///
    /// # Errors
    ///
    /// [`LaterError::Refused`] with what was found, or [`LaterError::Failed`] if nobody could tell.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the value; nothing was recorded anywhere.
    pub async fn check_async<C>(self, context: &C) -> Result<Self, LaterError<T::Error>>
    where
        T: AsyncCheck<C>,
        C: ?Sized + Sync,
    {
        let mut found = Findings::default();
        T::check_async(&self, context, &mut found)
            .await
            .map_err(LaterError::Failed)?;
        if found.list.is_empty() {
            return Ok(self);
        }
        Err(LaterError::Refused(Violations::invalid(
            found.list,
            found.truncated,
        )))
    }
}
