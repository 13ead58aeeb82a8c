//! Links of the documents, and whether they lead anywhere.

use std::fs;
use std::path::Path;

/// The folder of the documents.
pub(crate) const DOCS: &str = env!("CARGO_MANIFEST_DIR");

/// Targets of inline links that lead into this repository, without their fragments.
pub(crate) fn local_links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1);
    targets
        .filter_map(|rest| rest.split(')').next())
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains(':') && !target.contains(' '))
        .map(str::to_owned)
        .collect()
}

fn without_code(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

#[test]
fn every_link_of_every_document_leads_to_a_file() {
    let root = Path::new(DOCS).join("..");
    let mut dead = Vec::new();
    for folder in [root.clone(), root.join("docs"), root.join("docs/guide")] {
        for entry in fs::read_dir(&folder).unwrap() {
            let page = entry.unwrap().path();
            if page.extension().is_none_or(|ending| ending != "md") {
                continue;
            }
            let text = without_code(&fs::read_to_string(&page).unwrap());
            for link in local_links(&text) {
                if !folder.join(&link).exists() {
                    dead.push(format!("{}: {link}", page.display()));
                }
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}
