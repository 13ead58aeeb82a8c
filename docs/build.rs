//! Lists the chapters: the front page, the page for those who come from another crate and every file
//! of `docs/guide/` become one module each, so that a new chapter is compiled and run as soon as it
//! exists and none can be forgotten.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let docs = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let front_page = docs.join("..").join("README.md");
    let migrating = docs.join("MIGRATING.md");
    let guide = docs.join("guide");

    let mut chapters = vec![("migrating".to_owned(), migrating.clone())];
    if front_page.exists() {
        chapters.push(("front_page".to_owned(), front_page.clone()));
    }
    if guide.is_dir() {
        let mut files = fs::read_dir(&guide)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()?;
        files.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
        files.sort();
        chapters.extend(files.into_iter().map(|path| (module_name(&path), path)));
    }

    let mut modules = String::new();
    for (name, path) in &chapters {
        writeln!(
            modules,
            "#[doc = include_str!({:?})]\npub mod {name} {{}}",
            path.display().to_string()
        )?;
    }
    fs::write(
        Path::new(&env::var("OUT_DIR")?).join("chapters.rs"),
        modules,
    )?;

    // Cargo looks into a folder that is named here, so a chapter added later is seen too.
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", front_page.display());
    println!("cargo::rerun-if-changed={}", migrating.display());
    println!("cargo::rerun-if-changed={}", guide.display());
    Ok(())
}

/// `keys-behind-proxies.md` is the module `guide_keys_behind_proxies`.
fn module_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = stem.chars().map(|c| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    });
    format!("guide_{}", name.collect::<String>())
}
