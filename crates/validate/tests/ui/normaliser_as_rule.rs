use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(trim, chars(..=9))]
    name: String,
}

fn main() {}
