//! The command line of `storm soak`.

use std::ffi::OsString;
use std::time::Duration;

use lexopt::prelude::*;
use shop::store::Location;

use crate::cli::{self, UsageError};
use crate::service::{Framework, Side};

/// What `storm soak --help` prints.
pub(super) const HELP: &str = "\
storm soak: mixed traffic at one shop, and faults at random, for as long as you like

usage: storm soak [--minutes N | --seconds N] [--seed N] [--framework NAME] [--store STORE] [--bare]

  --minutes N        how long, 1 to 1440 (2)
  --seconds N        the same in seconds, from 8: a smoke test
  --seed N           the number that the plan of faults follows from; drawn and printed unless given
  --framework NAME   axum (the default) or actix
  --store STORE      memory, sqlite (the default), redis or postgres, as for storm itself
  --bare             soak the shop without its guards, which breaks soon: the control
  -h, --help         this text

exit code: 0 nothing broke, 1 something did, and the last lines say what and when, 2 bad usage,
3 storm could not run";

/// How to soak.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) length: Duration,
    pub(super) seed: u64,
    pub(super) framework: Framework,
    pub(super) store: Location,
    pub(super) side: Side,
}

/// Reads the command line; `None` where only help is asked for.
pub(super) fn parse(
    args: impl IntoIterator<Item = OsString>,
) -> Result<Option<Options>, UsageError> {
    let mut options = Options {
        length: Duration::from_secs(120),
        seed: u64::from(fastrand::u32(..)),
        framework: Framework::default(),
        store: Location::default(),
        side: Side::Hardened,
    };
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(argument) = parser
        .next()
        .map_err(|error| UsageError::new(error.to_string(), KNOWN))?
    {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("minutes") => options.length = span(&mut parser, "--minutes", 60, 1, 24 * 60)?,
            Long("seconds") => options.length = span(&mut parser, "--seconds", 1, 8, 24 * 3600)?,
            Long("seed") => options.seed = cli::number(&cli::text(&mut parser, "--seed")?)?,
            Long("framework") => {
                options.framework = cli::known(&cli::text(&mut parser, "--framework")?)?;
            }
            Long("store") => options.store = cli::location(&cli::text(&mut parser, "--store")?)?,
            Long("bare") => options.side = Side::Bare,
            other => return Err(UsageError::new(cli::shown(&other), KNOWN)),
        }
    }
    cli::installed(&options.store)?;
    Ok(Some(options))
}

fn span(
    parser: &mut lexopt::Parser,
    flag: &str,
    unit: u64,
    least: u64,
    most: u64,
) -> Result<Duration, UsageError> {
    let text = cli::text(parser, flag)?;
    let number = text.parse().ok().filter(|n| (least..=most).contains(n));
    number
        .map(|number: u64| Duration::from_secs(number * unit))
        .ok_or_else(|| UsageError::new(format!("{flag} `{text}`"), format!("{least} to {most}")))
}

const KNOWN: &str =
    "--minutes, --seconds, --seed, --framework, --store, --bare or --help after soak";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Option<Options>, UsageError> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let options = read(&["--minutes", "3", "--seed", "9", "--framework", "actix"]);
        let options = options.unwrap().unwrap();
        assert_eq!(options.length, Duration::from_secs(180));
        assert_eq!((options.seed, options.framework), (9, Framework::Actix));
        assert_eq!(options.side, Side::Hardened);
        assert!(read(&["--help"]).unwrap().is_none());
    }

    #[test]
    fn bad_input_is_named_with_what_was_expected() {
        for (args, input) in [
            (&["--minutes", "0"][..], "--minutes `0`: expected 1 to 1440"),
            (&["--seconds", "7"], "--seconds `7`"),
            (&["--only", "leak"], "`--only`"),
            (&["--store", "disk"], "--store `disk`"),
        ] {
            let line = read(args).unwrap_err().to_string();
            assert!(line.contains(input), "{line}");
        }
    }
}
