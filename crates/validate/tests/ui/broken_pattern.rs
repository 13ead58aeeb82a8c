use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(chars(..=9), pattern("[a-"))]
    name: String,
}

fn main() {}
