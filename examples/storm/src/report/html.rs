//! The report for people: one file that needs no network, in light and in dark, on screen and paper.

use std::fmt::Write;

use serde_json::Value;

use super::chart::{charts, voyage};
use super::{Entry, Report, Verdict};
use crate::cli::Length;
use crate::figures::{Figures, Specimen};

/// The report as a page.
pub(crate) fn html(report: &Report) -> String {
    let mut page = String::with_capacity(64 * 1024);
    let length = match report.length {
        Length::Full => "full",
        Length::Quick => "quick",
    };
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>storm: {summary}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<h1>storm</h1>\n<p class=\"verdict {verdict}\">{summary}</p>\n\
         <p class=\"run\">{length} run, seed {seed}, {framework}, store {store}</p>\n</header>\n",
        summary = escaped(&report.summary()),
        verdict = report.verdict.name(),
        seed = report.seed,
        framework = report.framework,
        store = report.store,
    );
    overview(&mut page, report);
    let voyage = voyage(report);
    if !voyage.is_empty() {
        let _ = write!(
            page,
            "<section>\n<h2>The whole run</h2>\n{voyage}</section>\n"
        );
    }
    for entry in &report.entries {
        section(&mut page, entry);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn overview(page: &mut String, report: &Report) {
    page.push_str(
        "<div class=\"wide\"><table>\n<thead><tr><th>scenario</th><th>bare</th><th>hardened</th>\
         <th>verdict</th></tr></thead>\n<tbody>\n",
    );
    for entry in &report.entries {
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\"><a href=\"#{name}\">{name}</a></th><td>{bare}</td>\
             <td>{hardened}</td><td>{verdict}</td></tr>",
            name = entry.name,
            bare = escaped(&entry.bare.headline),
            hardened = escaped(&entry.hardened.headline),
            verdict = badge(entry.verdict),
        );
    }
    page.push_str("</tbody>\n</table></div>\n");
}

fn section(page: &mut String, entry: &Entry) {
    let _ = write!(
        page,
        "<section id=\"{name}\">\n<h2>{name} {badge}</h2>\n<p class=\"claim\">{claim}</p>\n\
         <p><strong>Sent:</strong> {sends}. {requests} requests at each strike, {seconds:.1} s in \
         all.</p>\n",
        name = entry.name,
        badge = badge(entry.verdict),
        claim = escaped(entry.claim),
        sends = escaped(entry.sends),
        requests = entry.hardened.requests,
        seconds = entry.took.as_secs_f64(),
    );
    let charts = charts(entry);
    if !charts.is_empty() {
        let _ = write!(page, "<div class=\"charts\">\n{charts}</div>\n");
    }
    checks(page, entry);
    figures(page, &entry.bare.figures, &entry.hardened.figures);
    specimens(page, &entry.bare.specimens, &entry.hardened.specimens);
    page.push_str("</section>\n");
}

fn checks(page: &mut String, entry: &Entry) {
    page.push_str(
        "<div class=\"wide\"><table>\n<thead><tr><th>promise</th><th>expected</th><th>got</th>\
         <th></th></tr></thead>\n<tbody>\n",
    );
    for check in &entry.checks {
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&check.what),
            escaped(&check.expected),
            escaped(&check.got),
            badge(Verdict::of(check.ok)),
        );
    }
    page.push_str("</tbody>\n</table></div>\n");
}

fn figures(page: &mut String, bare: &Figures, hardened: &Figures) {
    page.push_str(
        "<details open><summary>figures</summary>\n<div class=\"wide\"><table class=\"figures\">\n\
         <thead><tr><th></th><th>bare</th><th>hardened</th></tr></thead>\n<tbody>\n",
    );
    let value = |figures: &Figures, name: &str| {
        figures
            .iter()
            .find(|(known, _)| *known == name)
            .map_or_else(String::new, |(_, value)| shown(value))
    };
    let only_hardened = hardened
        .iter()
        .map(|(name, _)| name)
        .filter(|name| bare.iter().all(|(b, _)| b != *name));
    for name in bare.iter().map(|(name, _)| name).chain(only_hardened) {
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>",
            escaped(&label(name)),
            escaped(&value(bare, name)),
            escaped(&value(hardened, name)),
        );
    }
    page.push_str("</tbody>\n</table></div></details>\n");
}

/// The same requests, side by side, as far as both were answered.
fn specimens(page: &mut String, bare: &[Specimen], hardened: &[Specimen]) {
    let pairs: Vec<(&Specimen, &Specimen)> = bare
        .iter()
        .filter_map(|b| {
            hardened
                .iter()
                .find(|h| h.request == b.request)
                .map(|h| (b, h))
        })
        .collect();
    if pairs.is_empty() {
        return;
    }
    page.push_str("<details open><summary>what a caller sees</summary>\n");
    for (bare, hardened) in pairs {
        let _ = write!(
            page,
            "<h3><code>{}</code></h3>\n<div class=\"pair\">\n<figure><figcaption>bare</figcaption>\
             <pre>{}</pre></figure>\n<figure><figcaption>hardened</figcaption><pre>{}</pre></figure>\
             \n</div>\n",
            escaped(&bare.request),
            escaped(&bare.answer),
            escaped(&hardened.answer),
        );
    }
    page.push_str("</details>\n");
}

fn badge(verdict: Verdict) -> String {
    format!("<span class=\"badge {0}\">{0}</span>", verdict.name())
}

/// `livez_slowest_ms` reads "livez slowest (ms)".
fn label(name: &str) -> String {
    let (words, unit) = match name.rsplit_once('_') {
        Some((words, "ms")) => (words, " (ms)"),
        Some((words, "mib")) => (words, " (MiB)"),
        _ => (name, ""),
    };
    words.replace('_', " ") + unit
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(map) if map.is_empty() => "none".to_owned(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| format!("{key}: {}", shown(value)))
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}

/// Text that is only text: what clients send and services answer must not become markup here.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(character),
            // Also the marks that turn the direction of text: they would rearrange the page.
            control if control.is_control() || is_direction(control) => safe.push('\u{fffd}'),
            plain => safe.push(plain),
        }
    }
    safe
}

const fn is_direction(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The look of every page.
pub(crate) const STYLE: &str = include_str!("report.css");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn nothing_that_was_sent_or_answered_becomes_markup() {
        let page = html(&sample());
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert!(!page.contains("<script"));
        assert_eq!(escaped("a\u{202e}b\0"), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn the_page_needs_no_network() {
        let page = html(&sample());
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn figures_are_named_for_people() {
        assert_eq!(label("livez_slowest_ms"), "livez slowest (ms)");
        assert_eq!(label("memory_peak_mib"), "memory peak (MiB)");
        assert_eq!(label("expensive_allowed"), "expensive allowed");
    }
}
