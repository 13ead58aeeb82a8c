use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(range(9..=3))]
    age: u8,
}

fn main() {}
