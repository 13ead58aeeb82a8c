//! A service that sends signed messages, each twice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use shop::config::DEMO_WEBHOOK_SECRET;
use shop::domain::Component;

use crate::audit::Speaker;
use crate::client::raw::exchange;
use crate::scenario::{Message, SIGNED, Stamp};
use crate::soak::scene::Scene;
use crate::soak::weather::Cause;

/// A payment that hangs in its transaction has the file of the store for itself.
const NEEDS: [Cause; 3] = [
    Cause::Store,
    Cause::Server,
    Cause::Component(Component::Payments),
];

pub(super) async fn delivers(scene: Arc<Scene>) {
    while scene.goes_on() {
        let nonce = format!("soak-{:026x}", u32::from(scene.addresses.take()));
        let message = Message::new(SIGNED, "{}").native(DEMO_WEBHOOK_SECRET, &Stamp::now(nonce));
        let since = Instant::now();
        let first = post(&scene, &message).await;
        let copy = post(&scene, &message).await;
        let is_fair = scene.was_fair(&NEEDS, since);
        if is_fair && (first, copy) != (200, 401) {
            let got = format!("{first}, then {copy}");
            scene
                .diary
                .broke("a message is taken, and its copy is not", got);
        } else if (first, copy) == (200, 200) {
            scene
                .diary
                .broke("no message is taken twice", "200, then 200");
        }
        scene.diary.pause(Duration::from_millis(400)).await;
    }
}

/// The status; zero where there was none.
async fn post(scene: &Scene, message: &Message) -> u16 {
    let (from, to) = (scene.addresses.take(), scene.ground.api());
    let exchanged = exchange(from, to, &message.pieces(), Duration::from_secs(15)).await;
    scene
        .audit
        .note("a signed message", Speaker::Service, &exchanged.answer);
    exchanged.answer.map_or(0, |answer| answer.status)
}
