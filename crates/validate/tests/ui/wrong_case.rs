use seawall_validate::Validate;

#[derive(Validate)]
#[serde(rename_all = "camel")]
struct User {
    age: u8,
}

fn main() {}
