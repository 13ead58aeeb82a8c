//! A whole run: boot both shops, let every scenario strike, write down what happened.

mod observe;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use shop::config::{Config, DEMO_TOKENS};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Length, Options};
use crate::client::{Addresses, PROXIES};
use crate::progress::Progress;
use crate::report::{Entry, Report, Verdict, html, json, table};
use crate::scenario::{self, Role, Scenario};
use crate::service::{Service, Side, Trouble};
use crate::store::{Place, Store};
use observe::Range;

/// Runs, reports, and gives storm's exit code.
pub(crate) fn storm(options: &Options) -> ExitCode {
    let progress = Progress::new();
    match start(options, &progress) {
        Ok(report) => {
            print!("{}", table(&report));
            let _ = io::stdout().flush();
            match report.verdict {
                Verdict::Held | Verdict::Skipped => ExitCode::SUCCESS,
                Verdict::Broken => ExitCode::from(1),
            }
        }
        Err(trouble) => {
            progress.clear();
            eprintln!("storm: could not run: {trouble}");
            ExitCode::from(3)
        }
    }
}

fn start(options: &Options, progress: &Progress) -> Result<Report, Trouble> {
    let runtime = |threads| {
        Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
            .map_err(|error| Trouble::new(format!("no threads: {error}")))
    };
    let (storm, bystanders) = (runtime(2)?, runtime(1)?);
    let result = storm.block_on(supervise(options, progress, &bystanders));
    for runtime in [storm, bystanders] {
        runtime.shutdown_background();
    }
    result
}

/// Whatever happens in between, the children are ended before this returns.
async fn supervise(
    options: &Options,
    progress: &Progress,
    bystanders: &Runtime,
) -> Result<Report, Trouble> {
    let interrupted = interrupt()?;
    tokio::pin!(interrupted);
    let store = Store::start(&options.store, &mut interrupted).await?;
    let result = tokio::select! {
        result = boot(options, bystanders, &store) => match result {
            Ok(mut range) => {
                let result = tokio::select! {
                    result = run(options, progress, &mut range) => result,
                    trouble = &mut interrupted => Err(trouble),
                    () = progress.draw() => unreachable!("drawing never ends"),
                };
                range.stop().await;
                result
            }
            Err(trouble) => Err(trouble),
        },
        trouble = &mut interrupted => Err(trouble),
    };
    store.stop();
    result
}

/// Ready when storm is told to stop.
pub(crate) fn interrupt() -> Result<impl Future<Output = Trouble>, Trouble> {
    let unheard = |error: io::Error| Trouble::new(format!("no signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unheard)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Trouble::new("interrupted")
    })
}

async fn boot<'a>(
    options: &Options,
    bystanders: &'a Runtime,
    store: &'a Store,
) -> Result<Range<'a>, Trouble> {
    let failed = |error: io::Error| Trouble::new(format!("no configuration file: {error}"));
    let folder = tempfile::tempdir().map_err(failed)?;
    let file = folder.path().join("shop.toml");
    let text = settings(options.length, &store.shared());
    fs::write(&file, &text).map_err(failed)?;
    let config = Config::parse(&text).map_err(|error| Trouble::new(error.to_string()))?;

    let start = async |side| {
        Service::start(side, options.framework, &file, &log(&options.html, side)).await
    };
    let bare = start(Side::Bare).await?;
    let hardened = start(Side::Hardened).await?;
    let addresses = Addresses::new(options.seed);
    Ok(Range::new(
        bare,
        hardened,
        config,
        store,
        addresses,
        options,
        bystanders.handle(),
    ))
}

/// What differs from the shop's defaults: a breaker that closes soon and a short limit for calls of
/// the database, since a run of a minute cannot wait half of one for them; a shorter deadline where the run is to be short; and what the scenarios
/// about limits need: a limit that is decided together with another, a network of proxies, and users
/// whose quotas nobody else spends.
fn settings(length: Length, place: &Place) -> String {
    let open_for = length.pick("1s", "400ms");
    let mut text = format!(
        "trusted_proxies = [\"{PROXIES}\"]\n\
         [limits]\nbuilds_by_address = \"30/hour\"\n\
         [breaker]\nopen_for = \"{open_for}\"\n\
         [deadlines]\ndatabase = \"300ms\"\n"
    );
    if length == Length::Quick {
        text.push_str("search = \"1s\"\n");
    }
    text.push_str("[tokens]\n");
    for (token, user) in DEMO_TOKENS.into_iter().map(owned).chain(scenario::users()) {
        text.push_str(&format!("{token} = \"{user}\"\n"));
    }
    text.push_str(&place.section());
    text
}

fn owned((token, user): (&str, &str)) -> (String, String) {
    (token.to_owned(), user.to_owned())
}

/// The shops' own words go beside the report.
fn log(html: &Path, side: Side) -> PathBuf {
    html.with_file_name(format!("{}.log", side.name()))
}

async fn run(
    options: &Options,
    progress: &Progress,
    range: &mut Range<'_>,
) -> Result<Report, Trouble> {
    let started = Instant::now();
    let chosen: Vec<Box<dyn Scenario>> = scenario::all()
        .into_iter()
        .filter(|scenario| options.only.contains(&scenario.name()))
        .collect();
    let of = |role| {
        chosen
            .iter()
            .filter(move |scenario| scenario.role() == role)
    };
    let crowded = of(Role::Witness).next().is_some();

    progress.begin("calm");
    range.calm(progress, crowded).await?;
    progress.end("");

    let mut report = Report::new(options);
    report.calm = range.calm_courses();
    for scenario in of(Role::Attack) {
        progress.begin(scenario.name());
        if !scenario.needs().are_met_by(&options.store) {
            let entry = Entry::skipped(scenario.as_ref());
            progress.end(entry.verdict.name());
            report.add(entry);
            continue;
        }
        let entry = range.attack(scenario.as_ref(), progress, crowded).await?;
        progress.end(entry.verdict.name());
        report.add(entry);
    }
    for witness in of(Role::Witness) {
        progress.begin(witness.name());
        if of(Role::Attack).next().is_none() {
            // A witness alone has nothing to see: the others strike, and only the witness speaks.
            for weather in scenario::all() {
                let met = weather.needs().are_met_by(&options.store);
                if weather.role() == Role::Attack && met {
                    range.attack(weather.as_ref(), progress, crowded).await?;
                }
            }
        }
        let entry = range.hear(witness.as_ref(), progress).await?;
        progress.end(entry.verdict.name());
        report.add(entry);
    }
    report.finish(started.elapsed());
    write(&options.json, &json(&report))?;
    write(&options.html, &html(&report))?;
    Ok(report)
}

fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    fs::write(path, text).map_err(|error| {
        Trouble::new(format!(
            "`{}` can no longer be written: {error}",
            path.display()
        ))
    })
}

/// Rest between strikes, so that sockets and allocators settle.
const SETTLE: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shops_understand_what_they_are_told() {
        for length in [Length::Full, Length::Quick] {
            let config = Config::parse(&settings(length, &Place::memory())).unwrap();
            assert_eq!(config.trusted_proxies.len(), 1, "{length:?}");
            assert_eq!(config.user_of("alice-token"), Some("alice"), "{length:?}");
            assert!(config.limits.builds_by_address.is_some(), "{length:?}");
        }
    }
}
