//! A service of the user's own under attack: what needs no cooperation, and what the user has set up.

mod address;
mod aim;
mod checklist;
mod dependency;
mod duplicates;
mod errors;
mod forms;
mod health;
mod inputs;
mod limits;
mod page;
mod plan;
mod slow;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time;

use crate::cli;
use crate::progress::Progress;
use crate::service::Trouble;
use aim::Aim;
use checklist::{Checklist, Item, Verdict};
use health::Watch;

pub(crate) use address::Target;
pub(crate) use plan::Plan;

/// Attacks, reports, and gives storm's exit code.
pub(crate) fn storm(options: &cli::Aim) -> ExitCode {
    let progress = Progress::new();
    match start(options, &progress) {
        Ok(checklist) => {
            print!("{}", forms::table(&checklist));
            match checklist.verdict() {
                Verdict::Broken => ExitCode::from(1),
                Verdict::Held | Verdict::NotShown => ExitCode::SUCCESS,
            }
        }
        Err(trouble) => {
            progress.clear();
            eprintln!("storm: could not run: {trouble}");
            ExitCode::from(3)
        }
    }
}

fn start(options: &cli::Aim, progress: &Progress) -> Result<Checklist, Trouble> {
    let runtime = |threads| {
        Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
            .map_err(|error| Trouble::new(format!("no threads: {error}")))
    };
    let (storm, witnesses): (Runtime, Runtime) = (runtime(2)?, runtime(1)?);
    let result = storm.block_on(async {
        tokio::select! {
            result = attack(options, progress, witnesses.handle()) => result,
            () = progress.draw() => unreachable!("drawing never ends"),
        }
    });
    for runtime in [storm, witnesses] {
        runtime.shutdown_background();
    }
    let checklist = result?;
    write(&options.json, &forms::json(&checklist))?;
    write(&options.html, &page::page(&checklist))?;
    Ok(checklist)
}

fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    fs::write(path, text).map_err(|error| {
        let path = path.display();
        Trouble::new(format!("`{path}` can no longer be written: {error}"))
    })
}

/// The list, item by item. What may wear the service down comes late, and what looks at all answers
/// last.
async fn attack(
    options: &cli::Aim,
    progress: &Progress,
    witnesses: &Handle,
) -> Result<Checklist, Trouble> {
    let begun = Instant::now();
    let to = options.target.address();
    let aim = Aim::new(to, &options.plan, options.seed, progress);
    let healthy = &options.plan.healthy.route;
    health::served(&aim, &healthy.call()).await.map_err(|got| {
        let label = healthy.label();
        Trouble::new(format!(
            "http://{to} is not healthy: {label} was to be served, and came to: {got}"
        ))
    })?;

    let watch = Watch::start(witnesses, &aim);
    let mut items = Vec::new();
    let mut add = |name, claim, outcome| {
        let item = Item::new(name, claim, outcome);
        progress.end(item.verdict.name());
        items.push(item);
    };
    progress.begin("inputs");
    add("validated inputs", INPUTS, inputs::inputs(&aim).await?);
    progress.begin("limits");
    add("limits in layers", LIMITS, limits::limits(&aim).await);
    progress.begin("duplicates");
    add(
        "idempotency",
        DUPLICATES,
        duplicates::duplicates(&aim).await,
    );
    progress.begin("timeouts");
    add("timeouts", TIMEOUTS, slow::timeouts(&aim).await);
    progress.begin("breakers");
    add("breakers", BREAKERS, dependency::breakers(&aim).await);
    progress.begin("degradation");
    let degraded = dependency::degradation(&aim).await;
    add("degradation", DEGRADATION, degraded);
    progress.begin("errors");
    errors::provoke(&aim).await;
    add("safe errors", ERRORS, errors::safe_errors(&aim));
    progress.begin("ids");
    add("request ids", IDS, errors::request_ids(&aim));
    progress.begin("health");
    time::sleep(SETTLE).await;
    let watched = watch.stop().await;
    add("health", HEALTH, health::health(&aim, watched).await);

    Ok(Checklist {
        target: format!("http://{to}"),
        seed: options.seed,
        requests: aim.seen(|seen| seen.requests),
        items,
        course: aim.chronicle.course(),
        took: begun.elapsed(),
    })
}

/// Rest before the service is asked how it is.
const SETTLE: Duration = Duration::from_millis(250);

const INPUTS: &str = "what is malformed, mistyped or too large is refused, promptly and cheaply";
const LIMITS: &str = "each limit lets pass what it says, and costs only who exceeds it";
const DUPLICATES: &str = "a request that is sent many times is carried out once";
const TIMEOUTS: &str = "whoever waits, a slow client or a stuck handler, waits for a bounded time";
const BREAKERS: &str =
    "a dependency that is down is left alone, and callers are told when to come back";
const DEGRADATION: &str = "what is left is answered when a part is missing, and says so";
const ERRORS: &str = "errors are made for programs and tell nothing of the inside";
const IDS: &str = "every answer has an id of its own";
const HEALTH: &str = "probes are answered through all of it, and the service is as well as before";
