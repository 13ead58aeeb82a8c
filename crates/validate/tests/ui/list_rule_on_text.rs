use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(items(..=9))]
    name: String,
}

fn main() {}
