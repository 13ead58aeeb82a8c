use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    a: u8,
    #[serde(rename = "a")]
    b: u8,
}

fn main() {}
