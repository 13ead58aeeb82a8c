use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[serde(default)]
    #[validate(required)]
    age: Option<u8>,
}

fn main() {}
