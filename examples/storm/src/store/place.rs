//! What one shop is told about its store.

use std::fmt::Write as _;
use std::time::Duration;

use shop::store::{Location, Url};

use super::Proxy;

/// A location, and what sets a shop apart there.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    location: Location,
    namespace: String,
    patience: Duration,
}

impl Place {
    pub(super) const fn new(location: Location, namespace: String) -> Self {
        // Storm and its shops share a small machine: what is only slow must not open a gate.
        let patience = Duration::from_secs(3);
        Self {
            location,
            namespace,
            patience,
        }
    }

    /// This process alone: what each replica of a control does.
    pub(crate) fn memory() -> Self {
        Self::new(Location::Memory, "alone".to_owned())
    }

    pub(crate) const fn location(&self) -> &Location {
        &self.location
    }

    /// The same, reached through a proxy.
    pub(crate) fn through(self, proxy: &Proxy) -> Self {
        let through = |url: &Url| Some(url.through(proxy.address()));
        let location = match &self.location {
            Location::Redis(Some(url)) => Location::Redis(through(url)),
            Location::Postgres(Some(url)) => Location::Postgres(through(url)),
            other => other.clone(),
        };
        Self { location, ..self }
    }

    /// How long a shop waits for the store.
    pub(crate) fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The section of a `shop.toml`, where a password shows in no list of processes.
    pub(crate) fn section(&self) -> String {
        let mut text = String::from("\n[store]\n");
        let quoted = |text: &str| serde_json::to_string(text).expect("text is JSON");
        // A basic string of TOML is one of JSON, for everything that a location holds.
        let _ = writeln!(text, "location = {}", quoted(&self.location.to_string()));
        let _ = writeln!(text, "namespace = {}", quoted(&self.namespace));
        let ms = self.patience.as_millis();
        let _ = writeln!(
            text,
            "decide_within = \"{ms}ms\"\nclaim_within = \"{ms}ms\""
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use shop::config::Config;

    use super::*;

    #[test]
    fn the_shop_understands_the_section() {
        let location: Location = "redis://:pw@host:7/".parse().unwrap();
        let place = Place::new(location, "a \"b\"".to_owned()).patience(Duration::from_millis(250));
        let config = Config::parse(&place.section()).unwrap().store;
        assert_eq!(config.location.to_string(), "redis://:pw@host:7/");
        assert_eq!(config.namespace, "a \"b\"");
        assert_eq!(config.decide_within.get(), Duration::from_millis(250));
    }
}
