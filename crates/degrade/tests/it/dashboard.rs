//! The dashboard of the article, byte for byte.

use seawall_degrade::{Degrade, Partial, Unavailable, optional, or_else};
use serde::Serialize;

#[derive(Serialize)]
struct Dashboard {
    user: Option<User>,
    notifications: Vec<&'static str>,
    recommendations: Vec<u32>,
}

#[derive(Clone, Serialize)]
struct User {
    id: u32,
    name: &'static str,
}

async fn dashboard(user: bool, notifications: bool, recommendations: bool) -> String {
    let parts = (
        optional("user", fetch(user, User { id: 7, name: "Ada" })),
        or_else(
            "notifications",
            fetch(notifications, vec!["hello"]),
            Vec::new(),
        ),
        or_else(
            "recommendations",
            fetch(recommendations, vec![1, 2]),
            Vec::new(),
        ),
    );
    let joined: Result<Partial<_>, Unavailable> = Degrade::new().join(parts).await;
    let page = joined
        .unwrap()
        .map(|(user, notifications, recommendations)| Dashboard {
            user,
            notifications,
            recommendations,
        });
    serde_json::to_string(&page).unwrap()
}

async fn fetch<T>(up: bool, value: T) -> Result<T, &'static str> {
    tokio::task::yield_now().await;
    if up {
        Ok(value)
    } else {
        Err("connection refused: 10.0.0.7:5432")
    }
}

#[tokio::test]
async fn everything_is_up() {
    assert_eq!(
        dashboard(true, true, true).await,
        r#"{"data":{"user":{"id":7,"name":"Ada"},"notifications":["hello"],"recommendations":[1,2]},"partial":false,"errors":[]}"#,
    );
}

#[tokio::test]
async fn notifications_are_down() {
    assert_eq!(
        dashboard(true, false, true).await,
        r#"{"data":{"user":{"id":7,"name":"Ada"},"notifications":[],"recommendations":[1,2]},"partial":true,"errors":[{"component":"notifications","error":"unavailable"}]}"#,
    );
}

#[tokio::test]
async fn everything_is_down() {
    assert_eq!(
        dashboard(false, false, false).await,
        r#"{"data":{"user":null,"notifications":[],"recommendations":[]},"partial":true,"errors":[{"component":"user","error":"unavailable"},{"component":"notifications","error":"unavailable"},{"component":"recommendations","error":"unavailable"}]}"#,
    );
}
