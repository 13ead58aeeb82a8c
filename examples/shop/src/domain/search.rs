//! Search: a handful of products by a part of their name.

use serde::Serialize;

use super::{Component, DomainError, Shop};

/// A product that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The product's number.
    pub id: u32,
    /// The product's name.
    pub title: &'static str,
}

impl Shop {
    /// Finds products whose name contains the query, whatever its case.
    ///
    /// # Errors
    ///
    /// When the index fails.
    pub async fn search(&self, query: &str) -> Result<Vec<Found>, DomainError> {
        self.components.call(Component::Search).await?;
        let wanted = query.to_lowercase();
        Ok((1..)
            .zip(PRODUCTS)
            .filter(|(_, title)| title.to_lowercase().contains(&wanted))
            .map(|(id, title)| Found { id, title })
            .collect())
    }
}

const PRODUCTS: [&str; 8] = [
    "Sea wall, granite",
    "Sea chart, North Atlantic",
    "Storm lantern",
    "Storm jacket",
    "Tide table",
    "Rope, 40 m",
    "Anchor, 12 kg",
    "Lighthouse, used",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn case_does_not_matter() {
        let found = Shop::new().search("SEA").await.unwrap();
        let ids: Vec<u32> = found.iter().map(|product| product.id).collect();
        assert_eq!(ids, [1, 2]);
    }
}
