//! The business itself: users, search, builds, e-mail, payments and a dashboard.
//!
//! No framework, no Seawall: this is the code that a team has before it thinks about abuse. Each
//! part leans on a [`Component`], which can be told to fail in the ways that real dependencies do;
//! the errors that come out are as talkative as real ones, and carry the texts of [`canary`], so
//! that a test can search answers for them.

pub mod canary;
mod component;
mod dashboard;
mod error;
mod expensive;
mod payments;
mod search;
mod users;
mod webhook;
mod work;

use parking_lot::Mutex;

pub use component::{Component, Components, Fault, Mode, ParseComponentError, Stage};
pub use dashboard::{Notification, Profile, Recommendation};
pub use error::{
    DomainError, IndexUnreachable, ProviderRefused, RelayUnreachable, SegmentUnreadable,
    SessionLookupFailed, StatementFailed,
};
pub use payments::{Charge, NewPayment, Payment};
pub use search::Found;
pub use users::{NewUser, User};
pub use webhook::signature_of;
pub use work::{Build, Email, Sent};

/// The business. One a process, shared by all requests.
#[derive(Debug, Default)]
pub struct Shop {
    components: Components,
    users: Mutex<users::Table>,
    counters: work::Counters,
}

impl Shop {
    /// A shop with three users, all of whose dependencies are well.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The dependencies, to break and to count.
    #[must_use]
    pub const fn components(&self) -> &Components {
        &self.components
    }
}
