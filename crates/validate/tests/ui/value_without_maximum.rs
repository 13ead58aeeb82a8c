use seawall_validate::Validate;

use std::collections::BTreeMap;

#[derive(Validate)]
struct Labels {
    #[validate(entries(..=9))]
    labels: BTreeMap<u8, Option<String>>,
}

fn main() {}
