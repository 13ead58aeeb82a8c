use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(length(min = 1, max = 9))]
    name: String,
}

fn main() {}
