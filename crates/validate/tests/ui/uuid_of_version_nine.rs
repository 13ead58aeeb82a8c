use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(uuid(9))]
    id: String,
}

fn main() {}
