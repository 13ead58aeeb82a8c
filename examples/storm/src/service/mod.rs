//! The two shops under attack, each a child process.

mod admin;
mod child;
mod health;
mod memory;
mod private;

use std::fmt;

pub(crate) use child::Service;
pub(crate) use health::Mending;
pub(crate) use memory::{allocated, resident};
pub(crate) use private::Private;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Bare,
    Hardened,
}

impl Side {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Hardened => "hardened",
        }
    }
}

/// What a hardened shop is built on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Framework {
    #[default]
    Axum,
    Actix,
}

impl Framework {
    pub(crate) const ALL: [Self; 2] = [Self::Axum, Self::Actix];

    /// As the command line and the JSON name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Actix => "actix",
        }
    }
}

/// Why storm could not go on. Says nothing about the services: a broken promise is a result.
#[derive(Debug)]
pub(crate) struct Trouble(String);

impl Trouble {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
