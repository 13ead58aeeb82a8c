use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(serde, chars(..=9))]
    name: String,
}

fn main() {}
