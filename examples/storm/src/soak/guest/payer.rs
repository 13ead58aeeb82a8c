//! Clients that pay, and come again until they have a receipt.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use shop::domain::Component;

use crate::answer::Answer;
use crate::dice::Dice;
use crate::scenario::{Order, payment};
use crate::soak::scene::Scene;
use crate::soak::weather::Cause;

const NEEDS: [Cause; 2] = [Cause::Component(Component::Payments), Cause::Store];

/// An order that has no receipt by then is stuck: many times the lease, and what a fault may take.
const STUCK: Duration = Duration::from_secs(30);

pub(super) async fn pays(scene: Arc<Scene>, number: usize) {
    let mut dice = Dice::new(scene.options.seed, &format!("soak payer {number}"));
    while scene.goes_on() {
        let order = Order::new();
        scene.books.begun(&order);
        let copies = *dice.one(&[1, 1, 1, 3]);
        join_all((0..copies).map(|_| settle(&scene, &order))).await;
        if dice.below(8) == 0 {
            replay(&scene, &order).await;
        }
        let pause = 100 + u64::try_from(dice.below(200)).unwrap_or_default();
        scene.diary.pause(Duration::from_millis(pause)).await;
    }
}

/// Sends until there is a receipt. Each try comes from another place.
pub(in crate::soak) async fn settle(scene: &Scene, order: &Order) {
    let start = Instant::now();
    let mut last = "no answer".to_owned();
    while start.elapsed() < STUCK && !scene.diary.is_broken() {
        if let Some(answer) = scene.visitor().ask(&payment(order), &NEEDS).await {
            match answer.status {
                201 => return paid(scene, order, &answer),
                409 | 500.. => last = answer.excerpt(),
                _ => {
                    let what = "a payment is told its outcome, or to come again";
                    return scene.diary.broke(what, answer.excerpt());
                }
            }
        }
        scene.diary.pause(AGAIN).await;
    }
    scene.diary.broke(
        format!("a payment has its receipt within {} s", STUCK.as_secs()),
        format!("{}, at last: {last}", order.key),
    );
}

fn paid(scene: &Scene, order: &Order, answer: &Answer) {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match body["payment_id"].as_str() {
        Some(payment) => scene.books.paid(order, payment, &scene.diary),
        None => scene
            .diary
            .broke("a receipt names its payment", answer.excerpt()),
    }
}

/// Asks once more, and is told the same.
async fn replay(scene: &Scene, order: &Order) {
    let since = Instant::now();
    let Some(answer) = scene.visitor().ask(&payment(order), &NEEDS).await else {
        return;
    };
    if answer.status == 201 {
        paid(scene, order, &answer);
    }
    let replayed = answer.header("idempotent-replayed") == Some("true");
    if !(answer.status == 201 && replayed) && scene.was_fair(&NEEDS, since) {
        scene
            .diary
            .broke("a repetition is told that it is one", answer.excerpt());
    }
}

const AGAIN: Duration = Duration::from_millis(100);
