use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(chars(..=9), unbounded)]
    name: String,
}

fn main() {}
