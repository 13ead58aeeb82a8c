use seawall_validate::Validate;

use std::collections::BTreeMap;

#[derive(Validate)]
struct Labels {
    #[validate(keys(chars(..=9)))]
    labels: BTreeMap<String, u8>,
}

fn main() {}
