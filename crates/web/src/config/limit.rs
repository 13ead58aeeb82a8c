//! One rate limit.

use std::num::NonZeroU32;
use std::time::Duration;

use seawall_ratelimit::{CountConfig, Mode, OnStoreError, Policy, PolicyConfig, Quota};
use serde::{Deserialize, Serialize};

use super::{ConfigError, KeyPart, MissingKey, span};
use crate::request::{ClientIp, KeyBy};

/// A rate limit: its quota, and by what it counts. Its name is the key under which it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LimitConfig {
    /// The quota, as in `"10/minute"` or `"10/minute;burst=20"`. There is no default.
    pub quota: Quota,
    /// By what it counts; each combination of the parts has its own count. There is no default.
    pub key: Vec<KeyPart>,
    /// What happens to requests that lack a part of the key. Default: `"shared"`: leaving a part out
    /// never escapes the limit.
    #[serde(default)]
    pub missing: MissingKey,
    /// When it is decided. Default: after authentication where the key has a principal or a parameter
    /// of the route, so that nobody can spend another's quota; before it otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide: Option<Stage>,
    /// What a request costs. Default: 1.
    #[serde(default = "one")]
    pub cost: NonZeroU32,
    /// `"enforce"` (default), `"shadow"` or `"off"`.
    #[serde(default)]
    pub mode: Mode,
    /// `"fail_open"` (default), `"fail_closed"` or `{"local": {"replicas": 3}}`.
    #[serde(default)]
    pub on_store_error: OnStoreError,
    /// How long a key that is over its limit is blocked. Default: not at all.
    #[serde(
        default,
        with = "span::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub block_for: Option<Duration>,
    /// Which answers count: `"always"` (default), `"failures"` or `"successes"`.
    #[serde(default)]
    pub count: CountConfig,
}

/// When a limit is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Stage {
    /// Before anything is known of the caller but its address and its headers.
    BeforeAuthentication,
    /// Once the caller is known.
    AfterAuthentication,
}

impl LimitConfig {
    /// A limit with defaults for everything else.
    #[must_use]
    pub fn new(quota: Quota, key: impl IntoIterator<Item = KeyPart>) -> Self {
        Self {
            quota,
            key: key.into_iter().collect(),
            missing: MissingKey::default(),
            decide: None,
            cost: one(),
            mode: Mode::default(),
            on_store_error: OnStoreError::default(),
            block_for: None,
            count: CountConfig::default(),
        }
    }

    /// When it is decided.
    #[must_use]
    pub fn stage(&self) -> Stage {
        let late = self.key.iter().any(KeyPart::comes_late);
        self.decide.unwrap_or(if late {
            Stage::AfterAuthentication
        } else {
            Stage::BeforeAuthentication
        })
    }

    /// The policy of this name.
    ///
    /// # Errors
    ///
    /// When name and settings make none: the error names the key.
    pub fn policy(&self, name: &str) -> Result<Policy, ConfigError> {
        let mut config = PolicyConfig::new(name, self.quota);
        config.cost = self.cost;
        config.mode = self.mode;
        config.on_store_error = self.on_store_error;
        config.block_for = self.block_for;
        config.count = self.count;
        Policy::try_from(config).map_err(|error| {
            // Nobody but this limit is meant, whether the error says so or not.
            ConfigError::new(format!("limits.{name}.{}", error.key()), error.expected())
        })
    }

    /// What it counts by.
    ///
    /// # Errors
    ///
    /// When the key has no part, or one that is not known yet when the limit is decided.
    pub fn key_by(&self, name: &str, client_ip: &ClientIp) -> Result<KeyBy, ConfigError> {
        if self.key.is_empty() {
            let expected = "expected at least one part, such as \"address\"";
            return Err(ConfigError::new(format!("limits.{name}.key"), expected));
        }
        let early = self.stage() == Stage::BeforeAuthentication;
        if early && self.key.contains(&KeyPart::Principal) {
            let expected = "expected \"after-authentication\": before it there is no principal";
            return Err(ConfigError::new(format!("limits.{name}.decide"), expected));
        }
        Ok(KeyPart::all(&self.key, self.missing, client_ip))
    }
}

const fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}
