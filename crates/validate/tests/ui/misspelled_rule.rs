use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(emial)]
    email: String,
}

fn main() {}
