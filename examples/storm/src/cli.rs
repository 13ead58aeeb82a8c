//! The command line of storm.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use lexopt::prelude::*;
use shop::store::Location;
use throwaway::Kind;

use crate::scenario;
use crate::service::Framework;
use crate::target::{Plan, Target};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
storm: throws the same abuse at the bare and the hardened shop, and shows what happened

usage: storm [--list] [--only NAME,NAME] [--quick] [--seed N] [--framework NAME]
             [--store STORE] [--json PATH] [--html PATH]
       storm --target URL --plan FILE [--seed N] [--json PATH] [--html PATH]
       storm soak [--minutes N] …; storm soak --help tells more

  --list             name every scenario with its claim
  --only NAMES       run just these, separated by commas
  --quick            shorter scenarios and a shorter deadline; under a minute
  --seed N           the number that the request plan follows from (1)
  --framework NAME   axum (the default) or actix: what the hardened shop is built on
  --store STORE      memory, sqlite (the default), redis or postgres: where the hardened shop keeps
                     rate limits and accepted webhooks; a server is started for the run and ended
                     with it, or is one of yours, as redis://HOST:PORT or postgres://USER@HOST/DB
  --json PATH        where the figures go (target/storm/report.json)
  --html PATH        where the report goes (target/storm/report.html)
  --target URL       attack a service of your own instead, which listens on loopback
  --plan FILE        what storm may know of it, as TOML; docs/guide/storm.md explains each key
  -h, --help         this text

exit code: 0 every promise held, 1 a promise was broken, 2 bad usage, 3 storm could not run";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Command {
    Help,
    List,
    Run(Options),
    /// At a service of the user's own.
    Aim(Box<Aim>),
}

/// How to attack a service of the user's own.
#[derive(Debug)]
pub(crate) struct Aim {
    pub(crate) target: Target,
    pub(crate) plan: Plan,
    pub(crate) seed: u64,
    pub(crate) json: PathBuf,
    pub(crate) html: PathBuf,
}

/// How to run.
#[derive(Debug)]
pub(crate) struct Options {
    /// Names of scenarios, in the order of the list; never empty.
    pub(crate) only: Vec<&'static str>,
    pub(crate) length: Length,
    pub(crate) seed: u64,
    pub(crate) framework: Framework,
    pub(crate) store: Location,
    pub(crate) json: PathBuf,
    pub(crate) html: PathBuf,
}

/// How long a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Full,
    Quick,
}

impl Length {
    /// One of two numbers.
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}

/// Bad input: which, and what was expected instead. Always one line.
#[derive(Debug)]
pub(crate) struct UsageError {
    input: String,
    expected: String,
}

impl UsageError {
    pub(crate) fn new(input: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            input: input.into(),
            expected: expected.into(),
        }
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = format!("{}: expected {}", self.input, self.expected);
        f.write_str(&line.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// Reads the command line and makes sure that the reports can be written where it says.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let mut store = Location::default();
    let mut framework = Framework::default();
    let mut chosen_by_name = false;
    let mut only: Vec<&'static str> = scenario::all().iter().map(|known| known.name()).collect();
    let mut length = Length::Full;
    let mut seed = 1;
    let mut json = PathBuf::from("target/storm/report.json");
    let mut html = PathBuf::from("target/storm/report.html");
    let mut list = false;
    let (mut target, mut plan, mut shops) = (None, None, None);

    let mut parser = lexopt::Parser::from_args(args);
    while let Some(argument) = parser
        .next()
        .map_err(|error| UsageError::new(error.to_string(), KNOWN))?
    {
        if let Some(flag) = of_the_shops(&argument) {
            shops.get_or_insert(flag);
        }
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Long("list") => list = true,
            Long("quick") => length = Length::Quick,
            Long("only") => {
                only = chosen(&text(&mut parser, "--only")?)?;
                chosen_by_name = true;
            }
            Long("seed") => seed = number(&text(&mut parser, "--seed")?)?,
            Long("framework") => framework = known(&text(&mut parser, "--framework")?)?,
            Long("store") => store = location(&text(&mut parser, "--store")?)?,
            Long("json") => json = path(&mut parser, "--json")?,
            Long("html") => html = path(&mut parser, "--html")?,
            Long("target") => target = Some(at(&text(&mut parser, "--target")?)?),
            Long("plan") => plan = Some(path(&mut parser, "--plan")?),
            other => return Err(UsageError::new(shown(&other), KNOWN)),
        }
    }
    if list {
        return Ok(Command::List);
    }
    if let Some(aim) = aim(target, plan.as_deref(), shops)? {
        writable("--json", &json)?;
        writable("--html", &html)?;
        let (target, plan) = aim;
        return Ok(Command::Aim(Box::new(Aim {
            target,
            plan,
            seed,
            json,
            html,
        })));
    }
    if chosen_by_name {
        suitable(&only, &store)?;
    }
    installed(&store)?;
    writable("--json", &json)?;
    writable("--html", &html)?;
    Ok(Command::Run(Options {
        only,
        length,
        seed,
        framework,
        store,
        json,
        html,
    }))
}

