//! A load balancer: asks the probes, each time on a fresh connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::Call;
use crate::soak::scene::Scene;

/// The longest that `/livez` may take on a machine that everything else runs on as well.
const WITHIN: Duration = Duration::from_secs(2);

/// `/livez` says yes, whatever the shop depends on.
pub(super) async fn is_it_alive(scene: Arc<Scene>) {
    while scene.goes_on() {
        let since = Instant::now();
        let answer = scene.visitor().ask(&Call::get("/livez"), &[]).await;
        if let Some(answer) = answer {
            let is_well = answer.status == 200 && answer.elapsed < WITHIN;
            if !is_well && scene.was_fair(&[], since) {
                let what = format!("/livez says 200 within {} s", WITHIN.as_secs());
                let took = answer.elapsed.as_millis();
                scene
                    .diary
                    .broke(what, format!("{} after {took} ms", answer.status));
            }
        }
        scene.diary.pause(Duration::from_millis(200)).await;
    }
}

/// `/readyz` says yes or no, and nothing else.
pub(super) async fn is_it_ready(scene: Arc<Scene>) {
    while scene.goes_on() {
        let answer = scene.visitor().ask(&Call::get("/readyz"), &[]).await;
        if let Some(answer) = answer.filter(|answer| !matches!(answer.status, 200 | 503)) {
            scene
                .diary
                .broke("/readyz says 200 or 503", answer.excerpt());
        }
        scene.diary.pause(Duration::from_secs(1)).await;
    }
}
