use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(chars(..=9), range(0..=9))]
    name: String,
}

fn main() {}
