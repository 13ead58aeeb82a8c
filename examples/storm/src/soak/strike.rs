//! Carries out the plan.

use std::sync::Arc;

use futures::future::try_join_all;
use shop::domain::Component;

use super::guest::misconduct;
use super::plan::{Fault, What, plan};
use super::scene::Scene;
use super::weather::Cause;
use crate::service::Trouble;

/// All tracks of the plan, until the last fault is over or a promise broken.
pub(super) async fn all(scene: &Arc<Scene>) -> Result<(), Trouble> {
    let options = &scene.options;
    let tracks = plan(options.seed, options.length, &scene.ground.means());
    try_join_all(
        tracks
            .into_iter()
            .map(|track| one_after_the_other(scene, track)),
    )
    .await?;
    Ok(())
}

async fn one_after_the_other(scene: &Arc<Scene>, track: Vec<Fault>) -> Result<(), Trouble> {
    for fault in track {
        let until = fault.at.saturating_sub(scene.diary.age());
        scene.diary.pause(until).await;
        if !scene.goes_on() {
            return Ok(());
        }
        scene
            .diary
            .fault(kind(fault.what), &fault.what, fault.lasts);
        strike(scene, fault).await?;
    }
    Ok(())
}

const fn kind(what: What) -> &'static str {
    match what {
        What::Component(..) => "of dependencies",
        What::Store(_) => "of the store",
        What::Kill => "kills",
        What::Reload { .. } => "reloads",
        What::Clients(_) => "of clients",
    }
}

async fn strike(scene: &Arc<Scene>, fault: Fault) -> Result<(), Trouble> {
    let (ground, weather) = (&scene.ground, &scene.weather);
    match fault.what {
        What::Component(component, mode, stage) => {
            let cause = Cause::Component(component);
            weather.begins(cause);
            ground.set(component, mode, stage).await?;
            scene.diary.pause(fault.lasts).await;
            mended(scene, component).await?;
            weather.ends(cause);
        }
        What::Store(how) => {
            weather.begins(Cause::Store);
            ground.lose_store(how, fault.lasts).await?;
            weather.ends(Cause::Store);
        }
        What::Kill => {
            weather.begins(Cause::Server);
            ground.kill().await?;
            weather.ends(Cause::Server);
        }
        What::Reload { good } => {
            weather.begins(Cause::Reload);
            ground.reload(good).await?;
            weather.ends(Cause::Reload);
        }
        What::Clients(how) => misconduct::play(scene, how, fault.lasts).await,
    }
    Ok(())
}

async fn mended(scene: &Scene, component: Component) -> Result<(), Trouble> {
    scene.ground.set(component, "ok", "asked").await
}
