use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(with("path"))]
    age: u8,
}

fn main() {}
