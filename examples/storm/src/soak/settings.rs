//! The two configurations between which the shop under the soak is switched.

use seawall_ratelimit::Quota;
use shop::config::Config;

/// They differ in quotas alone, which can change while requests are served.
pub(super) const TEXTS: [&str; 2] = [
    concat!(
        include_str!("soak.toml"),
        "\n[limits]\nexpensive_operation = \"10/minute\"\n"
    ),
    concat!(
        include_str!("soak.toml"),
        "\n[limits]\nexpensive_operation = \"20/minute\"\n"
    ),
];

/// How many users have a token: each spends its quota of an hour once.
pub(super) const USERS: usize = 8;

/// What is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) expensive: Quota,
    pub(super) email: Quota,
    pub(super) builds: Quota,
}

impl Settings {
    /// # Panics
    ///
    /// When there is no such configuration.
    pub(super) fn of(number: usize) -> Self {
        let config = Config::parse(TEXTS[number]).expect("the soak's settings are valid");
        Self {
            expensive: config.limits.expensive_operation.quota(),
            email: config.limits.send_email.quota(),
            builds: config.limits.builds.quota(),
        }
    }

    /// The most generous of them, whichever is in force.
    pub(super) fn most() -> Self {
        Self::of(1)
    }
}

/// The bearer token of a user.
pub(super) fn token(user: usize) -> String {
    format!("soak-{user}-token")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shop_understands_both() {
        let [one, other] = [0, 1].map(Settings::of);
        assert_eq!(one.expensive.burst() * 2, other.expensive.burst());
        assert_eq!(one.builds, other.builds);
        let config = Config::parse(TEXTS[0]).unwrap();
        for user in 0..USERS {
            assert!(config.user_of(&token(user)).is_some(), "{user}");
        }
    }
}