/// The flags that mean something for the shops alone.
fn of_the_shops(argument: &lexopt::Arg<'_>) -> Option<&'static str> {
    let Long(name) = argument else {
        return None;
    };
    ["--only", "--quick", "--framework", "--store"]
        .into_iter()
        .find(|flag| flag.strip_prefix("--") == Some(name))
}

fn at(text: &str) -> Result<Target, UsageError> {
    text.parse()
        .map_err(|expected: &str| UsageError::new(format!("--target `{text}`"), expected))
}

/// A target and its plan, which belong together.
fn aim(
    target: Option<Target>,
    plan: Option<&Path>,
    shops: Option<&'static str>,
) -> Result<Option<(Target, Plan)>, UsageError> {
    match (target, plan, shops) {
        (None, None, _) => Ok(None),
        (Some(_), Some(_), Some(flag)) => Err(UsageError::new(
            format!("{flag} with --target"),
            "--plan, --seed, --json or --html beside it",
        )),
        (Some(target), Some(file), None) => {
            let plan = Plan::read(file).map_err(|fault| {
                let input = format!("--plan `{}`", file.display());
                UsageError::new(input, format!("a valid plan, but {fault}"))
            })?;
            Ok(Some((target, plan)))
        }
        (Some(_), None, _) => Err(UsageError::new("--target", "--plan FILE beside it")),
        (None, Some(_), _) => Err(UsageError::new("--plan", "--target URL beside it")),
    }
}

fn path(parser: &mut lexopt::Parser, flag: &str) -> Result<PathBuf, UsageError> {
    parser
        .value()
        .map(PathBuf::from)
        .map_err(|_| UsageError::new(flag, "a path after it"))
}

pub(crate) fn text(parser: &mut lexopt::Parser, flag: &str) -> Result<String, UsageError> {
    let value = parser
        .value()
        .map_err(|_| UsageError::new(flag, "a value after it"))?;
    value.into_string().map_err(|raw| {
        UsageError::new(
            format!("{flag} `{}`", raw.to_string_lossy()),
            "a value in UTF-8",
        )
    })
}

fn chosen(names: &str) -> Result<Vec<&'static str>, UsageError> {
    let known: Vec<&'static str> = scenario::all().iter().map(|known| known.name()).collect();
    let wanted: Vec<&str> = names.split(',').map(str::trim).collect();
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(name)) {
        return Err(UsageError::new(
            format!("--only `{unknown}`"),
            format!("some of {}", known.join(", ")),
        ));
    }
    Ok(known
        .into_iter()
        .filter(|name| wanted.contains(name))
        .collect())
}

pub(crate) fn number(text: &str) -> Result<u64, UsageError> {
    text.parse().map_err(|_| {
        UsageError::new(
            format!("--seed `{text}`"),
            format!("a whole number from 0 to {}", u64::MAX),
        )
    })
}

pub(crate) fn known(name: &str) -> Result<Framework, UsageError> {
    Framework::ALL
        .into_iter()
        .find(|framework| framework.name() == name)
        .ok_or_else(|| UsageError::new(format!("--framework `{name}`"), "axum or actix"))
}

pub(crate) fn location(text: &str) -> Result<Location, UsageError> {
    text.parse().map_err(|expected: &str| {
        UsageError::new(format!("--store `{}`", Location::redact(text)), expected)
    })
}

