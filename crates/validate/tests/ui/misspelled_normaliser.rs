use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(normalize(trimm), chars(..=9))]
    name: String,
}

fn main() {}
