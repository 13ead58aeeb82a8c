//! `shop.toml`: every number and secret that an operator may change.
//!
//! Plain data with checked leaves: what constructs is usable, and the default is the table of the
//! architecture page. Unknown keys are refused, since a misspelt limit is a limit that is off.

mod leaf;
mod server;
mod store;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use ipnet::IpNet;
use serde::Deserialize;

pub use leaf::{QuotaText, Secret, Span};
pub use server::{DrainTimes, Server, Watch};
pub use store::{OnStoreErrors, Store};

use crate::cli::UsageError;

/// The webhook secret of the demo; good for loopback only.
pub const DEMO_WEBHOOK_SECRET: &str = "shop-webhook-secret-change-me";

/// The bearer tokens of the demo and whose they are; good for loopback only.
pub const DEMO_TOKENS: [(&str, &str); 2] = [("alice-token", "alice"), ("bob-token", "bob")];

/// Everything `shop.toml` may say.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How often something may be asked for.
    pub limits: Limits,
    /// How long something may take.
    pub deadlines: Deadlines,
    /// When a dependency is given a rest.
    pub breaker: Breaker,
    /// How long an answer is remembered.
    pub idempotency: Idempotency,
    /// Where shared state lives.
    pub store: Store,
    /// What one peer may hold.
    pub server: Server,
    /// How the components are watched.
    pub health: Watch,
    /// How the service goes away.
    pub drain: DrainTimes,
    /// The largest request body, in bytes.
    pub body_limit: u64,
    /// Bearer tokens, each with the user that it stands for.
    pub tokens: BTreeMap<Secret, String>,
    /// The key of both webhook routes.
    pub webhook_secret: Secret,
    /// What webhooks are let in.
    pub webhooks: Webhooks,
    /// The networks whose forwarding headers are believed, and the time that they say is left.
    pub trusted_proxies: Vec<IpNet>,
    /// The service that holds the product index. In memory unless given.
    pub index_at: Option<SocketAddr>,
}

/// `[limits]`: quotas such as `"10/minute"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// All of `/api`, by address.
    pub api: QuotaText,
    /// `POST /api/expensive-operation`, by address.
    pub expensive_operation: QuotaText,
    /// `POST /api/send-email`, by user.
    pub send_email: QuotaText,
    /// `POST /api/projects/{project_id}/builds`, by project.
    pub builds: QuotaText,
    /// The same route by address, over all projects, decided in one with [`builds`](Self::builds).
    /// Off unless given.
    pub builds_by_address: Option<QuotaText>,
    /// What each does while the store is out of reach.
    pub on_store_error: OnStoreErrors,
}

/// `[deadlines]`: spans such as `"5s"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deadlines {
    /// `GET /api/search`.
    pub search: Span,
    /// One call of the database.
    pub database: Span,
    /// Each part of `GET /api/dashboard`.
    pub dashboard: Span,
    /// Any request below `/api`.
    pub total: Span,
}

/// `[breaker]`: the breaker around the database.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Breaker {
    /// So many failures in a row open it.
    pub consecutive_failures: u32,
    /// How long it stays open.
    pub open_for: Span,
}

/// `[idempotency]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Idempotency {
    /// How long a key keeps its answer.
    pub keep_for: Span,
    /// How long an attempt may give no sign of life until another one takes over.
    pub lease: Span,
}

/// `[webhooks]`: how `POST /api/webhooks/signed` judges freshness.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// How long after it was signed a message is still taken.
    pub oldest: Span,
    /// How far ahead of this machine's clock a sender's may be.
    pub ahead: Span,
    /// How many accepted messages are remembered at once; more are refused until some are too old.
    pub remembered: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            deadlines: Deadlines::default(),
            breaker: Breaker::default(),
            idempotency: Idempotency::default(),
            store: Store::default(),
            server: Server::default(),
            health: Watch::default(),
            drain: DrainTimes::default(),
            body_limit: 1024 * 1024,
            tokens: DEMO_TOKENS
                .map(|(token, user)| (Secret::new(token), user.to_owned()))
                .into_iter()
                .collect(),
            webhook_secret: Secret::new(DEMO_WEBHOOK_SECRET),
            webhooks: Webhooks::default(),
            trusted_proxies: Vec::new(),
            index_at: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            api: QuotaText::per_minute(1000),
            expensive_operation: QuotaText::per_minute(10),
            send_email: QuotaText::per_hour(5),
            builds: QuotaText::per_hour(20),
            builds_by_address: None,
            on_store_error: OnStoreErrors::default(),
        }
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            search: Span::from_secs(5),
            database: Span::from_secs(2),
            dashboard: Span::from_secs(1),
            total: Span::from_secs(10),
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            open_for: Span::from_secs(30),
        }
    }
}

