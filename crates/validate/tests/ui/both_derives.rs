use seawall_validate::Validate;

use serde::Deserialize;

#[derive(Validate, Deserialize)]
struct User {
    age: u8,
}

fn main() {}
