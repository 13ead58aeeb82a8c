//! Whether a configuration can be used, and whether it can take the place of another one at run time.

use seawall_ratelimit::Policy;

use super::{ConfigError, LimitConfig, SeawallConfig, Stage, peers};
use crate::request::KeyBy;

impl SeawallConfig {
    /// Checks what no single value can know of itself. The builders do it, too.
    ///
    /// # Errors
    ///
    /// At the first key that cannot work.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.deadline.is_zero() {
            return Err(ConfigError::new("deadline", "expected a time above zero"));
        }
        if self.body.limit == 0 {
            return Err(ConfigError::new("body.limit", "expected at least 1 byte"));
        }
        if self.body.read_within.is_zero() {
            let expected = "expected a time above zero";
            return Err(ConfigError::new("body.read_within", expected));
        }
        self.proxies.client_ip()?;
        if self.budgets && self.proxies.trusted.is_empty() {
            let expected = "expected false, or networks in proxies.trusted";
            return Err(ConfigError::new("budgets", expected));
        }
        peers::check("request_ids.trusted", &self.request_ids.trusted)?;
        let traces = self.traces.trusted.as_deref().unwrap_or_default();
        peers::check("traces.trusted", traces)?;
        self.limits_at(Stage::BeforeAuthentication)?;
        self.limits_at(Stage::AfterAuthentication)?;
        Ok(())
    }

    /// The limits that are decided at this stage, by the order of their names, each with what it
    /// counts by.
    ///
    /// # Errors
    ///
    /// When one of them cannot work: the error names the key.
    pub fn limits_at(&self, stage: Stage) -> Result<Vec<(Policy, KeyBy)>, ConfigError> {
        let client_ip = self.proxies.client_ip()?;
        let limits = self.limits.iter();
        limits
            .filter(|(_, limit)| limit.stage() == stage)
            .map(|(name, limit)| Ok((limit.policy(name)?, limit.key_by(name, &client_ip)?)))
            .collect()
    }

    /// Checks whether `next` can take this one's place while requests are served.
    ///
    /// Deadline, body limit and read deadline can change, and of each limit all but its name, its key
    /// and when it is decided.
    ///
    /// # Errors
    ///
    /// At the first key that cannot work or cannot change.
    pub fn check_change(&self, next: &Self) -> Result<(), ConfigError> {
        next.check()?;
        let fixed = [
            ("namespace", self.namespace == next.namespace),
            ("budgets", self.budgets == next.budgets),
            ("proxies", self.proxies == next.proxies),
            ("request_ids", self.request_ids == next.request_ids),
            ("traces", self.traces == next.traces),
            ("headers", self.headers == next.headers),
            ("errors", self.errors == next.errors),
        ];
        if let Some((key, _)) = fixed.into_iter().find(|(_, same)| !same) {
            return Err(ConfigError::fixed(key));
        }
        if let Some(gone) = self
            .limits
            .keys()
            .find(|name| !next.limits.contains_key(*name))
        {
            let expected = "expected to stay: its mode can be \"off\"";
            return Err(ConfigError::new(format!("limits.{gone}"), expected));
        }
        for (name, limit) in &next.limits {
            let Some(before) = self.limits.get(name) else {
                let expected = "expected no new limit: it takes a restart";
                return Err(ConfigError::new(format!("limits.{name}"), expected));
            };
            before.check_change(name, limit)?;
        }
        Ok(())
    }
}

impl LimitConfig {
    fn check_change(&self, name: &str, next: &Self) -> Result<(), ConfigError> {
        let fixed = [
            ("key", self.key == next.key),
            ("missing", self.missing == next.missing),
            ("decide", self.stage() == next.stage()),
        ];
        match fixed.into_iter().find(|(_, same)| !same) {
            Some((key, _)) => Err(ConfigError::fixed(format!("limits.{name}.{key}"))),
            None => Ok(()),
        }
    }
}
