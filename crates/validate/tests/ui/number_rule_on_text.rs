use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(range(0..=9))]
    name: String,
}

fn main() {}
