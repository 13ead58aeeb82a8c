use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(email(code = "Bad-Code"))]
    email: String,
}

fn main() {}
