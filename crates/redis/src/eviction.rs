//! What servers do when their memory is full: records want it one way, limits the other.

use std::collections::{BTreeSet, HashMap};
use std::error::Error as StdError;
use std::fmt;

use redis::{FromRedisValue, InfoDict, Value};

use crate::error::Error;
use crate::store::RedisStore;

/// What a server, or the masters of a Cluster, do when their memory is full (`maxmemory-policy`).
///
/// Ask at the start of a service, by [`RedisStore::eviction`]. Records of operations and accepted
/// messages want to be kept; counters of rate limits want to go. On one server for both, one of the
/// two checks fails: give each a server of its own.
///
/// # Examples
///
/// ```no_run
/// use seawall_redis::RedisStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let payments = RedisStore::connect("redis://records.example/").await?;
/// payments.eviction().await?.suits_records()?;
///
/// let limits = RedisStore::connect("redis://limits.example/").await?;
/// if let Err(unsuited) = limits.eviction().await?.suits_limits() {
///     eprintln!("warning: {unsuited}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eviction {
    policies: BTreeSet<String>,
}

impl Eviction {
    /// Returns the policies as the servers call them: one, unless the masters of a Cluster disagree.
    pub fn policies(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().map(String::as_str)
    }

    /// Checks that nothing is evicted, as records of operations and accepted messages need: what is
    /// forgotten runs again, or is accepted again.
    ///
    /// # Errors
    ///
    /// Fails unless every policy is `noeviction`. The others evict records too, also those that are
    /// named `volatile-…`, as every record expires.
    pub fn suits_records(&self) -> Result<(), Unsuited> {
        self.unless(Purpose::Records, |policy| policy != NONE)
    }

    /// Checks that something is evicted, as counters of rate limits need: callers make as many of
    /// them as they like, and on a server that keeps them all nobody else has room.
    ///
    /// # Errors
    ///
    /// Fails where a policy is `noeviction`.
    pub fn suits_limits(&self) -> Result<(), Unsuited> {
        self.unless(Purpose::Limits, |policy| policy == NONE)
    }

    fn unless(&self, purpose: Purpose, is_bad: impl Fn(&str) -> bool) -> Result<(), Unsuited> {
        match self.policies().find(|policy| is_bad(policy)) {
            None => Ok(()),
            Some(found) => Err(Unsuited {
                purpose,
                found: found.to_owned(),
            }),
        }
    }
}

/// A server does not suit what is kept on it. Whether that is an error or worth a warning is for the
/// service to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsuited {
    purpose: Purpose,
    found: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Records,
    Limits,
}

impl Unsuited {
    /// Returns the policy that does not suit.
    #[must_use]
    pub fn policy(&self) -> &str {
        &self.found
    }
}

impl fmt::Display for Unsuited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &self.found;
        match self.purpose {
            Purpose::Records => write!(
                f,
                "expected maxmemory-policy noeviction, found {found}: a full server forgets records"
            ),
            Purpose::Limits => write!(
                f,
                "expected a maxmemory-policy that evicts, found {found}: counters of rate limits can \
                 take all the room there is"
            ),
        }
    }
}

impl StdError for Unsuited {}

impl RedisStore {
    /// Asks the server, or each master of a Cluster, what it does when its memory is full: by
    /// `CONFIG GET`, or by `INFO` where that is forbidden.
    ///
    /// # Errors
    ///
    /// Fails when a server does not answer, or may be asked neither.
    pub async fn eviction(&self) -> Result<Eviction, Error> {
        let mut command = redis::cmd("CONFIG");
        command.arg("GET").arg("maxmemory-policy");
        let configured = match self.inner().link.ask_all(&command).await {
            Ok(answers) => policies(answers, configured),
            Err(error) if error.is_unavailable() => return Err(error),
            // Hosted servers often forbid it.
            Err(_) => None,
        };
        if let Some(policies) = configured {
            return Ok(Eviction { policies });
        }
        let mut command = redis::cmd("INFO");
        command.arg("memory");
        let answers = self.inner().link.ask_all(&command).await?;
        let policies = policies(answers, informed).ok_or(Error::answer())?;
        Ok(Eviction { policies })
    }
}

/// `None`: a server did not say.
fn policies(
    answers: Vec<Value>,
    read: impl Fn(Value) -> Option<String>,
) -> Option<BTreeSet<String>> {
    let policies: Option<BTreeSet<_>> = answers.into_iter().map(read).collect();
    policies.filter(|policies| !policies.is_empty())
}

fn configured(answer: Value) -> Option<String> {
    let mut settings = HashMap::<String, String>::from_redis_value(answer).ok()?;
    settings.remove("maxmemory-policy")
}

fn informed(answer: Value) -> Option<String> {
    InfoDict::from_redis_value(answer)
        .ok()?
        .get("maxmemory_policy")
}

const NONE: &str = "noeviction";

#[cfg(test)]
mod tests {
    use super::*;

    fn eviction(policies: &[&str]) -> Eviction {
        let policies = policies.iter().map(|policy| (*policy).to_owned());
        Eviction {
            policies: policies.collect(),
        }
    }

    #[test]
    fn one_master_that_evicts_is_enough_to_lose_records() {
        assert_eq!(eviction(&["noeviction"]).suits_records(), Ok(()));
        let mixed = eviction(&["noeviction", "volatile-ttl"]);
        let unsuited = mixed.suits_records().unwrap_err();
        assert_eq!(unsuited.policy(), "volatile-ttl");
        assert_eq!(
            unsuited.to_string(),
            "expected maxmemory-policy noeviction, found volatile-ttl: a full server forgets records"
        );
    }

    #[test]
    fn one_master_that_keeps_all_is_enough_for_counters_to_fill() {
        assert_eq!(eviction(&["volatile-ttl"]).suits_limits(), Ok(()));
        let mixed = eviction(&["noeviction", "volatile-ttl"]);
        let unsuited = mixed.suits_limits().unwrap_err();
        assert_eq!(unsuited.policy(), "noeviction");
        assert!(unsuited.to_string().contains("that evicts"), "{unsuited}");
    }

    #[test]
    fn a_server_that_does_not_say_is_no_answer() {
        assert_eq!(policies(vec![Value::Array(Vec::new())], configured), None);
        assert_eq!(policies(Vec::new(), configured), None);
    }
}
