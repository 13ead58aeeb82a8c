use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(email(strict))]
    email: String,
}

fn main() {}
