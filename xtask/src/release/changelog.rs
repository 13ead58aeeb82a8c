//! Whether a changelog has the form of Keep a Changelog, as far as tools and readers lean on it.

/// Every fault, worded to follow the file's name.
pub(super) fn faults(text: &str, version: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if text.lines().next() != Some("# Changelog") {
        faults.push("does not open with `# Changelog`".to_owned());
    }
    if !text.contains("https://keepachangelog.com/") {
        faults.push("does not link to the form that it keeps".to_owned());
    }
    let mut entries = 0;
    let mut releases = Vec::new();
    let mut kind = None;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            match release(heading) {
                Some(name) => releases.push(name),
                None => faults.push(format!(
                    "has the heading `{line}`: expected `## [Unreleased]` or `## [1.2.3] - \
                     2026-01-31`"
                )),
            }
            kind = None;
        } else if let Some(heading) = line.strip_prefix("### ") {
            if !KINDS.contains(&heading) {
                faults.push(format!(
                    "has the heading `{line}`: expected one of {}",
                    KINDS.join(", ")
                ));
            }
            kind = Some(heading);
        } else if line.starts_with("- ") {
            entries += 1;
            if kind.is_none() {
                faults.push(format!("has an entry under no kind of change: `{line}`"));
            }
        }
    }
    if !releases
        .iter()
        .any(|name| *name == "Unreleased" || *name == version)
    {
        faults.push(format!("has neither `[Unreleased]` nor `[{version}]`"));
    }
    if entries == 0 {
        faults.push("has no entry".to_owned());
    }
    faults
}

/// The name in a heading such as `[Unreleased]` or `[0.2.0] - 2026-01-31`.
fn release(heading: &str) -> Option<&str> {
    let (name, rest) = heading.strip_prefix('[')?.split_once(']')?;
    let is_dated = || {
        rest.strip_prefix(" - ").is_some_and(|date| {
            date.len() == 10 && date.chars().all(|c| c == '-' || c.is_ascii_digit())
        })
    };
    ((name == "Unreleased" && rest.is_empty()) || is_dated()).then_some(name)
}

const KINDS: [&str; 6] = [
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
    "Security",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(releases: &str) -> Vec<String> {
        let head = "# Changelog\n\n[Keep a Changelog](https://keepachangelog.com/en/1.1.0/)\n\n";
        faults(&format!("{head}{releases}"), "0.1.0")
    }

    #[test]
    fn news_and_dated_releases_are_in_form() {
        let text = "## [Unreleased]\n\n### Fixed\n\n- That.\n\n## [0.1.0] - 2026-01-31\n\n### Added\n\n- This.\n";
        assert_eq!(found(text), [""; 0]);
    }

    #[test]
    fn the_version_of_the_manifest_has_its_place() {
        let text = "## [0.0.9] - 2026-01-31\n\n### Added\n\n- This.\n";
        assert_eq!(found(text), ["has neither `[Unreleased]` nor `[0.1.0]`"]);
    }

    #[test]
    fn what_is_out_of_form_is_named() {
        let faults = found("## Unreleased\n\n- This.\n\n### New\n");
        let named = ["`## Unreleased`", "`- This.`", "`### New`", "neither"];
        assert_eq!(faults.len(), named.len(), "{faults:?}");
        for (fault, name) in faults.iter().zip(named) {
            assert!(fault.contains(name), "{fault}");
        }
    }

    #[test]
    fn an_empty_text_is_no_changelog() {
        assert_eq!(faults("", "0.1.0").len(), 4);
    }
}
