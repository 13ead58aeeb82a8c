//! A settings file from a stranger: read, cleaned and checked in one pass.

use seawall_validate::{Limits, Validate, from_json};

#[derive(Debug, Validate)]
struct Settings {
    #[validate(normalize(trim, lower), chars(..=254), email)]
    contact: String,
    #[validate(items(1..=3))]
    regions: Vec<Region>,
}

#[derive(Debug, Validate)]
struct Region {
    #[validate(chars(1..=16), slug)]
    name: String,
    #[validate(range(1..=64))]
    replicas: u8,
}

fn main() {
    let files = [
        r#"{"contact": " Ops@Example.com ", "regions": [{"name": "north", "replicas": 3}]}"#,
        r#"{"contact": "nobody", "regions": [{"name": "No Slug", "replicas": 0}], "color": 1}"#,
    ];
    for file in files {
        match from_json::<Settings>(file.as_bytes(), &Limits::API) {
            Ok(settings) => println!("{settings:?}"),
            Err(violations) => {
                for wrong in violations.iter() {
                    let field = wrong.field().unwrap_or_default();
                    println!("{field}: {} ({})", wrong.message(), wrong.code());
                }
            }
        }
    }
}
