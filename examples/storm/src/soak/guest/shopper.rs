//! Clients that ask for nothing unusual.

use std::sync::Arc;
use std::time::Duration;

use shop::domain::Component;

use crate::client::Call;
use crate::dice::Dice;
use crate::soak::scene::Scene;
use crate::soak::weather::Cause;

/// Requests on one connection.
const VISIT: usize = 20;

pub(super) async fn looks_around(scene: Arc<Scene>, number: usize) {
    let mut dice = Dice::new(scene.options.seed, &format!("soak shopper {number}"));
    while scene.goes_on() {
        let mut visitor = scene.visitor();
        for _ in 0..VISIT {
            let (call, needs) = wish(&mut dice);
            // Whoever gets no answer comes again, on another connection.
            if visitor.is_served(&call, &needs).await.is_none() || !scene.goes_on() {
                break;
            }
            scene.diary.pause(Duration::from_millis(30)).await;
        }
    }
}

/// Something to ask for, and what it needs.
fn wish(dice: &mut Dice) -> (Call, Vec<Cause>) {
    let needs =
        |components: &[Component]| components.iter().copied().map(Cause::Component).collect();
    match dice.below(6) {
        0 | 1 => (Call::get("/api/users/1"), needs(&[Component::Database])),
        2 => (Call::get("/api/search?q=sea"), needs(&[Component::Search])),
        3 => (Call::get("/api/dashboard"), needs(&PAGE)),
        4 => (
            Call::post("/api/users").json(r#"{"email":"ann@example.com","name":"Ann","age":41}"#),
            needs(&[Component::Database]),
        ),
        _ => (Call::get("/openapi.json"), Vec::new()),
    }
}

const PAGE: [Component; 3] = [
    Component::User,
    Component::Notifications,
    Component::Recommendations,
];