impl Default for Idempotency {
    fn default() -> Self {
        Self {
            keep_for: Span::from_secs(24 * 60 * 60),
            lease: Span::from_secs(30),
        }
    }
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            oldest: Span::from_secs(300),
            ahead: Span::from_secs(60),
            remembered: 65_536,
        }
    }
}

impl Config {
    /// Reads the file that `--config` names.
    pub(crate) fn read(path: &Path) -> Result<Self, UsageError> {
        let text = fs::read_to_string(path).map_err(|error| {
            UsageError::new(
                format!("--config `{}` ({error})", path.display()),
                "a readable file",
            )
        })?;
        Self::parse(&text).map_err(|fault| {
            let place = match fault.line {
                Some(line) => format!("--config `{}` line {line}", path.display()),
                None => format!("--config `{}`", path.display()),
            };
            UsageError::new(place, format!("a valid shop.toml, but {}", fault.message))
        })
    }

    /// Parses the text of a `shop.toml`.
    ///
    /// # Errors
    ///
    /// When it says something that it may not say.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let config: Self = toml::from_str(text).map_err(|error| Fault {
            line: error
                .span()
                .map(|span| text[..span.start].matches('\n').count() + 1),
            message: error.message().to_owned(),
        })?;
        config.check().map_err(|message| Fault {
            line: None,
            message: message.to_owned(),
        })?;
        Ok(config)
    }

    /// What no single key can know of itself.
    fn check(&self) -> Result<(), &'static str> {
        if self.breaker.consecutive_failures == 0 {
            return Err("breaker.consecutive_failures is 0, and it must be at least 1");
        }
        if self.body_limit == 0 {
            return Err("body_limit is 0, and it must be at least 1 byte");
        }
        if self.webhooks.remembered == 0 {
            return Err("webhooks.remembered is 0, and nothing would be let in");
        }
        if self.deadlines.search.get() > self.deadlines.total.get() {
            return Err("deadlines.search is above deadlines.total, and would never be reached");
        }
        if self.deadlines.dashboard.get() >= self.deadlines.total.get() {
            return Err(
                "deadlines.dashboard has to be below deadlines.total, or no page is partial",
            );
        }
        if self.server.body_timeout.get() >= self.deadlines.total.get() {
            return Err("server.body_timeout has to be below deadlines.total, to be told apart");
        }
        Ok(())
    }

    /// The secrets of the demo are printed in the documentation; beyond this machine they are none.
    pub(crate) fn refuse_demo_secrets(&self, listen: SocketAddr) -> Result<(), UsageError> {
        let demo_token = |(token, _)| self.tokens.contains_key(&Secret::new(token));
        let key = if self.webhook_secret.expose() == DEMO_WEBHOOK_SECRET {
            "webhook_secret"
        } else if DEMO_TOKENS.into_iter().any(demo_token) {
            "tokens"
        } else {
            return Ok(());
        };
        Err(UsageError::new(
            format!("--listen `{listen}` with the demo's `{key}`"),
            format!("a --config file with your own `{key}`, or a loopback address"),
        ))
    }

    /// The user that a bearer token stands for.
    #[must_use]
    pub fn user_of(&self, token: &str) -> Option<&str> {
        self.tokens.get(&Secret::new(token)).map(String::as_str)
    }
}

/// What is wrong with a `shop.toml`, and where.
#[derive(Debug)]
pub struct Fault {
    line: Option<usize>,
    message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn refuses(text: &str, line: Option<usize>, message: &str) {
        let fault = Config::parse(text).unwrap_err();
        assert_eq!(fault.line, line, "{fault:?}");
        assert!(fault.message.contains(message), "{fault:?} says {message}");
    }

