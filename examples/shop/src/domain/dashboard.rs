//! The three parts of a dashboard, each from a component of its own.

use serde::Serialize;

use super::{Component, DomainError, Shop};

/// Whose dashboard it is.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// The user's number.
    pub id: u64,
    /// The user's name.
    pub name: &'static str,
}

/// Something to tell the user.
#[derive(Clone, Debug, Serialize)]
pub struct Notification {
    /// The notification's number.
    pub id: u32,
    /// What it says.
    pub text: &'static str,
}

/// Something to sell to the user.
#[derive(Clone, Debug, Serialize)]
pub struct Recommendation {
    /// The product's number.
    pub id: u32,
    /// The product's name.
    pub title: &'static str,
}

impl Shop {
    /// Whose dashboard it is.
    ///
    /// # Errors
    ///
    /// When the session store fails.
    pub async fn profile(&self) -> Result<Profile, DomainError> {
        self.components.call(Component::User).await?;
        Ok(Profile {
            id: 1,
            name: "Alice",
        })
    }

    /// What to tell the user.
    ///
    /// # Errors
    ///
    /// When the feed fails.
    pub async fn notifications(&self) -> Result<Vec<Notification>, DomainError> {
        self.components.call(Component::Notifications).await?;
        Ok(vec![Notification {
            id: 1,
            text: "Your lantern has been shipped",
        }])
    }

    /// What to sell to the user.
    ///
    /// # Errors
    ///
    /// When the engine fails.
    pub async fn recommendations(&self) -> Result<Vec<Recommendation>, DomainError> {
        self.components.call(Component::Recommendations).await?;
        Ok(vec![Recommendation {
            id: 4,
            title: "Storm jacket",
        }])
    }
}
