//! `cargo xtask soak`: the whole shop under mixed traffic and faults at random, which is `storm soak`; or
//! one area, in rounds of faults of which each leaves a history that is checked. Those rounds are tests
//! that are ignored elsewhere.

use std::time::{SystemTime, UNIX_EPOCH};

use lexopt::Arg;

use crate::{args, counts::Counts, failure::Failure, process, steps::Steps, workspace::cargo};

pub(crate) const USAGE: &str = "soak [AREA] [--minutes N] [--seed S] [--framework NAME] [--store STORE]
lets the shop run for N minutes, 2 unless told, under mixed traffic and faults at random, and fails
where a promise is broken, saying what and when; --framework and --store are those of storm. With an
AREA (idempotency), lets its stores run under stalls, crashes and callers who leave. Prints the seed,
and with --seed has the same faults again";

/// Tests that go on for `SEAWALL_SOAK_SECONDS`, from `SEAWALL_SOAK_SEED`.
struct Soak {
    area: &'static str,
    package: &'static str,
    features: &'static str,
    test: &'static str,
}

const SOAKS: &[Soak] = &[
    Soak {
        area: "idempotency",
        package: "seawall-idempotency",
        features: "conformance",
        test: "soak::soak",
    },
    Soak {
        area: "idempotency",
        package: "seawall-sqlite",
        features: "idempotency",
        test: "idempotency::soak::soak",
    },
];

#[derive(Debug, PartialEq, Eq)]
struct Request {
    area: Option<String>,
    minutes: u64,
    seed: Option<u64>,
    /// What storm is told besides.
    shop: Vec<String>,
}

pub(crate) fn run(words: lexopt::Parser) -> Result<(), Failure> {
    let request = parse(words)?;
    let seed = request.seed.unwrap_or_else(any_seed);
    let Some(area) = &request.area else {
        return storm(&request, seed);
    };
    let chosen: Vec<_> = SOAKS.iter().filter(|soak| soak.area == area).collect();
    println!("soak: seed {seed}, {} min", request.minutes);
    process::hold_interrupts()?;
    let seconds = request.minutes * 60 / chosen.len() as u64;
    let mut steps = Steps::new("soak", chosen.len());
    for soak in chosen {
        steps.run(soak.package, || go_on(soak, seconds, seed))?;
    }
    steps.finish()
}

fn parse(mut words: lexopt::Parser) -> Result<Request, Failure> {
    let mut request = Request {
        area: None,
        minutes: 2,
        seed: None,
        shop: Vec::new(),
    };
    while let Some(word) = args::next(&mut words)? {
        match word {
            Arg::Long("minutes") => {
                let text = args::text(&mut words, "a number of minutes")?;
                let minutes = text.parse().ok().filter(|n| (1..=24 * 60).contains(n));
                request.minutes = minutes.ok_or_else(|| {
                    Failure::usage(format!("--minutes {text}: expected 1 to 1440 minutes"))
                })?;
            }
            Arg::Long("seed") => {
                let text = args::text(&mut words, "a seed")?;
                request.seed = Some(text.parse().map_err(|_| {
                    Failure::usage(format!("--seed {text}: expected a number from 0"))
                })?);
            }
            // storm says what is wrong with their values.
            Arg::Long(flag @ ("framework" | "store")) => {
                request.shop.push(format!("--{flag}"));
                request.shop.push(args::text(&mut words, "a value")?);
            }
            Arg::Value(area) if request.area.is_none() => {
                let area = area.to_string_lossy().into_owned();
                if !SOAKS.iter().any(|soak| soak.area == area) {
                    return Err(Failure::usage(format!(
                        "unknown area `{area}`; expected idempotency"
                    )));
                }
                request.area = Some(area);
            }
            other => {
                let expected =
                    "an area, `--minutes N`, `--seed S`, `--framework NAME` or `--store STORE`";
                return Err(args::unexpected(&other, expected));
            }
        }
    }
    if let (Some(area), [flag, ..]) = (&request.area, request.shop.as_slice()) {
        return Err(Failure::usage(format!(
            "{flag} with the area `{area}`: expected it without an area"
        )));
    }
    Ok(request)
}

/// The shop as a whole. storm tells by itself how it stands and what broke.
fn storm(request: &Request, seed: u64) -> Result<(), Failure> {
    let mut command = cargo();
    command
        .args(["run", "--quiet", "--release", "-p", "storm", "--", "soak"])
        .args(["--minutes", &request.minutes.to_string()])
        .args(["--seed", &seed.to_string()])
        .args(&request.shop);
    let status = process::run(&mut command, &mut |_| {})?;
    match status.code() {
        Some(0) => Ok(()),
        Some(2) => Err(Failure::usage("storm could not be told so")),
        _ => Err(Failure::broken(format!("{status}; the seed was {seed}"))),
    }
}

fn go_on(soak: &Soak, seconds: u64, seed: u64) -> Result<(), Failure> {
    let mut command = cargo();
    command
        .args(["test", "--quiet", "-p", soak.package])
        .args(["--features", soak.features, "--test", "it", "--", soak.test])
        .args(["--exact", "--ignored", "--nocapture"])
        .env("SEAWALL_SOAK_SECONDS", seconds.to_string())
        .env("SEAWALL_SOAK_SEED", seed.to_string());
    let mut counts = Counts::default();
    let status = process::run(&mut command, &mut |line| counts.read(line))?;
    if !status.success() {
        return Err(Failure::broken(format!("{status}; the seed was {seed}")));
    }
    // A test that was renamed would do nothing, and pass.
    if counts.passed == 0 {
        return Err(Failure::broken(format!("no test `{}` ran", soak.test)));
    }
    Ok(())
}

/// Small enough to be typed, and that seeds can be counted on from it.
fn any_seed() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::from(since.subsec_micros()) * 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], expected: &Result<Request, Failure>) {
        assert_eq!(&parse(lexopt::Parser::from_args(words)), expected);
    }

    #[test]
    fn what_is_asked_for_is_read() {
        check(
            &["idempotency", "--minutes", "10", "--seed", "7"],
            &Ok(Request {
                area: Some("idempotency".to_owned()),
                minutes: 10,
                seed: Some(7),
                shop: Vec::new(),
            }),
        );
        check(
            &["--framework", "actix"],
            &Ok(Request {
                area: None,
                minutes: 2,
                seed: None,
                shop: vec!["--framework".to_owned(), "actix".to_owned()],
            }),
        );
        let usage = |text: &str| Err(Failure::usage(text));
        check(
            &["breaker"],
            &usage("unknown area `breaker`; expected idempotency"),
        );
        check(
            &["idempotency", "--store", "redis"],
            &usage("--store with the area `idempotency`: expected it without an area"),
        );
        check(
            &["--minutes", "0"],
            &usage("--minutes 0: expected 1 to 1440 minutes"),
        );
    }
}
