//! Clients that ask for what there is not, and send what is none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use shop::domain::Component;

use crate::client::raw::exchange;
use crate::scenario::{garbage, sweep, wrong_calls};
use crate::soak::scene::Scene;
use crate::soak::weather::Cause;

const ANYTHING: [Cause; 7] = [
    Cause::Component(Component::ALL[0]),
    Cause::Component(Component::ALL[1]),
    Cause::Component(Component::ALL[2]),
    Cause::Component(Component::ALL[3]),
    Cause::Component(Component::ALL[4]),
    Cause::Component(Component::ALL[5]),
    Cause::Store,
];

/// Every way to ask wrongly, and every route in every method, over and over, from one address a round.
pub(super) async fn asks_wrongly(scene: Arc<Scene>) {
    let calls: Vec<_> = wrong_calls().into_iter().chain(sweep()).collect();
    while scene.goes_on() {
        let mut visitor = scene.visitor();
        for call in &calls {
            if visitor.ask(call, &ANYTHING).await.is_none() {
                visitor = scene.visitor();
            }
            scene.diary.pause(Duration::from_millis(50)).await;
            if !scene.goes_on() {
                return;
            }
        }
    }
}

/// The garbage of the seed, a piece at a time.
pub(super) async fn throws_garbage(scene: Arc<Scene>) {
    let cases = garbage(scene.options.seed);
    for case in cases.iter().cycle() {
        if !scene.goes_on() {
            return;
        }
        let (since, from) = (Instant::now(), scene.addresses.take());
        let to = scene.ground.api();
        let thrown = exchange(from, to, &case.pieces, Duration::from_secs(10)).await;
        scene
            .audit
            .note(&case.label(), case.speaker, &thrown.answer);
        if let Err(got) = case.expect.check(&thrown)
            && scene.was_fair(&ANYTHING, since)
        {
            scene.diary.broke(
                "garbage is refused as its kind asks for",
                format!("{}: {got}", case.label()),
            );
        }
        scene.diary.pause(Duration::from_millis(100)).await;
    }
}
