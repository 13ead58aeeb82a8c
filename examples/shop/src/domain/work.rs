//! Work that is only counted: e-mails and builds.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::Serialize;

use super::{Component, DomainError, Shop};

/// An e-mail to send.
#[derive(Clone, Debug)]
pub struct Email {
    /// Who gets it.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub body: String,
}

/// The receipt of an e-mail.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// Names the message.
    pub message_id: String,
}

/// A build that has been started.
#[derive(Clone, Debug, Serialize)]
pub struct Build {
    /// Names the build.
    pub build_id: String,
}

/// Gives each piece of work its number.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    emails: AtomicU64,
    builds: AtomicU64,
}

impl Shop {
    /// Hands an e-mail of a user to the relay.
    ///
    /// # Errors
    ///
    /// When the relay fails.
    pub async fn send_email(&self, user: &str, email: Email) -> Result<Sent, DomainError> {
        self.components.call(Component::Notifications).await?;
        let number = self.counters.emails.fetch_add(1, Relaxed) + 1;
        tracing::debug!(
            user,
            bytes = email.subject.len() + email.body.len(),
            "e-mail sent"
        );
        Ok(Sent {
            message_id: format!("msg_{number}"),
        })
    }

    /// Starts a build of a project, of its main branch where no other is named.
    #[must_use]
    pub fn start_build(&self, project: &str, branch: Option<&str>) -> Build {
        let number = self.counters.builds.fetch_add(1, Relaxed) + 1;
        tracing::debug!(project, branch = branch.unwrap_or("main"), "build started");
        Build {
            build_id: format!("bld_{number}"),
        }
    }
}
