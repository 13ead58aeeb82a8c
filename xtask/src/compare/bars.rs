//! `benches/bars.toml`: what a ratio may be at most, and the few waivers.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bars {
    #[serde(rename = "bar", default)]
    pub(super) list: Vec<Bar>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bar {
    pub(super) id: String,
    /// `area/case`, where the area is the folder of a crate.
    pub(super) case: String,
    pub(super) peer: String,
    /// Whose promise it is, where the area is another crate's.
    #[serde(rename = "crate")]
    pub(super) promising: Option<String>,
    pub(super) max_ratio: f64,
    pub(super) waiver: Option<Waiver>,
}

/// Why a bar is missed for now, and what holds meanwhile.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Waiver {
    /// The ratio that was measured.
    pub(super) figure: f64,
    pub(super) cause: String,
    /// The bar that holds instead.
    pub(super) fallback: f64,
}

impl Bar {
    pub(super) fn area(&self) -> &str {
        self.case.split('/').next().unwrap_or(&self.case)
    }

    fn promising(&self) -> &str {
        self.promising.as_deref().unwrap_or_else(|| self.area())
    }
}

impl Bars {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let text =
            fs::read_to_string(path).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
        Self::parse(&text).map_err(|error| Failure::usage(format!("{name}: {error}")))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let bars: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut ids = BTreeMap::new();
        let mut waivers: BTreeMap<&str, usize> = BTreeMap::new();
        for bar in &bars.list {
            bar.check()
                .map_err(|fault| format!("bar `{}`: {fault}", bar.id))?;
            if let Some(other) = ids.insert(&bar.id, &bar.case) {
                return Err(format!(
                    "bar `{}` is there twice, for {other} and {}",
                    bar.id, bar.case
                ));
            }
            if bar.waiver.is_some() {
                *waivers.entry(bar.promising()).or_default() += 1;
            }
        }
        for (promising, count) in waivers {
            if count > MOST_WAIVERS {
                return Err(format!(
                    "{promising} has {count} waivers; expected {MOST_WAIVERS} at most"
                ));
            }
        }
        Ok(bars)
    }

    /// Those of the areas and cases named; all if none is.
    pub(super) fn only(self, names: &[String]) -> Result<Self, Failure> {
        let chosen = |bar: &Bar, name: &str| bar.area() == name || bar.case == name;
        for name in names {
            if !self.list.iter().any(|bar| chosen(bar, name)) {
                let mut areas: Vec<_> = self.list.iter().map(Bar::area).collect();
                areas.dedup();
                let expected = areas.join(", ");
                return Err(Failure::usage(format!(
                    "--only {name}: no bar is set for it; expected one of {expected}, or a case of them"
                )));
            }
        }
        let list = self.list.into_iter();
        let kept =
            list.filter(|bar| names.is_empty() || names.iter().any(|name| chosen(bar, name)));
        Ok(Self {
            list: kept.collect(),
        })
    }
}

impl Bar {
    fn check(&self) -> Result<(), String> {
        if !self.case.contains('/') {
            return Err(format!("case `{}`; expected `area/case`", self.case));
        }
        let ratio = |name: &str, value: f64| {
            if value.is_finite() && value >= 0.0 {
                return Ok(());
            }
            Err(format!("{name} = {value}; expected a ratio of 0 or more"))
        };
        ratio("max_ratio", self.max_ratio)?;
        let Some(waiver) = &self.waiver else {
            return Ok(());
        };
        ratio("figure", waiver.figure)?;
        ratio("fallback", waiver.fallback)?;
        if waiver.fallback <= self.max_ratio {
            return Err(format!(
                "the waiver's fallback {} is not above max_ratio {}: set the bar itself",
                waiver.fallback, self.max_ratio
            ));
        }
        if waiver.cause.trim().is_empty() {
            return Err("the waiver names no cause".to_owned());
        }
        Ok(())
    }
}

/// A crate with more of them has the wrong bars.
const MOST_WAIVERS: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(id: &str, more: &str) -> String {
        format!("[[bar]]\nid = \"{id}\"\ncase = \"ratelimit/{id}\"\npeer = \"governor\"\n{more}\n")
    }

    const WAIVED: &str =
        "max_ratio = 0.5\nwaiver = { figure = 0.6, cause = \"padding\", fallback = 0.7 }";

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let error = Bars::parse(text).unwrap_err();
        assert!(
            error.contains(expected),
            "{error:?} does not say {expected:?}"
        );
    }

    #[test]
    fn a_bar_reads_as_it_is_written() {
        let bars = Bars::parse(&bar("hot", WAIVED)).unwrap();
        let bar = &bars.list[0];
        assert_eq!(
            (bar.area(), &*bar.peer, bar.max_ratio),
            ("ratelimit", "governor", 0.5)
        );
        assert_eq!(bar.waiver.as_ref().unwrap().fallback, 0.7);
    }

    #[test]
    fn this_workspace_has_sound_bars() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/bars.toml");
        assert!(!Bars::read(&path).unwrap().list.is_empty());
    }

    #[test]
    fn a_third_waiver_of_a_crate_is_refused() {
        let two = bar("a", WAIVED) + &bar("b", WAIVED);
        assert!(Bars::parse(&two).is_ok());
        refused(
            &(two.clone() + &bar("c", WAIVED)),
            "ratelimit has 3 waivers",
        );

        let of_tower = format!("crate = \"tower\"\n{WAIVED}");
        let four = two + &bar("c", &of_tower) + &bar("d", &of_tower);
        assert!(Bars::parse(&four).is_ok());
        refused(&(four + &bar("e", &of_tower)), "tower has 3 waivers");
    }

    #[test]
    fn a_waiver_must_lower_the_bar_and_say_why() {
        let waiver = |fallback: f64, cause: &str| {
            let waiver = format!("figure = 0.6, cause = \"{cause}\", fallback = {fallback}");
            bar("a", &format!("max_ratio = 0.5\nwaiver = {{ {waiver} }}"))
        };
        refused(&waiver(0.5, "padding"), "not above max_ratio");
        refused(&waiver(0.7, " "), "names no cause");
    }

    #[test]
    fn bad_bars_are_named() {
        refused(
            &(bar("a", "max_ratio = 1.0") + &bar("a", "max_ratio = 1.0")),
            "there twice",
        );
        refused(&bar("a", "max_ratio = -1.0"), "bar `a`: max_ratio = -1");
        refused(&bar("a", "max_ratio = nan"), "expected a ratio");
        refused(&bar("a", "max_ration = 1.0"), "max_ration");
        refused(
            "[[bar]]\nid = \"a\"\ncase = \"a\"\npeer = \"b\"\nmax_ratio = 1.0",
            "`area/case`",
        );
    }

    #[test]
    fn an_area_or_a_case_selects() {
        let bars = || Bars::parse(&(bar("a", "max_ratio = 1.0") + &bar("b", "max_ratio = 1.0")));
        let only = |name: &str| {
            bars()
                .unwrap()
                .only(&[name.to_owned()])
                .map(|b| b.list.len())
        };
        assert_eq!(only("ratelimit"), Ok(2));
        assert_eq!(only("ratelimit/a"), Ok(1));
        let Err(Failure::Usage(message)) = only("breaker") else {
            panic!("accepted breaker")
        };
        assert!(
            message.contains("--only breaker") && message.contains("ratelimit"),
            "{message}"
        );
    }
}
