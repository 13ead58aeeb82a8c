//! The checklist for people: a page like that of a run.

use std::fmt::Write;

use super::checklist::{Checklist, Item, Verdict};
use crate::report::{STYLE, escaped, service};

pub(super) fn page(checklist: &Checklist) -> String {
    let mut page = String::with_capacity(32 * 1024);
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>storm: {summary}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<h1>storm at {target}</h1>\n<p class=\"verdict {verdict}\">{summary}</p>\n\
         <p class=\"run\">seed {seed}</p>\n</header>\n",
        summary = escaped(&checklist.summary()),
        target = escaped(&checklist.target),
        verdict = checklist.verdict().name(),
        seed = checklist.seed,
    );
    page.push_str(
        "<div class=\"wide\"><table>\n<thead><tr><th>item</th><th>what it means</th>\
         <th>verdict</th></tr></thead>\n<tbody>\n",
    );
    for item in &checklist.items {
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\"><a href=\"#{}\">{}</a></th><td>{}</td><td>{}</td></tr>",
            anchor(item),
            item.name,
            item.claim,
            badge(item.verdict),
        );
    }
    page.push_str("</tbody>\n</table></div>\n");
    let charts = service(&checklist.course);
    let _ = write!(
        page,
        "<section>\n<h2>The whole run</h2>\n<div class=\"charts\">\n{charts}</div>\n</section>\n"
    );
    for item in &checklist.items {
        section(&mut page, item);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn section(page: &mut String, item: &Item) {
    let _ = write!(
        page,
        "<section id=\"{}\">\n<h2>{} {}</h2>\n<p class=\"claim\">{}</p>\n",
        anchor(item),
        item.name,
        badge(item.verdict),
        item.claim,
    );
    if let Some(why) = &item.why {
        let _ = writeln!(page, "<p>Not shown: {}.</p>", escaped(why));
    }
    if !item.checks.is_empty() {
        page.push_str(
            "<div class=\"wide\"><table>\n<thead><tr><th>promise</th><th>expected</th>\
             <th>got</th><th></th></tr></thead>\n<tbody>\n",
        );
        for check in &item.checks {
            let verdict = if check.ok {
                Verdict::Held
            } else {
                Verdict::Broken
            };
            let _ = writeln!(
                page,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escaped(&check.what),
                escaped(&check.expected),
                escaped(&check.got),
                badge(verdict),
            );
        }
        page.push_str("</tbody>\n</table></div>\n");
    }
    page.push_str("</section>\n");
}

fn anchor(item: &Item) -> String {
    item.name.replace(' ', "-")
}

/// "not shown" is of two classes, of which the first has the look.
fn badge(verdict: Verdict) -> String {
    format!("<span class=\"badge {0}\">{0}</span>", verdict.name())
}
