//! `storm soak`: mixed traffic at one shop, and faults at random, for as long as you like. What is
//! promised under one attack is to hold under all of them at once, and after hours.

mod books;
mod cli;
mod diary;
mod ground;
mod guest;
mod memory;
mod plan;
mod scene;
mod settings;
mod strike;
mod watch;
mod weather;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use shop::store::Location;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::run::interrupt;
use crate::service::{Side, Trouble};
use crate::store::Store;
use cli::Options;
use diary::Broken;
use ground::Ground;
use scene::Scene;

/// Soaks as the command line says, and gives storm's exit code.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match cli::parse(args) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", cli::HELP);
            return ExitCode::SUCCESS;
        }
        Err(usage) => {
            eprintln!("storm: {usage}");
            return ExitCode::from(2);
        }
    };
    println!("soak: {}", told(&options));
    match start(&options) {
        Ok((stand, None)) => {
            println!("soak: nothing broke in {stand}");
            ExitCode::SUCCESS
        }
        Ok((stand, Some(broken))) => {
            println!("soak: {broken}\nsoak: broken after {stand}");
            ExitCode::from(1)
        }
        Err(trouble) => {
            eprintln!("storm: could not run: {trouble}");
            ExitCode::from(3)
        }
    }
}

/// What to type to have the same again.
fn told(options: &Options) -> String {
    let framework = match options.side {
        Side::Bare => "no guards".to_owned(),
        Side::Hardened => format!("{} over {}", options.framework.name(), options.store.kind()),
    };
    format!(
        "{} s on {framework}; the same faults again with --seed {} --seconds {0}",
        options.length.as_secs(),
        options.seed,
    )
}

fn start(options: &Options) -> Result<(String, Option<Broken>), Trouble> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Trouble::new(format!("no threads: {error}")))?;
    let result = runtime.block_on(supervise(options));
    runtime.shutdown_background();
    result
}

/// Whatever happens in between, shop and store are ended before this returns.
async fn supervise(options: &Options) -> Result<(String, Option<Broken>), Trouble> {
    let interrupted = interrupt()?;
    tokio::pin!(interrupted);
    let location = match options.side {
        Side::Hardened => options.store.clone(),
        Side::Bare => Location::Memory,
    };
    let store = Arc::new(Store::start(&location, &mut interrupted).await?);
    let result = tokio::select! {
        result = soak(options, &store) => result,
        trouble = &mut interrupted => Err(trouble),
    };
    // Where a guest still holds it, it ends with the guest.
    if let Some(store) = Arc::into_inner(store) {
        store.stop();
    }
    result
}

async fn soak(options: &Options, store: &Arc<Store>) -> Result<(String, Option<Broken>), Trouble> {
    let ground = Ground::prepare(options, store).await?;
    let scene = Arc::new(Scene::new(options.clone(), ground));
    let mut guests = JoinSet::new();
    for guest in guest::all(&scene) {
        guests.spawn(guest);
    }
    let (memory, ()) = tokio::try_join!(watch::over(&scene), strike::all(&scene))?;
    while let Some(left) = guests.join_next().await {
        left.map_err(|error| Trouble::new(format!("a guest of the soak: {error}")))?;
    }
    if !scene.diary.is_broken() {
        watch::at_the_end(&scene).await?;
    }
    let (stand, broken) = (watch::stand(&scene, &memory), scene.diary.broken());
    if let Some(scene) = Arc::into_inner(scene) {
        scene.ground.stop().await;
    }
    Ok((stand, broken))
}
