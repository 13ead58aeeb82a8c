use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(chars(1..9))]
    name: String,
}

fn main() {}
