use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(chars(9..=3))]
    name: String,
}

fn main() {}