/// Whoever names a scenario wants it to run.
fn suitable(only: &[&str], store: &Location) -> Result<(), UsageError> {
    let unmet = scenario::all()
        .into_iter()
        .find(|known| only.contains(&known.name()) && !known.needs().are_met_by(store));
    match unmet {
        Some(unmet) => Err(UsageError::new(
            format!("--only `{}` with --store `{}`", unmet.name(), store.kind()),
            unmet.needs().to_string(),
        )),
        None => Ok(()),
    }
}

/// A server that is to be started has to be there.
pub(crate) fn installed(store: &Location) -> Result<(), UsageError> {
    let kind = match store {
        Location::Redis(None) => Kind::Redis,
        Location::Postgres(None) => Kind::Postgres,
        _ => return Ok(()),
    };
    let missing = kind
        .programs()
        .iter()
        .find_map(|program| program.find().err());
    match missing {
        Some(error) => Err(UsageError::new(
            format!("--store `{}`", kind.name()),
            format!("a server to start, or the address of one, but {error}"),
        )),
        None => Ok(()),
    }
}

/// Opens the file without touching what it holds: a run of a minute should not end in "permission
/// denied".
fn writable(flag: &str, path: &Path) -> Result<(), UsageError> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder).map_err(|error| unwritable(flag, path, &error))?;
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .map(drop)
        .map_err(|error| unwritable(flag, path, &error))
}

fn unwritable(flag: &str, path: &Path, error: &std::io::Error) -> UsageError {
    UsageError::new(
        format!("{flag} `{}` ({error})", path.display()),
        "a path that can be written",
    )
}

pub(crate) fn shown(argument: &lexopt::Arg<'_>) -> String {
    match argument {
        Short(letter) => format!("`-{letter}`"),
        Long(name) => format!("`--{name}`"),
        Value(value) => format!("`{}`", value.to_string_lossy()),
    }
}

const KNOWN: &str = "--list, --only, --quick, --seed, --framework, --store, --json, --html, --target, --plan or --help";

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(args: &[&str], input: &str, expected: &str) {
        let line = parse(args.iter().map(OsString::from))
            .unwrap_err()
            .to_string();
        assert!(line.contains(input), "{line} names {input}");
        assert!(line.contains(expected), "{line} expects {expected}");
        assert!(!line.contains('\n'), "{line} is one line");
    }

    #[test]
    fn each_bad_input_is_named_with_what_was_expected() {
        refuses(&["--only", "garbage,hail"], "`hail`", "garbage, burst");
        refuses(&["--only", ""], "``", "garbage");
        refuses(&["--seed", "-1"], "--seed `-1`", "whole number");
        refuses(&["--seed"], "--seed", "a value");
        refuses(&["--framework", "rocket"], "`rocket`", "axum or actix");
        refuses(&["--store", "disk"], "--store `disk`", "postgres");
        refuses(&["--store", "redis://:pw@"], "`redis://…`", "redis://HOST");
        refuses(
            &["--only", "two-replicas", "--store", "memory"],
            "two-replicas",
            "--store redis",
        );
        refuses(
            &["--target", "http://10.0.0.1:80"],
            "`http://10.0.0.1:80`",
            "loopback",
        );
        refuses(
            &["--target", "http://127.0.0.1:1"],
            "--target",
            "--plan FILE",
        );
        refuses(&["--plan", "p.toml"], "--plan", "--target URL");
        refuses(
            &["--target", "http://127.0.0.1:1", "--plan", "/nowhere.toml"],
            "`/nowhere.toml`",
            "No such file",
        );
        refuses(
            &["--quick", "--target", "http://127.0.0.1:1", "--plan", "p"],
            "--quick with --target",
            "beside it",
        );
        refuses(
            &["--json", "/proc/nowhere/x.json"],
            "/proc/nowhere/x.json",
            "can be written",
        );
        refuses(&["--loud"], "`--loud`", "--list");
        refuses(&["now"], "`now`", "--list");
    }

    #[test]
    fn chosen_scenarios_run_in_the_order_of_the_list() {
        assert_eq!(chosen("burst,garbage").unwrap(), ["garbage", "burst"]);
    }
}