    #[test]
    fn an_empty_file_is_the_default() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.limits.api.to_string(), "1000/minute");
        assert_eq!(config.deadlines.search.get(), Duration::from_secs(5));
        assert_eq!(config.breaker.consecutive_failures, 5);
        assert_eq!(config.user_of("bob-token"), Some("bob"));
        assert_eq!(config.user_of("eve-token"), None);
    }

    #[test]
    fn the_file_in_the_repository_tells_the_defaults() {
        let file = Config::parse(include_str!("../../shop.toml")).unwrap();
        let default = Config::default();
        assert_eq!(format!("{file:?}"), format!("{default:?}"));
        // Secrets do not show in debug output.
        assert_eq!(file.webhook_secret, default.webhook_secret);
        assert_eq!(file.tokens, default.tokens);
    }

    #[test]
    fn a_key_may_be_given_alone() {
        let config = Config::parse("[limits]\nexpensive_operation = \"3/second\"\n").unwrap();
        assert_eq!(config.limits.expensive_operation.quota().limit(), 3);
        assert_eq!(
            config.limits.expensive_operation.quota().period(),
            Duration::from_secs(1)
        );
        assert_eq!(config.limits.builds.to_string(), "20/hour");
        assert_eq!(config.limits.builds_by_address, None);

        let config = Config::parse("[limits]\nbuilds_by_address = \"30/hour\"\n").unwrap();
        let by_address = config.limits.builds_by_address.unwrap();
        assert_eq!(by_address.quota().limit(), 30);
    }

    #[test]
    fn faults_are_named_with_their_line() {
        refuses(
            "body_limit = 1\nlimit = 3\n",
            Some(2),
            "unknown field `limit`",
        );
        refuses("[limits]\napi = \"ten/minute\"\n", Some(2), "`10/minute`");
        refuses("[limits]\napi = \"0/minute\"\n", Some(2), "at least 1");
        refuses(
            "[limits]\nbuilds_by_address = \"off\"\n",
            Some(2),
            "`10/minute`",
        );
        refuses("[deadlines]\nsearch = \"soon\"\n", Some(2), "`5s`");
        refuses("[deadlines]\nsearch = \"0s\"\n", Some(2), "above zero");
        refuses("trusted_proxies = [\"10.0.0.0/33\"]\n", Some(1), "");
        refuses("index_at = \"localhost\"\n", Some(1), "");
        refuses("webhook_secret = \"\"\n", Some(1), "empty");
        refuses("body_limit = 0\n", None, "body_limit");
        refuses("[webhooks]\nremembered = 0\n", None, "webhooks.remembered");
        refuses("[webhooks]\noldest = \"0s\"\n", Some(2), "above zero");
        refuses("[webhooks]\nold = \"5m\"\n", Some(2), "unknown field `old`");
        refuses(
            "[breaker]\nconsecutive_failures = 0\n",
            None,
            "consecutive_failures",
        );
        refuses("[deadlines]\nsearch = \"1m\"\n", None, "deadlines.search");
        refuses(
            "[deadlines]\ndashboard = \"1m\"\n",
            None,
            "deadlines.dashboard",
        );
        refuses(
            "[server]\nbody_timeout = \"1m\"\n",
            None,
            "server.body_timeout",
        );
        refuses("[store]\nlocation = \"disk\"\n", Some(2), "redis://HOST");
        refuses("[store]\nurl = \"redis\"\n", Some(2), "unknown field `url`");
        refuses("[store]\ndecide_within = \"0s\"\n", Some(2), "above zero");
        refuses(
            "[limits.on_store_error]\napi = \"open\"\n",
            Some(2),
            "fail_open",
        );
        refuses("[server]\nconections = 1\n", Some(2), "unknown field");
        refuses("[drain]\nmaximun = \"1s\"\n", Some(2), "unknown field");
        refuses("[health]\never = \"1s\"\n", Some(2), "unknown field");
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let shown = format!("{:?}", Config::default());
        assert!(!shown.contains(DEMO_WEBHOOK_SECRET));
        assert!(!shown.contains("alice-token"));
    }
}
