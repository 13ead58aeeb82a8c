//! Every rule of text, of numbers, of lists and of maps, as an attribute.

pub(crate) mod text;
mod values;
mod whole;

use seawall_validate::{Limits, Validate, Violation, Violations, from_json};

fn codes<'a, T: Validate<'a>>(body: &'a str) -> Vec<String> {
    match from_json::<T>(body.as_bytes(), &Limits::API) {
        Ok(_) => Vec::new(),
        Err(violations) => listed(&violations),
    }
}

fn listed(violations: &Violations) -> Vec<String> {
    let one = |v: &Violation| format!("{}:{}", v.field().unwrap_or_default(), v.code());
    violations.iter().map(one).collect()
}
