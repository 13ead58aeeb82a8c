use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[serde(deserialize_with = "read")]
    age: u8,
}

fn main() {}
