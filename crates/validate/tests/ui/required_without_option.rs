use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(chars(..=9), required)]
    name: String,
}

fn main() {}
