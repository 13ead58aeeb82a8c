//! Users: created, looked up by number.

use std::collections::VecDeque;

use serde::Serialize;

use super::{Component, DomainError, Shop};

/// A user to be.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Where to write to.
    pub email: String,
    /// What to say.
    pub name: String,
    /// In years, where given.
    pub age: Option<u8>,
}

/// A user as callers see one.
#[derive(Clone, Debug, Serialize)]
pub struct User {
    /// Counts from 1.
    pub id: u64,
    /// Where to write to.
    pub email: String,
    /// What to say.
    pub name: String,
    /// In years, where given.
    pub age: Option<u8>,
}

impl Shop {
    /// Stores a user.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn create_user(&self, new: NewUser) -> Result<User, DomainError> {
        self.components.call(Component::Database).await?;
        Ok(self.users.lock().insert(new))
    }

    /// Looks a user up.
    ///
    /// # Errors
    ///
    /// When there is none of this number, or when the database fails.
    pub async fn user(&self, id: u64) -> Result<User, DomainError> {
        self.components.call(Component::Database).await?;
        self.users.lock().find(id).ok_or(DomainError::NotFound)
    }
}

/// How many users beyond the first three are kept; the oldest go first. A demo needs no more, and a
/// table without a bound would pass for a leak of the service.
const KEPT: usize = 1_000;

/// The table behind the database component.
#[derive(Debug)]
pub(crate) struct Table {
    first: [User; 3],
    recent: VecDeque<User>,
    next_id: u64,
}

impl Default for Table {
    fn default() -> Self {
        let user = |id, name: &str, age| User {
            id,
            email: format!("{}@example.com", name.to_lowercase()),
            name: name.to_owned(),
            age,
        };
        let first = [
            user(1, "Alice", Some(30)),
            user(2, "Bob", None),
            user(3, "Carol", Some(44)),
        ];
        Self {
            first,
            recent: VecDeque::new(),
            next_id: 4,
        }
    }
}

impl Table {
    fn insert(&mut self, new: NewUser) -> User {
        let NewUser { email, name, age } = new;
        let user = User {
            id: self.next_id,
            email,
            name,
            age,
        };
        self.next_id += 1;
        if self.recent.len() == KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(user.clone());
        user
    }

    fn find(&self, id: u64) -> Option<User> {
        self.first
            .iter()
            .chain(&self.recent)
            .find(|user| user.id == id)
            .cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn someone() -> NewUser {
        NewUser {
            email: "d@example.com".to_owned(),
            name: "Dora".to_owned(),
            age: None,
        }
    }

    #[tokio::test]
    async fn a_created_user_can_be_looked_up() {
        let shop = Shop::new();
        let created = shop.create_user(someone()).await.unwrap();
        assert_eq!(shop.user(created.id).await.unwrap().name, "Dora");
        assert!(matches!(
            shop.user(created.id + 1).await,
            Err(DomainError::NotFound)
        ));
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_first_users() {
        let mut table = Table::default();
        for _ in 0..2 * KEPT {
            table.insert(someone());
        }
        assert_eq!(table.recent.len(), KEPT);
        assert!(table.find(1).is_some());
        assert!(table.find(4).is_none());
    }
}
