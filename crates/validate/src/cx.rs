//! The state of one reading: where we are, what it has cost, what was wrong.

use std::any::Any;
use std::fmt;

use serde::de::Error;

use crate::path::{Stack, Step};
use crate::violations::Kind;
use crate::{Code, Limits, Violation, Violations};

/// How scalar values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// With types of their own, as in JSON: `"30"` is not a number.
    Typed,
    /// As text, as in a query: `30` and `true` are read out of it.
    Text,
}

/// What becomes of keys that nobody declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// As the type says, which is to refuse them unless it says otherwise.
    AsDeclared,
    /// Passed over, as among headers, of which a client sends many.
    Ignore,
}

/// Carries one reading: the limits, the place, and the violations so far.
///
/// Rules that are written by hand get it to look at the caller's context
/// ([`context`](Self::context)) or to report more than one violation ([`report`](Self::report)).
pub struct Cx<'c> {
    limits: &'c Limits,
    context: Option<&'c (dyn Any + Send + Sync)>,
    #[cfg(feature = "jiff")]
    now: std::sync::OnceLock<jiff::Timestamp>,
    stack: Stack,
    found: Vec<Violation>,
    depth: usize,
    nodes: usize,
    halted: bool,
    truncated: bool,
    pub(crate) mode: Mode,
    pub(crate) unknown: Unknown,
    pub(crate) duplicates_allowed: bool,
}

impl<'c> Cx<'c> {
    pub(crate) fn new(limits: &'c Limits, mode: Mode) -> Self {
        Self {
            limits,
            context: None,
            #[cfg(feature = "jiff")]
            now: std::sync::OnceLock::new(),
            stack: Stack::new(),
            found: Vec::new(),
            depth: 0,
            nodes: 0,
            halted: false,
            truncated: false,
            mode,
            unknown: Unknown::AsDeclared,
            duplicates_allowed: false,
        }
    }

    pub(crate) fn with_context(mut self, context: Option<&'c (dyn Any + Send + Sync)>) -> Self {
        self.context = context;
        self
    }

    #[cfg(feature = "jiff")]
    pub(crate) fn with_now(mut self, now: Option<jiff::Timestamp>) -> Self {
        self.now = now.map(Into::into).unwrap_or_default();
        self
    }

    /// The present: that of [`Parser::at`](crate::Parser::at), or else of the operating system. It
    /// is one moment for all of a reading.
    #[cfg(feature = "jiff")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jiff")))]
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        *self.now.get_or_init(crate::clock::now)
    }

    /// The limits of this reading.
    #[must_use]
    pub const fn limits(&self) -> &'c Limits {
        self.limits
    }

    /// What the caller passed along with the input, if it is of this type.
    #[must_use]
    pub fn context<C: Any>(&self) -> Option<&'c C> {
        self.context.and_then(|context| context.downcast_ref())
    }

    /// Records a violation at the current place.
    pub fn report(&mut self, violation: Violation) {
        if self.found.len() >= self.limits.errors.max(1) {
            self.truncated = true;
            self.halted = true;
            return;
        }
        self.found.push(violation.under(self.stack.to_path()));
    }

    /// Records a violation that has no parameters.
    pub fn fault(&mut self, code: Code) {
        self.report(Violation::new(code));
    }

    /// How many violations there are so far; compare before and after to see whether a part is
    /// sound.
    #[must_use]
    pub const fn faults(&self) -> usize {
        self.found.len()
    }

    /// Runs `read` one step further in.
    pub(crate) fn step<T>(&mut self, step: Step, read: impl FnOnce(&mut Self) -> T) -> T {
        self.stack.push(step);
        let out = read(self);
        self.stack.pop();
        out
    }

    /// Runs `read` for the value of a map, whose key is put into the violations found there.
    pub(crate) fn entry<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let (at, from) = (self.stack.len(), self.found.len());
        let out = self.step(Step::Entry, read);
        for violation in self.found.iter_mut().skip(from) {
            violation.path_mut().name_entry(at, key);
        }
        out
    }

    /// Records that the value here is null and must not be.
    pub(crate) fn fault_null(&mut self, wanted: Code) {
        let field = matches!(self.stack.last(), Some(Step::Field(_)));
        self.fault(if field { Code::REQUIRED } else { wanted });
    }

    /// Counts one value, and ends the reading if that was one too many.
    pub(crate) fn count<E: Error>(&mut self) -> Result<(), E> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(self.halt(Code::TOO_MANY_VALUES, self.limits.nodes));
        }
        self.go_on()
    }

    /// Goes one level down, and ends the reading if that is too deep.
    pub(crate) fn enter<E: Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        if self.depth > self.limits.max_depth() {
            return Err(self.halt(Code::TOO_DEEP, self.limits.max_depth()));
        }
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Records a violation after which there is no going on.
    pub(crate) fn halt<E: Error>(&mut self, code: Code, max: usize) -> E {
        self.report(Violation::new(code).param("max", max));
        self.halted = true;
        stop()
    }

    /// Ends the reading once there are too many violations.
    pub(crate) fn go_on<E: Error>(&self) -> Result<(), E> {
        if self.halted { Err(stop()) } else { Ok(()) }
    }

    /// Whether the reading ended by our own will and not for a fault of the format.
    pub(crate) const fn halted(&self) -> bool {
        self.halted
    }

    /// The value, if nothing was wrong.
    pub(crate) fn conclude<T>(self, value: Option<T>) -> Result<T, Violations> {
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            None if self.found.is_empty() => {
                // A hand-written `Validate` that refuses without saying why.
                Err(Violations::of(Kind::Invalid, Violation::new(Code::CHECK)))
            }
            _ => Err(Violations::invalid(self.found, self.truncated)),
        }
    }
}

/// The error that unwinds the deserializer; nobody ever sees it.
fn stop<E: Error>() -> E {
    E::custom("reading stopped")
}

impl fmt::Debug for Cx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx")
            .field("at", &self.stack.to_path().dotted())
            .field("found", &self.found)
            .field("depth", &self.depth)
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}
