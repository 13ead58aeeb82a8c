//! The command line: what may be asked for, and one clear line for everything else.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use lexopt::prelude::*;

use crate::config::Config;
use crate::hardened::Framework;
use crate::store::Location;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
shop: the example service of Seawall

usage: shop [--listen ADDRESS] [--admin ADDRESS] [--framework axum|actix] [--store STORE]
            [--config FILE] [--bare]

  --listen ADDRESS   where the API listens (127.0.0.1:8080); port 0 takes a free one
  --admin ADDRESS    where faults, ledger, metrics and drain listen; loopback only; off by default
  --framework NAME   axum (the default) or actix
  --store STORE      where rate limits and accepted webhooks are kept:
                     memory                this process
                     sqlite[:PATH]         webhooks in a file, rate limits in this process; the
                                           default, in a temporary directory
                     redis[://HOST:PORT]   both on the server
                     postgres[://...]      both on the server
                     without an address, a throw-away server is started and ended
  --config FILE      limits, deadlines, tokens and secrets, as shop.toml
  --bare             the same service with no Seawall at all
  -h, --help         this text";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Command {
    Help,
    Serve(Box<Options>),
}

/// How to serve.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) config: Config,
    /// Where it was read, to be read again.
    pub(crate) config_file: Option<PathBuf>,
    pub(crate) service: Service,
    pub(crate) framework: Framework,
    pub(crate) lifetime: Lifetime,
}

/// Which of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Bare,
    Hardened,
}

/// What ends the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// SIGTERM, SIGINT or the admin listener.
    UntilSignal,
    /// The same, and the end of standard input: a parent process that dies takes its child along,
    /// however it dies. Not in the help text, since a service started from a shell's background has
    /// no standard input.
    UntilStdinCloses,
}

/// Bad input: which, and what was expected instead.
#[derive(Debug)]
pub struct UsageError {
    input: String,
    expected: String,
}

impl UsageError {
    /// `input` is quoted as the user gave it, `expected` says what would have been accepted.
    pub(crate) fn new(input: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            input: input.into(),
            expected: expected.into(),
        }
    }

    /// Prints the one line and gives the exit code of bad usage.
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("shop: {self}");
        ExitCode::from(2)
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Messages of parsers may span lines; the promise is one.
        let line = format!("{}: expected {}", self.input, self.expected);
        f.write_str(&line.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl std::error::Error for UsageError {}

/// Reads the command line and the configuration file that it names.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let mut listen = SocketAddr::from(([127, 0, 0, 1], 8080));
    let mut admin = None;
    let mut config = Config::default();
    let mut config_file = None;
    let mut service = Service::Hardened;
    let mut lifetime = Lifetime::UntilSignal;
    let mut location = None;
    let mut chosen = Framework::default();

    let mut parser = lexopt::Parser::from_args(args);
    while let Some(argument) = parser.next().map_err(|error| malformed(&error))? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Long("bare") => service = Service::Bare,
            Long("until-stdin-closes") => lifetime = Lifetime::UntilStdinCloses,
            Long("listen") => listen = address("--listen", &value(&mut parser, "--listen")?)?,
            Long("admin") => admin = Some(admin_address(&value(&mut parser, "--admin")?)?),
            Long("framework") => chosen = framework(&value(&mut parser, "--framework")?)?,
            Long("store") => location = Some(store(&value(&mut parser, "--store")?)?),
            Long("config") => {
                let file = PathBuf::from(value(&mut parser, "--config")?);
                config = Config::read(&file)?;
                config_file = Some(file);
            }
            other => return Err(UsageError::new(shown(&other), KNOWN)),
        }
    }

    // Whichever came first: the command line wins over the file.
    if let Some(location) = location {
        config.store.location = location;
    }
    if !listen.ip().is_loopback() {
        config.refuse_demo_secrets(listen)?;
    }
    Ok(Command::Serve(Box::new(Options {
        listen,
        admin,
        config,
        config_file,
        service,
        framework: chosen,
        lifetime,
    })))
}

fn value(parser: &mut lexopt::Parser, flag: &str) -> Result<String, UsageError> {
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

fn address(flag: &str, text: &str) -> Result<SocketAddr, UsageError> {
    SocketAddr::from_str(text).map_err(|_| {
        UsageError::new(
            format!("{flag} `{text}`"),
            "an address such as 127.0.0.1:8080 or [::1]:0",
        )
    })
}

fn admin_address(text: &str) -> Result<SocketAddr, UsageError> {
    let admin = address("--admin", text)?;
    if admin.ip().is_loopback() {
        return Ok(admin);
    }
    Err(UsageError::new(
        format!("--admin `{text}`"),
        "a loopback address, since whoever reaches it can break the service",
    ))
}

fn framework(name: &str) -> Result<Framework, UsageError> {
    match name {
        "axum" => Ok(Framework::Axum),
        "actix" => Ok(Framework::Actix),
        _ => Err(UsageError::new(
            format!("--framework `{name}`"),
            "axum or actix",
        )),
    }
}

fn store(text: &str) -> Result<Location, UsageError> {
    text.parse().map_err(|expected: &str| {
        let text = Location::redact(text);
        UsageError::new(format!("--store `{text}`"), expected)
    })
}

fn malformed(error: &lexopt::Error) -> UsageError {
    UsageError::new(error.to_string(), KNOWN)
}

fn shown(argument: &lexopt::Arg<'_>) -> String {
    match argument {
        Short(letter) => format!("`-{letter}`"),
        Long(name) => format!("`--{name}`"),
        Value(value) => format!("`{}`", value.to_string_lossy()),
    }
}

const KNOWN: &str = "--listen, --admin, --framework, --store, --config, --bare or --help";

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Command, String> {
        parse(args.iter().map(OsString::from)).map_err(|error| error.to_string())
    }

    fn refuses(args: &[&str], input: &str, expected: &str) {
        let line = parsed(args).unwrap_err();
        assert!(line.contains(input), "{line} names {input}");
        assert!(line.contains(expected), "{line} expects {expected}");
        assert!(!line.contains('\n'), "{line} is one line");
    }

    #[test]
    fn each_bad_input_is_named_with_what_was_expected() {
        refuses(&["--listen", "8080"], "--listen `8080`", "127.0.0.1:8080");
        refuses(&["--listen"], "--listen", "a value");
        refuses(&["--admin", "0.0.0.0:1"], "--admin `0.0.0.0:1`", "loopback");
        refuses(
            &["--framework", "rocket"],
            "--framework `rocket`",
            "axum or actix",
        );
        refuses(&["--store", "disk"], "`disk`", "sqlite:PATH");
        refuses(&["--store", "redis://"], "`redis://…`", "redis://HOST");
        refuses(&["--store", "memory:x"], "`memory:x`", "memory");
        refuses(
            &["--config", "/no/such/shop.toml"],
            "/no/such/shop.toml",
            "readable",
        );
        refuses(&["--frobnicate"], "`--frobnicate`", "--listen");
        refuses(&["serve"], "`serve`", "--listen");
    }

    #[test]
    fn demo_secrets_do_not_leave_the_machine() {
        refuses(&["--listen", "0.0.0.0:0"], "webhook_secret", "own");
    }

    #[test]
    fn everything_has_a_default() {
        let Ok(Command::Serve(options)) = parsed(&[]) else {
            panic!("no arguments are fine")
        };
        assert_eq!(options.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(options.admin, None);
        assert_eq!(options.service, Service::Hardened);
        assert_eq!(options.config.store.location, Location::Sqlite(None));
        assert_eq!(options.lifetime, Lifetime::UntilSignal);
    }
}
